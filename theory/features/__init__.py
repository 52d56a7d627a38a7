"""Random features: activations and the laws of weights and biases."""
