"""Training with torch: random features, two-layer networks and any module, with both kinds of derivative.

torch is imported in this package alone, and by none of the others.
"""
