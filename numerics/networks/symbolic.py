"""SymPy expressions and symbolic activations on torch tensors."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from numerics.networks import activations as jets
from theory.base.errors import InputError
from theory.base.expressions import evaluate
from theory.features.activations import Activation, z


class TorchBackend:
    """torch tensors for :func:`theory.base.expressions.evaluate`; constants are Python floats."""

    def constant(self, value: Fraction) -> Any:
        """The nearest double."""
        return float(value)

    def named(self, name: str) -> Any:
        """π or e."""
        return {"pi": np.pi, "E": np.e}[name]

    def function(self, name: str, argument: Any) -> Any:
        """The function by torch."""
        if name == "step":
            return (argument > 0).to(argument)
        if name not in {"sin", "cos", "tan", "exp", "log", "sinh", "cosh", "tanh", "atan", "asinh", "erf"}:
            raise InputError(f"cannot evaluate the function {name}")
        point = argument if isinstance(argument, Tensor) else torch.tensor(argument, dtype=torch.float64)
        result = getattr(torch, name)(point)
        return result if isinstance(argument, Tensor) else float(result)

    def power(self, base: Any, exponent: Fraction) -> Any:
        """``base`` to a rational power."""
        return base ** (int(exponent) if exponent.denominator == 1 else float(exponent))


def torch_activation(activation: Activation) -> jets.TorchActivation:
    """The activation in torch: the closed jet where there is one, else its symbolic derivatives."""
    if activation.name in jets.names():
        return jets.activation(activation.name)
    backend = TorchBackend()

    def derivative(argument: Tensor, order: int) -> Tensor:
        value = evaluate(activation.derivative(order), {z: argument}, backend)
        return value if isinstance(value, Tensor) else torch.full_like(argument, float(value))

    def jet(argument: Tensor, order: int) -> list[Tensor]:
        return [derivative(argument, n) for n in range(order + 1)]

    return jets.TorchActivation(activation.name, lambda argument: derivative(argument, 0), jet)
