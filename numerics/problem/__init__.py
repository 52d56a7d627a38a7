"""A problem: its parts, its file, its drawn features."""
