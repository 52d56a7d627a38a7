"""Arithmetics: backends and balls."""
