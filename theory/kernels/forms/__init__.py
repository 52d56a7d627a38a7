"""Forms of kernels: activations under the integral, coordinates, chain rule, integrals."""
