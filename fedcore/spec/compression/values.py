"""Codecs that decide how many bits an entry gets."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from fedcore.spec.base import BASIC
from fedcore.spec.compression.base import FLOAT_BYTES, ValueCodecSpec, packed_bytes


class CastSpec(ValueCodecSpec):
    """Send 16-bit floating-point numbers.

    float16 has the finer steps and ends at 65504; bfloat16 has the range of float32. With float32
    nothing changes, to the last bit.
    """

    title: ClassVar[str] = "Half precision"
    synonyms: ClassVar[tuple[str, ...]] = (
        "fp16", "bf16", "float16", "bfloat16", "half", "half precision", "halbe Genauigkeit",
        "demi-précision", "media precisión", "半精度",
    )  # fmt: skip
    fits_weights: ClassVar[bool] = True

    kind: Literal["cast"] = "cast"
    dtype: Literal["float16", "bfloat16", "float32"] = Field(
        "float16", description="Type of the numbers on the wire.", json_schema_extra=BASIC
    )

    @property
    def is_exact(self) -> bool:
        """Whether nothing is cast."""
        return self.dtype == "float32"

    def value_bytes(self, count: int) -> int:
        """Return two bytes per entry, four for float32."""
        return count * (4 if self.dtype == "float32" else 2)


class QuantizeSpec(ValueCodecSpec):
    """Send whole numbers of few bits with one scale per tensor.

    ``absmax`` spreads the codes over the largest absolute value; ``adaptive`` over the range from
    the smallest to the largest, around the mean; ``fixed`` has one step for all tensors and rounds:
    a change of less than half a step is lost, so training may stand still.
    """

    title: ClassVar[str] = "Quantisation"
    paper: ClassVar[str | None] = "Mawela et al., IEEE IoT-J 2025, arXiv:2408.13010"
    synonyms: ClassVar[tuple[str, ...]] = (
        "int8", "int4", "int16", "quantization", "low-bit", "quantised", "quantized", "quantise",
        "quantize", "quantisation", "Quantisierung", "quantisiere", "quantisiert",
        "quantification", "quantifier", "quantifie", "cuantización", "cuantiza", "cuantizar",
        "量化",
    )  # fmt: skip
    constraints: ClassVar[tuple[str, ...]] = ("mode fixed loses changes below half of step",)
    fits_weights: ClassVar[bool] = True

    kind: Literal["quantize"] = "quantize"
    bits: int = Field(8, ge=2, le=16, description="Bits per entry.", json_schema_extra=BASIC)
    mode: Literal["absmax", "adaptive", "fixed"] = Field(
        "absmax", description="How the codes are spread over the values."
    )
    step: float = Field(0.1, gt=0, le=1e6, description="Distance of two codes in mode fixed.")
    rounding: Literal["nearest", "stochastic"] = Field(
        "nearest", description="Round to the nearest code, or up and down at random."
    )
    error_feedback: bool = Field(
        default=False, description="Keep the rounding error on the client for its next round."
    )

    @property
    def is_unbiased(self) -> bool:
        """Whether rounding is stochastic."""
        return self.rounding == "stochastic"

    @property
    def has_memory(self) -> bool:
        """Whether rounding errors are kept."""
        return self.error_feedback

    def value_bytes(self, count: int) -> int:
        """Return the packed codes and the scale; step, zero and mean in mode adaptive."""
        if count == 0:
            return 0
        numbers = {"absmax": 1, "adaptive": 3, "fixed": 0}[self.mode]
        return packed_bytes(count, self.bits) + numbers * FLOAT_BYTES


class QsgdSpec(ValueCodecSpec):
    """Random rounding to a few levels of each bucket's norm, right on average."""

    title: ClassVar[str] = "QSGD"
    paper: ClassVar[str | None] = "Alistarh et al., NeurIPS 2017, arXiv:1610.02132"
    synonyms: ClassVar[tuple[str, ...]] = ("stochastic quantisation", "random quantization")
    fits_weights: ClassVar[bool] = True

    kind: Literal["qsgd"] = "qsgd"
    levels: int = Field(
        127, ge=1, le=32_767, description="Levels above zero.", json_schema_extra=BASIC
    )
    bucket: int | None = Field(
        512, ge=1, le=2**31, description="Entries that share a norm; empty is the whole tensor."
    )

    @property
    def is_unbiased(self) -> bool:
        """True."""
        return True

    @property
    def bits(self) -> int:
        """Bits of a code: a sign, and a level from 0 to ``levels``."""
        return 1 + self.levels.bit_length()

    def value_bytes(self, count: int) -> int:
        """Return one norm per bucket and the packed codes."""
        buckets = -(-count // (self.bucket or max(count, 1)))
        return buckets * FLOAT_BYTES + packed_bytes(count, self.bits)


class SignSpec(ValueCodecSpec):
    """One bit per entry: the sign, times the tensor's mean absolute value."""

    title: ClassVar[str] = "Sign"
    paper: ClassVar[str | None] = "Karimireddy et al., ICML 2019, arXiv:1901.09847"
    synonyms: ClassVar[tuple[str, ...]] = (
        "signsgd", "1-bit", "one bit", "binary", "sign compression", "sign sgd", "Vorzeichen",
        "signe", "signo", "符号压缩",
    )  # fmt: skip

    kind: Literal["sign"] = "sign"
    error_feedback: bool = Field(
        default=True,
        description="Keep what the signs left out for the next round; without it, it may diverge.",
    )

    @property
    def has_memory(self) -> bool:
        """Whether errors are kept."""
        return self.error_feedback

    def value_bytes(self, count: int) -> int:
        """Return one bit per entry and the mean."""
        return packed_bytes(count, 1) + FLOAT_BYTES if count else 0


class TernarySpec(ValueCodecSpec):
    """Minus one, zero or one at random, times the tensor's largest value: five entries a byte."""

    title: ClassVar[str] = "Ternary"
    paper: ClassVar[str | None] = "Wen et al., NeurIPS 2017, arXiv:1705.07878"
    synonyms: ClassVar[tuple[str, ...]] = (
        "terngrad", "ternary gradients", "three levels", "ternär", "ternaire", "ternario", "三值",
    )  # fmt: skip

    kind: Literal["ternary"] = "ternary"
    clip_std: float | None = Field(
        2.5,
        gt=0,
        le=1e6,
        description="Clip entries at so many standard deviations; empty keeps them all.",
    )

    @property
    def is_unbiased(self) -> bool:
        """True, of the clipped values."""
        return True

    def value_bytes(self, count: int) -> int:
        """Return a fifth of a byte per entry and the largest value."""
        return -(-count // 5) + FLOAT_BYTES if count else 0
