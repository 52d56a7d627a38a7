"""Claims about training and networks."""
