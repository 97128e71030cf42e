"""The engines that this process keeps warm between its turns with a run."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from uuid import UUID

import structlog

from fedcore.data.sites import Holding
from fedcore.engine import Engine, ShouldStop
from fedcore.errors import CheckpointError
from fedcore.spec import RunSpec
from webapp.artifacts.services import read_state, restore_folder
from webapp.jobs.services import ChunkLease, Lease

log = structlog.get_logger(__name__)


class EngineCache:
    """The engines of the last few runs, each usable while the database agrees with it."""

    def __init__(self, capacity: int = 2) -> None:
        """Keep at most ``capacity`` engines: each holds a model and its data set."""
        self._capacity = capacity
        self._engines: OrderedDict[UUID, Engine] = OrderedDict()
        self._lock = Lock()

    def open(self, lease: Lease, should_stop: ShouldStop) -> Engine:
        """Return an engine that can go on with this run: warm, from its checkpoint, or new.

        An engine may be behind what is recorded: it repeats those rounds, to the same numbers,
        and recording a round twice changes nothing. One that is ahead has trained a round that
        was never recorded, and is of no use.

        Raises:
            Interrupted: If ``should_stop`` said so while data were prepared.
        """
        with self._lock:
            engine = self._engines.pop(lease.run_id, None)
        saved = lease.checkpoint.round_index if lease.checkpoint else 0
        if engine is not None and saved <= engine.round_index <= lease.rounds_done:
            log.info("engine reused", round_index=engine.round_index)
        else:
            if engine is not None:
                engine.close()
            engine = _load(lease, should_stop)
        self._keep(lease.run_id, engine)
        return engine

    def open_at(
        self,
        lease: Lease | ChunkLease,
        should_stop: ShouldStop,
        holdings: Sequence[Holding] | None = None,
    ) -> Engine:
        """Return an engine that is exactly where the lease says, for a round in parts.

        Such a run has a checkpoint after every round, so a warm engine that was not part of the
        last one goes to it, and keeps its data. ``holdings`` is what the run's sites have, if it
        is made with sites.

        Raises:
            Interrupted: As ``open``.
        """
        with self._lock:
            engine = self._engines.pop(lease.run_id, None)
        if engine is None or engine.round_index != lease.rounds_done:
            engine = (
                _load(lease, should_stop, holdings)
                if engine is None
                else _moved(engine, lease, should_stop, holdings)
            )
        self._keep(lease.run_id, engine)
        return engine

    def warm(self) -> frozenset[UUID]:
        """Return the runs that are in memory."""
        with self._lock:
            return frozenset(self._engines)

    def drop(self, run_id: UUID) -> None:
        """Forget a run that has ended or belongs to somebody else."""
        with self._lock:
            engine = self._engines.pop(run_id, None)
        if engine is not None:
            engine.close()

    def _keep(self, run_id: UUID, engine: Engine) -> None:
        with self._lock:
            self._engines[run_id] = engine
            evicted = [
                self._engines.popitem(last=False)[1]
                for _ in range(len(self._engines) - self._capacity)
            ]
        for old in evicted:
            old.close()


def _moved(
    engine: Engine,
    lease: Lease | ChunkLease,
    should_stop: ShouldStop,
    holdings: Sequence[Holding] | None,
) -> Engine:
    """Return a warm engine, or a new one in its place, at the run's checkpoint."""
    checkpoint = lease.checkpoint
    if checkpoint is None or checkpoint.round_index != lease.rounds_done:
        engine.close()
        return _load(lease, should_stop, holdings)
    engine.restore(read_state(key=checkpoint.key, sha256=checkpoint.sha256))
    return engine


def _load(
    lease: Lease | ChunkLease,
    should_stop: ShouldStop,
    holdings: Sequence[Holding] | None = None,
) -> Engine:
    spec = RunSpec.parse(lease.spec)
    if lease.checkpoint is None:
        return Engine.create(spec, should_stop=should_stop, holdings=holdings)
    try:
        with TemporaryDirectory(prefix="roundhouse-") as folder:
            checkpoint = lease.checkpoint
            restore_folder(key=checkpoint.key, sha256=checkpoint.sha256, into=Path(folder))
            engine = Engine.resume(spec, Path(folder), should_stop=should_stop, holdings=holdings)
    except CheckpointError as error:
        # Starting again costs time but no result: every round is a function of the spec alone.
        log.warning("checkpoint unusable, starting again", reason=error.message)
        return Engine.create(spec, should_stop=should_stop, holdings=holdings)
    log.info("engine resumed", round_index=engine.round_index)
    return engine
