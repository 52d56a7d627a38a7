"""Networks and their residuals: two-layer, perceptrons, any module; their derivatives and tangent kernels."""
