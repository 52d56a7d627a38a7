"""What a step costs: floor, truncation, round-off, and the search for the best step."""
