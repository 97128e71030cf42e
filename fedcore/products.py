"""Large dense products by the library that uses this processor's widest registers.

torch multiplies float32 matrices on the CPU with MKL, which uses the 512-bit registers of Intel's
processors alone. oneDNN, which torch has for its convolutions, uses them on every processor: on an
AMD EPYC, one thread, it took half the time for a thousand rows and 0.6 of it for 32 (layer 784 to
200). It rounds differently, so which of the two computes a product follows from the processor and
from the product's shape, never from a measurement, an executor or a number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

#: Calling oneDNN costs some 10 microseconds more; with so many multiplications it pays.
MIN_MULTIPLICATIONS = 2_000_000
#: With fewer rows MKL is about as fast.
MIN_ROWS = 16
#: Longer sums may be cut between threads, and then their last bits depend on how many there are.
MAX_INNER = 1 << 14

_CPUINFO = Path("/proc/cpuinfo")


@cache
def is_offered() -> bool:
    """Return whether oneDNN has wider registers than MKL on this processor."""
    return (
        torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
        and torch.backends.cpu.get_cpu_capability() == "AVX512"
        and _CPUINFO.is_file()
        and "GenuineIntel" not in _CPUINFO.read_text(encoding="utf-8", errors="replace")
    )


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``x @ weight.T + bias``, as ``torch.nn.functional.linear`` does, with derivatives.

    Args:
        x: Shape (..., inputs).
        weight: Shape (outputs, inputs).
        bias: Shape (outputs,).
    """
    if not (is_offered() and _gains(x, weight, bias)):
        return functional.linear(x, weight, bias)
    if torch.is_grad_enabled():
        result: Tensor = _Linear.apply(x, weight, bias)  # type: ignore[no-untyped-call]
        return result
    return _product(x, weight, bias)


def wide_products() -> AbstractContextManager[Any]:
    """Return a context in which torch's own dense layers are computed by ``linear``."""
    return _WideProducts() if is_offered() else nullcontext()


class _WideProducts(TorchFunctionMode):
    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        # Within this method the mode is off, so that ``linear`` may call what it replaces.
        if func is functional.linear:
            func = linear
        return func(*args, **(kwargs or {}))


def _gains(x: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
    """Return whether oneDNN can compute a product, and is worth its call."""
    if x.dim() < 2 or weight.dim() != 2:  # noqa: PLR2004  (a matrix)
        return False
    inner = weight.shape[1]
    rows = x.numel() // max(inner, 1)
    return (
        rows >= MIN_ROWS
        and rows * weight.numel() >= MIN_MULTIPLICATIONS
        and inner <= MAX_INNER
        and all(map(_is_plain, (x, weight) if bias is None else (x, weight, bias)))
        and not torch.is_autocast_enabled("cpu")
    )


def _is_plain(tensor: Tensor) -> bool:
    """Return whether a tensor is nothing but float32 numbers in this machine's memory."""
    return (
        tensor.dtype == torch.float32
        and tensor.device.type == "cpu"
        and tensor.layout == torch.strided
        and not torch._C._functorch.is_functorch_wrapped_tensor(tensor)  # noqa: SLF001
    )


def _product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    result: Tensor = torch.ops.mkldnn._linear_pointwise(  # noqa: SLF001
        x, weight, bias, "none", [], ""
    )
    return result


class _Linear(torch.autograd.Function):
    """The product with its derivatives, which are products themselves."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        (grad,) = grads
        x, weight = ctx.saved_tensors
        by_x, by_weight, by_bias = ctx.needs_input_grad
        rows = grad.flatten(0, -2)
        return (
            linear(grad, weight.t()) if by_x else None,
            linear(rows.t(), x.flatten(0, -2).t()) if by_weight else None,
            rows.sum(0) if by_bias else None,
        )
