"""The matrices A_AD and A_FD, in every arithmetic."""
