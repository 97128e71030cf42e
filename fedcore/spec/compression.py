"""Codecs: how messages are made smaller, and how many bytes each of them takes.

A chain has at most two links: one that chooses *which* entries travel (a support: topk, randk,
dgc), then one that decides *how many bits* an entry gets (cast, quantize, qsgd, sign, ternary).
Sizes follow from shapes and the round alone, never from the values, so that both ends and the
estimate know them beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from fedcore.spec.base import BASIC, Choice, Spec

FLOAT_BYTES = 4
#: Tensors up to this size have indices of two bytes.
SHORT_INDEX_SIZE = 65_536
_SHORT_INDEX_BYTES = 2
_LONG_INDEX_BYTES = 4
_BITS = 8

Shape = tuple[int, ...]
Ratio = Annotated[float, Field(gt=0, le=1, json_schema_extra=BASIC)]


def packed_bytes(count: int, bits: int) -> int:
    """Return the bytes of ``count`` codes of ``bits`` bits, without gaps between them."""
    return -(-count * bits // _BITS)


def index_format(size: int, kept: int) -> Literal["dense", "bitmap", "indices"]:
    """Return how the places of ``kept`` out of ``size`` entries are written: the shortest way."""
    if kept == size:
        return "dense"
    if packed_bytes(size, 1) <= kept * index_width(size):
        return "bitmap"
    return "indices"


def index_width(size: int) -> int:
    """Return the bytes of one index into a tensor of ``size`` entries."""
    return _SHORT_INDEX_BYTES if size <= SHORT_INDEX_SIZE else _LONG_INDEX_BYTES


class CodecSpec(Choice):
    """One link of a compression chain."""

    section: ClassVar[str] = "compression"
    #: Whether the link chooses entries, rather than the bits of an entry.
    is_support: ClassVar[bool] = False
    #: Whether the entries that travel depend on the values, and so tell something about them.
    support_depends_on_data: ClassVar[bool] = False
    #: Whether a message may be decoded as a model, not only as a change of one.
    fits_weights: ClassVar[bool] = False
    #: Bytes per message, beside those of its tensors.
    message_bytes: ClassVar[int] = 0

    @property
    def is_unbiased(self) -> bool:
        """Whether the decoded value is right on average; such codecs may lengthen an update."""
        return False

    @property
    def has_memory(self) -> bool:
        """Whether a client keeps what a message left out and adds it to its next one."""
        return False


class ValueCodecSpec(CodecSpec):
    """A link that decides how many bits an entry gets."""

    @property
    def is_exact(self) -> bool:
        """Whether entries arrive bit by bit."""
        return False

    def value_bytes(self, count: int) -> int:
        """Return the bytes of ``count`` entries of one tensor."""
        raise NotImplementedError


class SupportCodecSpec(CodecSpec):
    """A link that chooses the entries that travel."""

    is_support: ClassVar[bool] = True

    def num_kept(self, shape: Shape, round_index: int) -> int:
        """Return how many entries of a tensor of this shape travel in a round."""
        raise NotImplementedError

    def place_bytes(self, size: int, kept: int) -> int:
        """Return the bytes that tell where ``kept`` out of ``size`` entries belong."""
        form = index_format(size, kept)
        if form == "dense":
            return 0
        return packed_bytes(size, 1) if form == "bitmap" else kept * index_width(size)

    @property
    def is_global(self) -> bool:
        """Whether entries of all tensors compete with each other."""
        return False


class CastSpec(ValueCodecSpec):
    """Send 16-bit floating-point numbers.

    float16 has the finer steps and ends at 65504; bfloat16 has the range of float32. With float32
    nothing changes, to the last bit.
    """

    title: ClassVar[str] = "Half precision"
    synonyms: ClassVar[tuple[str, ...]] = ("fp16", "bf16", "float16", "bfloat16", "half")
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
    synonyms: ClassVar[tuple[str, ...]] = ("int8", "int4", "int16", "quantization", "low-bit")
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
    synonyms: ClassVar[tuple[str, ...]] = ("signsgd", "1-bit", "one bit", "binary")

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
    synonyms: ClassVar[tuple[str, ...]] = ("terngrad", "ternary gradients", "three levels")

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


class TopkSpec(SupportCodecSpec):
    """Send the largest entries only, and keep the rest for the next round."""

    title: ClassVar[str] = "Top-k"
    paper: ClassVar[str | None] = "Stich et al., NeurIPS 2018, arXiv:1809.07599"
    synonyms: ClassVar[tuple[str, ...]] = ("sparsification", "top k", "largest entries", "sparse")
    support_depends_on_data: ClassVar[bool] = True

    kind: Literal["topk"] = "topk"
    ratio: Ratio = Field(0.01, description="Share of the entries that travel.")
    error_feedback: bool = Field(
        default=True, description="Keep what was left out on the client for its next round."
    )
    scope: Literal["tensor", "model"] = Field(
        "tensor", description="Choose within each tensor, or among all entries of the model."
    )

    @property
    def has_memory(self) -> bool:
        """Whether left-out entries are kept."""
        return self.error_feedback

    @property
    def is_global(self) -> bool:
        """Whether entries of all tensors compete."""
        return self.scope == "model"

    def num_kept(self, shape: Shape, round_index: int) -> int:  # noqa: ARG002
        """Return the share of the entries, at least one."""
        return share_of(math.prod(shape), self.ratio)


class RandkSpec(SupportCodecSpec):
    """Send random entries only, chosen by a seed, so that their places need no bytes.

    Without error feedback the entries are scaled up, so that the update is right on average; with
    it they are not, because both together diverge.
    """

    title: ClassVar[str] = "Random-k"
    paper: ClassVar[str | None] = "Stich et al., NeurIPS 2018, arXiv:1809.07599"
    synonyms: ClassVar[tuple[str, ...]] = ("random sparsification", "rand-k", "random mask")
    message_bytes: ClassVar[int] = 8

    kind: Literal["randk"] = "randk"
    ratio: Ratio = Field(0.1, description="Share of the entries that travel.")
    error_feedback: bool = Field(
        default=False, description="Keep what was left out on the client, and do not scale up."
    )
    shared: bool = Field(
        default=True, description="All clients of a round send the same entries, not each its own."
    )

    @property
    def is_unbiased(self) -> bool:
        """Whether entries are scaled up."""
        return not self.error_feedback

    @property
    def has_memory(self) -> bool:
        """Whether left-out entries are kept."""
        return self.error_feedback

    def num_kept(self, shape: Shape, round_index: int) -> int:  # noqa: ARG002
        """Return the share of the entries, at least one."""
        return share_of(math.prod(shape), self.ratio)

    def place_bytes(self, size: int, kept: int) -> int:  # noqa: ARG002
        """Return 0: both sides draw the places from the seed in the message."""
        return 0


class DgcSpec(SupportCodecSpec):
    """Deep Gradient Compression: top-k of accumulated updates, with momentum on the client.

    Vectors, such as biases, are sent whole. The share falls to ``ratio`` over the warm-up.
    """

    title: ClassVar[str] = "Deep Gradient Compression"
    paper: ClassVar[str | None] = "Lin et al., ICLR 2018, arXiv:1712.01887"
    synonyms: ClassVar[tuple[str, ...]] = ("dgc", "momentum correction")
    constraints: ClassVar[tuple[str, ...]] = ("upload only", "no momentum on the server")
    support_depends_on_data: ClassVar[bool] = True

    kind: Literal["dgc"] = "dgc"
    ratio: Ratio = Field(0.001, description="Share of the entries that travel after the warm-up.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of the accumulated updates.")
    nesterov: bool = Field(default=False, description="Look ahead, as Nesterov's momentum does.")
    factor_masking: bool = Field(
        default=True, description="Forget the momentum of entries that have been sent."
    )
    warmup_rounds: int = Field(
        4, ge=0, le=10_000, description="Rounds over which the share falls to ratio."
    )
    clip_norm: float | None = Field(
        None,
        gt=0,
        le=1e9,
        description="Longest update of a whole cohort, before it is accumulated; empty is any.",
    )

    @property
    def has_memory(self) -> bool:
        """True."""
        return True

    def ratio_in(self, round_index: int) -> float:
        """Return the share of a round: it falls in equal factors during the warm-up."""
        exponent = min(1.0, (round_index + 1) / (self.warmup_rounds + 1))
        return float(max(self.ratio**exponent, self.ratio))

    def num_kept(self, shape: Shape, round_index: int) -> int:
        """Return the share of the entries, rounded up; all of a vector."""
        size = math.prod(shape)
        if len(shape) <= 1:
            return size
        return min(size, max(1, math.ceil(size * self.ratio_in(round_index) - 1e-9)))


class CompressionSpec(Spec):
    """How messages are made smaller; an empty chain sends 32-bit numbers as they are."""

    uplink: tuple[CodecSpec, ...] = Field(
        (),
        max_length=2,
        description="Chain for what clients send: choose entries, then their bits.",
        json_schema_extra=BASIC,
    )
    downlink: tuple[CodecSpec, ...] = Field(
        (), max_length=2, description="Chain for the model that the server sends."
    )

    @property
    def vectors_per_client(self) -> int:
        """Vectors as long as the model that each client keeps from its first update on."""
        if any(isinstance(link, DgcSpec) for link in self.uplink):
            return 2
        return int(any(link.has_memory for link in self.uplink))


def share_of(size: int, ratio: float) -> int:
    """Return a share of ``size`` entries, to the nearest and at least one of any."""
    return min(size, max(1, math.floor(size * ratio + 0.5)))


def chain_bytes(chain: Sequence[CodecSpec], shapes: Iterable[Shape], round_index: int = 0) -> int:
    """Return the bytes that one message's tensors of these shapes take under a chain."""
    support = next((link for link in chain if isinstance(link, SupportCodecSpec)), None)
    values = next((link for link in chain if isinstance(link, ValueCodecSpec)), None)
    if support is not None and support.is_global:
        shapes = [(sum(math.prod(shape) for shape in shapes),)]
    total = sum(link.message_bytes for link in chain)
    for shape in shapes:
        size = math.prod(shape)
        kept = size if support is None else support.num_kept(shape, round_index)
        total += 0 if support is None else support.place_bytes(size, kept)
        total += kept * FLOAT_BYTES if values is None else values.value_bytes(kept)
    return total
