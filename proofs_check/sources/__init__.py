"""What papers state, judged: S1 to S7 of the source."""
