"""Exactly solvable kernels: AD and FD eigenvalues, entropies with proof, the sign of the gap."""
