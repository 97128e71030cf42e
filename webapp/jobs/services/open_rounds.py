"""What is known of a round whose parts are with workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from uuid import UUID

from webapp.jobs.chunk_models import Chunk, ChunkState


@dataclass(frozen=True, slots=True)
class Part:
    """Lanes of a round that one worker is to train."""

    first_lane: int
    end_lane: int
    num_clients: int


@dataclass(frozen=True, slots=True)
class PartResult:
    """A part of an open round, and where its result is; without a key it has none yet."""

    part: Part
    chunk_id: UUID | None = None
    key: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class MeasuredPace:
    """How fast the parts of a round were done, and by how many workers."""

    seconds_per_client: float | None
    num_workers: int


@dataclass(frozen=True, slots=True)
class OpenRound:
    """What is known of a round that was shared out."""

    opened_at: datetime
    parts: tuple[PartResult, ...]
    num_updates: int
    pace: MeasuredPace
    #: All files that its parts have left in storage.
    keys: tuple[str, ...]

    def is_complete(self) -> bool:
        return all(result.key for result in self.parts)

    def is_over(self, limit_s: float | None, min_updates: int, now: datetime) -> bool:
        """Return whether the round can be closed: all is there, or enough at its limit."""
        if self.is_complete() or limit_s is None:
            return self.is_complete()
        is_late = now >= self.opened_at + timedelta(seconds=limit_s)
        return is_late and self.num_updates >= min_updates


def find_open_round(run_id: UUID, round_index: int) -> OpenRound | None:
    """Return the parts of a round in their order; None if it was never opened."""
    chunks = list(Chunk.objects.of_round(run_id, round_index).order_by("index", "attempt"))
    return open_round_of(chunks) if chunks else None


def open_round_of(chunks: Sequence[Chunk]) -> OpenRound:
    """Return what is known of a round, of which there are all attempts at its parts, in order."""
    best: dict[int, Chunk] = {}
    for chunk in chunks:
        if chunk.index not in best or chunk.state == ChunkState.DONE:
            best[chunk.index] = chunk
    done = [chunk for chunk in chunks if chunk.state == ChunkState.DONE]
    return OpenRound(
        opened_at=min(chunk.opened_at for chunk in chunks),
        parts=tuple(_result(best[index]) for index in sorted(best)),
        num_updates=sum(chunk.num_updates for chunk in done),
        pace=_pace(done),
        keys=tuple(chunk.key for chunk in chunks if chunk.key),
    )


def _pace(done: Sequence[Chunk]) -> MeasuredPace:
    if not done:
        return MeasuredPace(None, 1)
    per_client = fmean(chunk.seconds / max(chunk.num_clients, 1) for chunk in done)
    return MeasuredPace(per_client, len({chunk.lease_holder for chunk in done}))


def _result(chunk: Chunk) -> PartResult:
    part = Part(chunk.first_lane, chunk.end_lane, chunk.num_clients)
    if chunk.state != ChunkState.DONE:
        return PartResult(part)
    return PartResult(part, chunk.pk, chunk.key, chunk.sha256)
