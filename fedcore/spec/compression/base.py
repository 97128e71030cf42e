"""What every codec says of itself, and the sizes of the forms that numbers and places travel in."""

from __future__ import annotations

from typing import ClassVar, Literal

from fedcore.spec.base import Choice

FLOAT_BYTES = 4
#: Tensors up to this size have indices of two bytes.
SHORT_INDEX_SIZE = 65_536
_SHORT_INDEX_BYTES = 2
_LONG_INDEX_BYTES = 4
_BITS = 8

Shape = tuple[int, ...]


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
