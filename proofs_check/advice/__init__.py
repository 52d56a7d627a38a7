"""Advice for practitioners: the recommendation and its words."""
