"""Linear differential operators, their discretisation, and the round-off of differences."""
