"""What is predicted of trained networks before training: frozen kernels, bounds, entropy orders."""
