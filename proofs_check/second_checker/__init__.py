"""A second checker of certificates, written from ``docs/certificates.md`` in Python's integers alone.

It shares no code and no library with the first one. ``python proofs_check/second_checker FILE...`` runs it.
"""
