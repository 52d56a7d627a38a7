"""A network or function of one's own as a function of points: how it is called, in which arithmetic, its derivatives.

It may be a torch module or any callable, of one tensor of points or of one argument per coordinate, on torch tensors or
on NumPy arrays (JAX functions among them).  What it computes in another arithmetic is found on a copy, in which
parameters, buffers, plain attributes, and what a function closes over are cast.
"""

from __future__ import annotations

import copy
import inspect
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from numerics.differences.steps import rms
from theory import stencils
from theory.base.errors import InputError
from theory.operators.operator import MultiIndex

if TYPE_CHECKING:
    import torch

Values = Float[np.ndarray, " n"]
REFERENCE_ORDER = 8
"""Order of the differences that stand in for a derivative that autograd does not give."""
DISAGREE = 1e-3
"""Part of its size by which autograd may differ from differences in float64 before that is said."""
RISEN = 1e4
"""The search for the best of these differences ends where they change so many times the least."""
DEPTH = 4
"""How deep functions that close over functions are followed."""


def as_points(points: Any) -> Float[np.ndarray, "n d"]:
    """Points from a torch tensor, an array or nested lists, in float64.

    Raises:
        InputError: not numbers, not of shape (n, d), or not finite.
    """
    if isinstance(points, str):
        raise InputError(
            f"points: {points[:40]!r} is no array of numbers; the order is advise(module, equation, points)"
        )
    if hasattr(points, "detach"):
        points = points.detach().cpu().double().numpy()
    try:
        made = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"points: {type(points).__name__} is no array of numbers of shape (n, d)") from None
    if made.ndim != 2 or not made.size:
        hint = "; of one coordinate give points[:, None]" if made.ndim == 1 and made.size else ""
        raise InputError(f"points: shape {made.shape}; allowed: (n, d), n at least 1{hint}")
    if not np.isfinite(made).all():
        raise InputError("points: a coordinate is not finite")
    return made


@dataclass(frozen=True)
class Subject:
    """What is differenced.

    Attributes:
        given: the module or function.
        columns: whether it takes one argument per coordinate, each (n, 1), not one tensor (n, d).
        numpy: whether it takes NumPy arrays.
        own: the arithmetic of its parameters, such as ``bfloat16``; None without parameters.
        names: what its columns of values are called.
    """

    given: Any
    columns: bool
    numpy: bool
    own: str | None
    names: tuple[str, ...] = ("u",)

    def field(self, arithmetic: str) -> Callable[[Any], Any]:
        """The function in an arithmetic, from a tensor of points ``[n, d]`` to one of values ``[n, k]``, one column a name.

        Raises:
            InputError: when called: it fails, or its values are not real, one a point, or of this arithmetic.
        """
        import torch

        kind = getattr(torch, arithmetic)
        call = self.given if self.numpy else cast(self.given, kind)

        def u(x: torch.Tensor) -> torch.Tensor:
            return _values(_called(call, x, self.columns, self.numpy), x, kind, self.names)

        modules = [] if self.numpy else [m for m in _held(call) if isinstance(m, torch.nn.Module)]
        u.parameters = [p for module in modules for p in module.parameters()]  # type: ignore[attr-defined]
        return u

    def rounded(self, arithmetic: str) -> Subject:
        """The same with what it holds rounded to an arithmetic, which it has in the arithmetic itself."""
        import torch

        return self if self.numpy else replace(self, given=cast(self.given, getattr(torch, arithmetic)))


def column(u: Callable[[Any], Any], k: int) -> Callable[[Any], Any]:
    """One column of a function of :meth:`Subject.field`, as values ``[n]``."""
    return lambda x: u(x)[:, k]


def subject(given: Any, x: Float[np.ndarray, "n d"], names: tuple[str, ...] = ("u",)) -> Subject:
    """How a module or function is called, found by trying; ``names`` are those of its columns.

    Raises:
        InputError: it is not callable, or fails on the points in every way.
    """
    import torch

    if not callable(given):
        raise InputError(f"module: {type(given).__name__} cannot be called; allowed: a torch module or a function")
    if isinstance(given, type):
        raise InputError(f"module: {given.__name__} is a class; give an object of it, {given.__name__}(…)")
    several = _arguments(given) > 1
    own = _own(given)
    first = torch.as_tensor(x[:2], dtype=getattr(torch, own or "float64")).requires_grad_(True)
    ways = [(several, False), (several, True)] if several or x.shape[1] == 1 else [
        (False, False), (True, False), (False, True), (True, True),
    ]  # fmt: skip
    if isinstance(given, torch.nn.Module):
        ways = [way for way in ways if not way[1]]
    reason: Exception | None = None
    for columns, numpy in ways:
        call = given if numpy else cast(given, first.dtype)
        try:
            value = _called(call, first, columns, numpy)
        except Exception as error:  # whatever the user's code raises
            reason = reason or error
            continue
        if isinstance(value, torch.Tensor) or numpy or (isinstance(value, list | tuple) and len(names) > 1):
            return Subject(given, columns, numpy, own, names)
    told = " ".join(str(reason).split())[:160] if reason is not None else "returns no tensor"
    name = type(reason).__name__ if reason is not None else "module"
    width = f"; does it take the {x.shape[1]} column(s) of the points?" if "shape" in told else ""
    raise InputError(f"module: fails on points of shape {tuple(x.shape)}: {name}: {told}{width}")


def _arguments(given: Any) -> int:
    """How many arguments it must be given by position."""
    try:
        parameters = inspect.signature(getattr(given, "forward", given)).parameters.values()
    except (TypeError, ValueError):
        return 1
    must = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in must and p.default is inspect.Parameter.empty for p in parameters)


def _own(given: Any) -> str | None:
    import torch

    modules = [m for m in _held(given) if isinstance(m, torch.nn.Module)]
    for module in modules:
        for parameter in module.parameters():
            if parameter.is_floating_point():
                return str(parameter.dtype).removeprefix("torch.")
    return None


def _held(given: Any) -> list[Any]:
    """The object, its owner, and what a function closes over or names."""
    if not isinstance(given, types.FunctionType | types.MethodType):
        return [given]
    if isinstance(given, types.MethodType):
        return [given.__self__]
    try:
        held = inspect.getclosurevars(given)
    except (TypeError, ValueError):
        return []
    return [*held.nonlocals.values(), *held.globals.values()]


def _called(call: Any, x: Any, columns: bool, numpy: bool) -> Any:
    if not numpy:
        return call(*x.split(1, dim=1)) if columns else call(x)
    points = x.detach().numpy()
    return call(*np.split(points, points.shape[1], axis=1)) if columns else call(points)


def _values(value: Any, x: torch.Tensor, kind: torch.dtype, names: tuple[str, ...]) -> torch.Tensor:
    import torch

    if isinstance(value, list | tuple) and len(names) > 1:
        if len(value) != len(names):
            raise InputError(f"module: returns {len(value)} values for the {len(names)} unknowns {', '.join(names)}")
        parts = [_values(one, x, kind, (name,)) for one, name in zip(value, names, strict=True)]
        return torch.cat(parts, dim=1)
    if not isinstance(value, torch.Tensor):
        made = np.array(value)
        if made.dtype.kind not in "fc":
            raise InputError(f"module: returns {type(value).__name__}; allowed: a tensor or an array of floats")
        value = torch.from_numpy(made)
    if value.is_complex():
        raise InputError("module: returns complex values; allowed: real ones, so take .real or two unknowns")
    if value.shape == (len(x),):
        value = value[:, None]
    if value.shape != (len(x), len(names)):
        wanted = "(n,) or (n, 1)" if len(names) == 1 else f"(n, {len(names)}), a column for each of {', '.join(names)}"
        more = value.ndim == 2 and value.shape[0] == len(x) and len(names) == 1
        hint = '; several unknowns are named, unknowns = ["u", "v"]' if more else ", row by row"
        raise InputError(f"module: returns {tuple(value.shape)} for {len(x)} points; allowed: {wanted}{hint}")
    found: torch.Tensor = value
    if found.dtype != kind:
        kinds = [str(k).removeprefix("torch.") for k in (found.dtype, kind)]
        hint = "it casts inside (for JAX: enable jax_enable_x64)"
        raise InputError(f"module: returns {kinds[0]} for {kinds[1]} points; {hint}, so that its error cannot be told")
    return found


def cast(given: Any, kind: torch.dtype) -> Any:
    """A copy on the CPU in evaluation mode in which all that floats is of one arithmetic; ``given`` stays as it is.

    Raises:
        InputError: a module that cannot be copied.
    """
    return _cast(given, kind, DEPTH)


def _cast(given: Any, kind: torch.dtype, depth: int) -> Any:
    import torch

    if isinstance(given, torch.Tensor):
        return _tensor(given, kind)
    if isinstance(given, torch.nn.Module):
        return _module(given, kind)
    if not depth:
        return given
    if isinstance(given, types.MethodType):
        return types.MethodType(given.__func__, _cast(given.__self__, kind, depth - 1))
    if not isinstance(given, types.FunctionType):
        return given
    held = {name: given.__globals__[name] for name in given.__code__.co_names if name in given.__globals__}
    changed = {name: _cast(one, kind, depth - 1) for name, one in held.items() if _floats(one)}
    cells = [
        types.CellType(_cast(cell.cell_contents, kind, depth - 1)) if _floats(cell.cell_contents) else cell
        for cell in given.__closure__ or ()
    ]
    if not changed and not cells:
        return given
    made = types.FunctionType(
        given.__code__, {**given.__globals__, **changed}, given.__name__, given.__defaults__, tuple(cells)
    )
    made.__kwdefaults__ = given.__kwdefaults__
    return made


def _floats(one: Any) -> bool:
    """Whether it is the user's and holds numbers: a tensor, a module, or a function that may close over some."""
    import torch

    if isinstance(one, types.FunctionType | types.MethodType):
        return (one.__module__ or "").partition(".")[0] not in {"torch", "numpy", "jax"}
    return isinstance(one, torch.Tensor | torch.nn.Module)


def _tensor(given: torch.Tensor, kind: torch.dtype) -> torch.Tensor:
    import torch

    wide = {torch.float64: torch.complex128, torch.float32: torch.complex64}
    if given.is_complex():
        return given.detach().to("cpu", wide.get(kind, torch.complex64))
    return given.detach().to("cpu", kind) if given.is_floating_point() else given.detach().cpu()


def _module(given: torch.nn.Module, kind: torch.dtype) -> torch.nn.Module:
    """Attributes that carry a graph cannot be copied by ``deepcopy``: they are detached first."""
    import torch

    memo: dict[int, Any] = {}
    for part in given.modules():
        for one in vars(part).values():
            if isinstance(one, torch.Tensor) and not one.is_leaf:
                memo[id(one)] = one.detach().clone()
    try:
        made = copy.deepcopy(given, memo).eval()
    except Exception as error:  # whatever a user's attribute raises
        told = " ".join(str(error).split())[:160]
        raise InputError(f"module: cannot be copied: {type(error).__name__}: {told}") from None
    for part in made.modules():
        for name, one in part._parameters.items():
            if one is not None:
                part._parameters[name] = torch.nn.Parameter(_tensor(one, kind), one.requires_grad)
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = _tensor(buffer, kind)
        for name, held in list(vars(part).items()):
            if isinstance(held, torch.Tensor):
                setattr(part, name, _tensor(held, kind))
            elif isinstance(held, list | tuple) and any(isinstance(one, torch.Tensor) for one in held):
                setattr(part, name, type(held)(_tensor(o, kind) if isinstance(o, torch.Tensor) else o for o in held))
    return made


def derivative(u: Callable[[Any], Any], x: Any, alpha: MultiIndex) -> Values:
    """∂^α u by nested autograd, in float64."""
    import torch

    from numerics.networks.networks import derivative_by_autograd

    found = derivative_by_autograd(u, x, alpha).detach().double()
    made: Values = (torch.zeros(found.shape, dtype=torch.float64) + found).numpy()  # autograd's zeros have no memory
    return made


def extrapolated(u: Callable[[Any], Any], x: Any, alpha: MultiIndex, extents: Sequence[float]) -> tuple[Values, float]:
    """The difference of order 8 at the step where it changes least when that is halved, and by how much it does."""
    import torch

    axes = [stencils.central(m, REFERENCE_ORDER) if m else stencils.stencil(0, [0]) for m in alpha]
    made = axes[0] if len(axes) == 1 else stencils.tensor(*axes)
    nodes = torch.tensor([[float(s) for s in node] for node in made.nodes], dtype=x.dtype)
    found = []
    with torch.no_grad():
        for k in range(3, 30):
            steps = torch.tensor([extent * 2.0**-k for extent in extents], dtype=x.dtype)
            total = sum(float(w) * u(x + node * steps) for w, node in zip(made.weights, nodes, strict=True) if w)
            scale = float(np.prod([float(h) ** m for h, m in zip(steps, alpha, strict=True)]))
            found.append((total / scale).numpy())
            gaps = [rms(b - a) if np.isfinite(b).all() and np.isfinite(a).all() else np.inf for a, b in pairwise(found)]
            if gaps and gaps[-1] > RISEN * min(gaps):
                break
    best = int(np.argmin(gaps))
    return found[best], float(gaps[best])
