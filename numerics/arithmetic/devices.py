"""Where and in which arithmetic a run happens: device, dtype, threads, TF32."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from theory.base.errors import InputError

DEVICES = ("auto", "cpu", "cuda")
DTYPES = {"float32": torch.float32, "float64": torch.float64}


def resolve_device(name: str = "auto") -> torch.device:
    """The device that ``name`` asks for; ``auto`` takes what ``ADFD_DEVICE`` says, else CUDA where there is one.

    Raises:
        InputError: an unknown name, or ``cuda`` where there is none.

    >>> resolve_device("cpu").type
    'cpu'
    """
    if name == "auto":
        name = os.environ.get("ADFD_DEVICE", "auto")  # worker processes inherit it: "adfd verify --device" sets it
    if name not in DEVICES:
        raise InputError(f"device: {name!r}; allowed: {', '.join(DEVICES)}")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("device: 'cuda', but torch sees no CUDA device here; allowed: auto, cpu")
    return torch.device(name)


def resolve_dtype(name: str | torch.dtype) -> torch.dtype:
    """``torch.float32`` or ``torch.float64`` from its name (or itself).

    Raises:
        InputError: any other dtype.

    >>> resolve_dtype("float32")
    torch.float32
    """
    if isinstance(name, torch.dtype) and name in DTYPES.values():
        return name
    if name not in DTYPES:
        raise InputError(f"dtype: {name!r}; allowed: {', '.join(DTYPES)}")
    return DTYPES[str(name)]


def dtype_name(dtype: torch.dtype) -> str:
    """``'float32'`` or ``'float64'``."""
    return str(dtype).removeprefix("torch.")


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Run the body with ``count`` torch threads (``None``: leave as it is) and restore the number afterwards.

    The number is a setting of the whole process: ensembles set it for the time of a run alone.
    """
    if count is None:
        yield
        return
    if count < 1:
        raise InputError(f"threads: {count}; at least 1")
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def tensor_float_32(allowed: bool = False) -> Iterator[None]:
    """Run the body with TF32 matrix products on CUDA ``allowed`` or not, and restore the setting afterwards.

    TF32 keeps 10 bits of mantissa: a float32 run with it measures another arithmetic, so it
    is off unless asked.
    """
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
