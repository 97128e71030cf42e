"""One worker's part of a round: claim it, train it, store what it comes to, say so.

Nothing waits for the other parts: the worker whose part is the last to arrive goes on with the run.
"""

from __future__ import annotations

from time import monotonic

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError

from fedcore.engine import Chunk, Interrupted
from fedcore.errors import CheckpointError, RetryableError
from webapp.artifacts.services import StoredFile, discard_file, store_part
from webapp.jobs import services
from webapp.jobs.services import ChunkLease, Lease, LeaseLostError
from workers.engines import EngineCache
from workers.failures import failure_of
from workers.heartbeat import Heartbeat
from workers.patience import Patience
from workers.retry import TRANSIENT, RetryPolicy

log = structlog.get_logger(__name__)


def train_part(
    part: ChunkLease, *, engines: EngineCache, retries: RetryPolicy = TRANSIENT
) -> Lease | None:
    """Train one part of a round; return its run if that was the last part of the round."""
    with (
        structlog.contextvars.bound_contextvars(
            run_id=str(part.run_id), round_index=part.rounds_done, part=part.index
        ),
        Heartbeat.of_chunk(part, lease_s=settings.LEASE_S) as heartbeat,
    ):
        return PartTurn(part, heartbeat, engines, Patience(heartbeat, retries)).work()


class PartTurn:
    """A turn with one part of a round that this worker holds the lease of."""

    def __init__(
        self, lease: ChunkLease, heartbeat: Heartbeat, engines: EngineCache, patience: Patience
    ) -> None:
        self._lease = lease
        self._heartbeat = heartbeat
        self._engines = engines
        self._patience = patience

    def work(self) -> Lease | None:
        """Train the part; return its run if it was the last one of its round.

        Raises:
            OperationalError: If the database stays away; the part is then given to somebody else.
        """
        try:
            return self._work()
        except LeaseLostError:
            log.info("part no longer wanted")
        except Interrupted:
            log.info("part interrupted")
            self._give_back()
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 (whatever it is, somebody else has to try)
            self._fail(error)
        return None

    def _work(self) -> Lease | None:
        lease = self._lease
        engine = self._patience.with_engine(
            lambda: self._engines.open_at(lease, self._heartbeat.should_stop)
        )
        if engine.round_index != lease.rounds_done:
            raise CheckpointError(
                f"the state of round {lease.rounds_done} is not there",
                round_index=lease.rounds_done,
            )
        began = monotonic()
        chunk = Chunk(lease.first_lane, lease.end_lane, lease.num_clients)
        trained = engine.train_chunk(chunk, self._heartbeat.should_stop)
        seconds = monotonic() - began
        name = f"{lease.rounds_done}-{lease.index}-{lease.attempt}.safetensors"
        stored = self._patience.with_engine(
            lambda: store_part(
                run_id=lease.run_id, name=name, payload=trained.payload, can_be_made_again=True
            )
        )
        return self._record(stored, trained.num_updates, seconds)

    def _record(self, stored: StoredFile, num_updates: int, seconds: float) -> Lease | None:
        self._heartbeat.end()
        try:
            return self._patience.with_database(
                lambda: services.record_part(
                    lease=self._lease,
                    stored=stored,
                    num_updates=num_updates,
                    seconds=seconds,
                )
            )
        except LeaseLostError:
            discard_file(key=stored.key)
            raise

    def _give_back(self) -> None:
        """Let another worker train the part, if it is this process that has to stop."""
        self._heartbeat.end()
        self._patience.with_database(lambda: services.release_chunk(lease=self._lease))

    def _fail(self, error: Exception) -> None:
        if isinstance(error, RetryableError) and self._heartbeat.should_stop():
            self._give_back()
            return
        failure = failure_of(error, round_index=self._lease.rounds_done)
        log.warning("part failed", reason=failure.message)
        self._engines.drop(self._lease.run_id)
        self._heartbeat.end()
        self._patience.with_database(
            lambda: services.fail_chunk(lease=self._lease, failure=failure)
        )
