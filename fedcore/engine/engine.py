"""The engine as its callers see it: make or resume a run, play rounds, save, export."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Self

from fedcore.clients.training import ShouldStop, never
from fedcore.data.sites import Holding
from fedcore.engine import at_sites, checkpoint
from fedcore.engine.assignments import Assignment, assignments, successors
from fedcore.engine.at_sites import Answers
from fedcore.engine.choose import make_executor
from fedcore.engine.chunks import Chunk, Pace, Trained, cut_into_chunks, join_chunks, train_chunk
from fedcore.engine.context import RunContext, initial_state
from fedcore.engine.device import one_thread
from fedcore.engine.evaluation import evaluate, is_due, is_finished
from fedcore.engine.executor import Executor
from fedcore.engine.exporting import write_model
from fedcore.engine.intake import Progress
from fedcore.engine.outlook import Outlook, outlook
from fedcore.engine.partial import Place, decode_partial, encode_partial
from fedcore.engine.planning import RoundPlan, plan
from fedcore.engine.preparing import prepared_context
from fedcore.engine.report import RoundReport
from fedcore.engine.rounds import advance, conclude, train_round
from fedcore.engine.second_try import used, whole
from fedcore.engine.trainers import choose_trainer
from fedcore.environment import Folders
from fedcore.errors import TooFewUpdatesError
from fedcore.partition import PartitionReport, report
from fedcore.secagg import Session
from fedcore.secagg.gathering import Gathering
from fedcore.spec import RunSpec
from fedcore.state import RunState, Totals


class Engine:
    """A run in memory, between two rounds.

    All that changes from round to round is one ``RunState``; the rest follows from the spec. Use
    ``create`` or ``resume`` to make one.
    """

    def __init__(self, context: RunContext, state: RunState, executor: Executor) -> None:
        self._context = context
        self._state = state
        self._executor = executor
        self._planned: tuple[RunState, RoundPlan] | None = None
        self._kept: Progress | None = None

    @classmethod
    def create(
        cls,
        spec: RunSpec,
        *,
        data_dir: Path | None = None,
        cache_dir: Path | None = None,
        should_stop: ShouldStop | None = None,
        holdings: Sequence[Holding] | None = None,
    ) -> Self:
        """Return a run before its first round.

        Args:
            spec: What to run.
            data_dir: Folder with local copies of data sets; by default ROUNDHOUSE_DATA_DIR.
            cache_dir: Where prepared data sets are kept; by default ROUNDHOUSE_CACHE_DIR, else the
                user's cache folder.
            should_stop: Asked while data are prepared that are not in the cache.
            holdings: What the sites of the run have, in their order; None where it has none.

        Raises:
            FedcoreError: If the data cannot be read or divided, the model does not fit them or
                the memory, or the device is not there.
            Interrupted: If ``should_stop`` returned True.
        """
        folders = Folders.from_environment().with_overrides(data_dir, cache_dir)
        context = prepared_context(spec, folders, should_stop, holdings)
        return cls._begin(context, initial_state(context), folders, should_stop)

    @classmethod
    def resume(
        cls,
        spec: RunSpec,
        folder: Path,
        *,
        data_dir: Path | None = None,
        cache_dir: Path | None = None,
        should_stop: ShouldStop | None = None,
        holdings: Sequence[Holding] | None = None,
    ) -> Self:
        """Return a run as it was when it was saved to ``folder``.

        Raises:
            CheckpointError: If there is no whole checkpoint, or it belongs to another spec.
            FedcoreError, Interrupted: As ``create``.
        """
        folders = Folders.from_environment().with_overrides(data_dir, cache_dir)
        context = prepared_context(spec, folders, should_stop, holdings)
        with one_thread():
            state = checkpoint.load(folder, **_whose(context), device=context.device)
        return cls._begin(context, state, folders, should_stop)

    @classmethod
    def _begin(
        cls, context: RunContext, state: RunState, folders: Folders, should_stop: ShouldStop | None
    ) -> Self:
        trainer = choose_trainer(context, folders, state.kernels or None)
        executor = make_executor(context, trainer, folders, should_stop or never)
        return cls(context, replace(state, kernels=trainer.name), executor)

    @property
    def round_index(self) -> int:
        """Rounds completed, which is the index of the next one."""
        return self._state.round_index

    @property
    def is_finished(self) -> bool:
        """Whether the last round was played, or the run has met its target or lost patience."""
        return is_finished(self._context, self._state)

    @property
    def totals(self) -> Totals:
        """Sums over all rounds, those before a resume included."""
        return self._state.totals

    @property
    def metrics(self) -> Mapping[str, float]:
        """Latest value of each metric."""
        return self._state.metrics

    @property
    def executor(self) -> str:
        """How the clients' work is done."""
        return self._executor.name

    def run_round(self, should_stop: ShouldStop | None = None) -> RoundReport:
        """Play the next round and return what happened in it.

        Args:
            should_stop: Asked at every batch boundary.

        Raises:
            Interrupted: If ``should_stop`` returned True; everything is as before the round.
            TooFewUpdatesError: If too few clients delivered; everything is as before the round.
            DivergedError: If training diverged; everything is as before the round.
            RuntimeError: If the run is finished.
        """
        if self.is_finished:
            raise RuntimeError("the run has had its last round")
        began, stop = perf_counter(), should_stop or never
        planned = self._plan()
        with one_thread():
            progress = train_round(
                self._context, self._state, planned, self._executor, stop, kept=self._kept
            )
        return self._conclude(planned, progress, began, stop)

    def _conclude(
        self, planned: RoundPlan, progress: Progress, began: float, should_stop: ShouldStop
    ) -> RoundReport:
        context, executor, state = self._context, self._executor, self._state
        try:
            with one_thread():
                self._state, report = conclude(
                    context,
                    state,
                    planned,
                    progress,
                    examine=lambda trained: evaluate(context, trained, executor, should_stop),
                    executor=executor.name,
                    began=began,
                )
        except TooFewUpdatesError:
            self._kept = used(context, progress)
            raise
        self._kept = None
        return report

    @one_thread()
    def kept_updates(self) -> bytes | None:
        """Return the updates of a round that got too few, for ``keep``; None if there are none."""
        kept = self._kept
        return None if kept is None else encode_partial(self._place(whole(self._plan())), kept)

    @one_thread()
    def keep(self, payload: bytes) -> None:
        """Use updates of an earlier try in the next round; only the other clients train again.

        Raises:
            WireError: If they are not of this run and round.
        """
        planned = self._plan()
        place = self._place(whole(planned))
        self._kept = decode_partial(payload, place, self._context, planned.work.asked)

    # --- a round in parts, trained here and elsewhere -------------------------------------------

    def chunks(self, pace: Pace) -> tuple[Chunk, ...]:
        """Return the next round cut into parts that can be trained anywhere, in any order."""
        return cut_into_chunks(self._plan().work.lanes, pace)

    def train_chunk(self, chunk: Chunk, should_stop: ShouldStop | None = None) -> Trained:
        """Train a part of the next round and return what it comes to, for ``finish_round``.

        Raises:
            Interrupted: If ``should_stop`` returned True.
            AggregationError: If the run's updates cannot be combined in parts.
        """
        with one_thread():
            progress = train_chunk(
                self._context, self._plan(), self._executor, chunk, should_stop or never
            )
            payload = encode_partial(self._place(chunk), progress)
        return Trained(payload, progress.accumulator.count)

    def finish_round(
        self,
        parts: Sequence[tuple[Chunk, bytes | None]],
        *,
        elapsed_s: float = 0.0,
        should_stop: ShouldStop | None = None,
    ) -> RoundReport:
        """Finish the next round with its parts; the result is that of ``run_round``.

        Args:
            parts: Every chunk of the round with its bytes; None where they came too late.
            elapsed_s: How long the round has taken so far.
            should_stop: Asked at every batch boundary of the test.

        Raises:
            WireError: If bytes are not those of their chunk.
            Interrupted, TooFewUpdatesError, DivergedError: As ``run_round``.
        """
        began = perf_counter() - elapsed_s
        planned, context = self._plan(), self._context
        with one_thread():
            found = {
                chunk: None
                if part is None
                else decode_partial(part, self._place(chunk), context, planned.work.asked)
                for chunk, part in parts
            }
            progress = join_chunks(context, planned, found)
        return self._conclude(planned, progress, began, should_stop or never)

    # --- a round on sites ------------------------------------------------------------------------

    @property
    def outlook(self) -> Outlook:
        """What is known of the next round on sites."""
        return outlook(self._context, self._state)

    def assignments(
        self, reachable: Collection[int], holding: Collection[int] = ()
    ) -> list[Assignment]:
        """Return what each site is sent that can be reached and does not hold its message yet."""
        with one_thread():
            return assignments(self._context, self._on_sites(reachable), holding)

    def successors(self, reachable: Collection[int], delivered: Sequence[int]) -> list[Assignment]:
        """Return what sites are sent in the place of those that have delivered, in that order."""
        with one_thread():
            planned = self._on_sites(reachable, dict.fromkeys(delivered, at_sites.REPLACED))
            return successors(self._context, self._state, planned)

    def secure_sum(
        self, reachable: Collection[int], session: Session, identities: Mapping[int, bytes]
    ) -> Gathering:
        """Return the server's side of the next round's secure sum, as ``at_sites.gathering``."""
        planned = self._on_sites(reachable)
        return at_sites.gathering(self._context, self._state, planned, session, identities)

    def model_to_test(self, reachable: Collection[int], answers: Answers) -> bytes | None:
        """Return the model that sites test, the one that ``finish_on_sites`` makes again; or None.

        Raises:
            TooFewUpdatesError, DivergedError: As ``run_round``.
        """
        if not is_due(self._context, self.round_index):
            return None
        with one_thread():
            planned = self._on_sites(reachable, answers)
            progress = at_sites.take_in(self._context, planned, answers)
            trained = advance(self._context, self._state, planned, progress)
            return at_sites.model_to_test(self._context, trained)

    def finish_on_sites(
        self,
        reachable: Collection[int],
        answers: Answers,
        tallies: Mapping[int, at_sites.SiteTally],
        *,
        elapsed_s: float = 0.0,
    ) -> RoundReport:
        """Finish the next round with what the sites have answered, and with their tests.

        Raises:
            TooFewUpdatesError, DivergedError: As ``run_round``.
        """
        began, context = perf_counter() - elapsed_s, self._context
        with one_thread():
            planned = at_sites.with_stages(self._on_sites(reachable, answers), answers)
            self._state, report = conclude(
                context,
                self._state,
                planned,
                at_sites.take_in(context, planned, answers),
                examine=lambda _: at_sites.evaluation_of(context, tallies),
                executor=at_sites.EXECUTOR,
                began=began,
            )
        return report

    def _on_sites(self, reachable: Collection[int], answers: Answers | None = None) -> RoundPlan:
        return at_sites.plan_on_sites(self._context, self._state, reachable, answers)

    @one_thread()
    def restore(self, payload: bytes) -> None:
        """Go to a state that ``encoded`` returned; what follows from the spec stays as it is.

        Raises:
            CheckpointError: As ``resume``.
        """
        state = checkpoint.decode(
            payload, "the checkpoint", **_whose(self._context), device=self._context.device
        )
        self._state = replace(state, kernels=self._state.kernels)

    def _plan(self) -> RoundPlan:
        if self._planned is None or self._planned[0] is not self._state:
            with one_thread():
                self._planned = self._state, plan(self._context, self._state)
        return self._planned[1]

    def _place(self, chunk: Chunk) -> Place:
        return Place(
            self._context.spec.digest(), self.round_index, chunk.first_lane, chunk.end_lane
        )

    # --- saving ----------------------------------------------------------------------------------

    @one_thread()
    def save(self, folder: Path) -> Path:
        """Write a checkpoint to a folder, replacing an older one, and return the file.

        Raises:
            StorageError: If it cannot be written; an older one is then still there.
        """
        return checkpoint.save(folder, self._state, **_whose(self._context))

    @one_thread()
    def encoded(self) -> tuple[str, list[bytes | memoryview]]:
        """Return the name and the bytes, in pieces, of the file that ``save`` writes."""
        return checkpoint.FILE_NAME, checkpoint.encode(self._state, **_whose(self._context))

    @property
    def has_global_model(self) -> bool:
        """Whether there is a model for somebody who is no client of the run."""
        return self._context.method.evaluate_model(self._state) is not None

    @property
    def has_personal_models(self) -> bool:
        """Whether clients predict with models of their own."""
        return self._context.method.has_personal_models

    def export_model(self, folder: Path, *, client_id: int | None = None) -> list[Path]:
        """Write a model for use elsewhere and return the files.

        ``fedcore.models.load_exported(folder)`` reads them. They are the whole model, whatever part
        of it was trained; a LoRA adapter is also written to a folder of its own, for the peft
        library.

        Args:
            folder: Where to; made if missing.
            client_id: Whose model to write, where clients have their own; by default the global
                model.

        Raises:
            ModelError: If there is no such model.
            StorageError: If they cannot be written.
        """
        return write_model(self._context, self._state, folder, client_id)

    def client_table(self) -> PartitionReport:
        """Return how many examples of each class each client holds, and how unlike they are."""
        return report(self._context.dataset, self._context.partition)

    def close(self) -> None:
        """Give back processes and memory."""
        self._executor.close()


def _whose(context: RunContext) -> dict[str, str]:
    """Return what a checkpoint says it is of."""
    return {"digest": context.spec.digest(), "data_fingerprint": context.dataset.fingerprint}
