"""What a run promises about the clients' data, as steps of its pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fedcore.aggregators import Accumulator
from fedcore.clients.training import ClientData
from fedcore.messages import Message, Update
from fedcore.params import Layout
from fedcore.privacy.clients import CLIP, ClientPrivacy
from fedcore.privacy.examples import ExamplePrivacy
from fedcore.privacy.sealing import FEWEST, LARGEST_WEIGHT, Sealing, fewest_left
from fedcore.privacy.steps import Protection
from fedcore.spec import RunSpec
from fedcore.spec.aggregators import MeanSpec
from fedcore.spec.rules_trust import SIMULATED
from fedcore.spec.sampling import PoissonSamplingSpec
from fedcore.state import Json, RunState
from fedcore.wire import Schema


@dataclass(frozen=True)
class Promises:
    """Keeps what the section ``privacy`` of a spec promises; without any, nothing changes.

    Attributes:
        clients: Protects each client with all its data; None without client-level privacy.
        examples: Protects each single example; None without example-level privacy.
        sealing: Lets the server see sums alone; None without secure aggregation.
        hides_losses: Whether clients keep their losses to themselves, which no noise covers.
        largest_weight: Largest weight of a client.
    """

    clients: ClientPrivacy | None = None
    examples: ExamplePrivacy | None = None
    sealing: Sealing | None = None
    hides_losses: bool = False
    largest_weight: float = 1.0

    def begin(self, layout: Layout) -> dict[str, Json]:
        """Return what keeps the promises, before round 0.

        Raises:
            PrivacyError: If they cannot be kept.
        """
        if self.examples is not None:
            return self.examples.begin()
        if self.clients is None:
            return {}
        if self.sealing is not None:
            self.sealing.inside(self.clients.dp.clip_norm, layout.total)
        return self.clients.begin()

    # --- server, before the clients' work -------------------------------------------------------

    @property
    def fewest(self) -> int:
        """Fewest clients that a round begins with; with fewer, nobody is asked."""
        return 0 if self.sealing is None else FEWEST

    def announced(self, message: Message, state: RunState) -> Message:
        """Return what the server sends, with what clients must know to keep the promises."""
        told: dict[str, float] = {}
        if self.clients is not None:
            told |= self.clients.scalars(state)
        if self.examples is not None:
            told |= self.examples.scalars(state)
        if self.sealing is not None:
            told[LARGEST_WEIGHT] = self.largest_weight
        return replace(message, scalars={**message.scalars, **told}) if told else message

    def expected(self, plain: Schema) -> Schema:
        """Return the schema of an update, given that of what the method sends."""
        if self.clients is not None:
            plain = self.clients.expected_schema(plain)
        if self.sealing is not None:
            return self.sealing.schema(plain)
        return replace(plain, scalars=()) if self.hides_losses else plain

    def clip_of(self, state: RunState) -> float | None:
        """Return the length that updates of the next round are cut to; None leaves them alone."""
        return None if self.clients is None else self.clients.clip_of(state)

    def max_norm(self, limit: float | None) -> float | None:
        """Return the longest update that is let in, given the limit that earlier ones suggest.

        Where updates are cut, long ones are no danger, and a limit that follows from the updates of
        some would tell of them by what becomes of others'. Sealed ones have no length.
        """
        return limit if self.clients is None and self.sealing is None else None

    # --- client ----------------------------------------------------------------------------------

    def protection(
        self, told: Mapping[str, float], data: ClientData, round_index: int
    ) -> Protection | None:
        """Return what protects a client's examples while it trains; None trains as usual."""
        if self.examples is None:
            return None
        return self.examples.protection(told, data, round_index)

    def cut(self, update: Update, told: Mapping[str, float], *, keeps_length: bool) -> Update:
        """Return an update no longer than the clip, which says whether it was.

        Args:
            update: What the client would send.
            told: What the server has said beside the model.
            keeps_length: Whether what is still done to it leaves it as long as it is; where not,
                the server alone cuts it.
        """
        if self.clients is None or CLIP not in told:
            return update
        clip = told[CLIP]
        update = self.clients.flagged(update, clip)
        if not keeps_length:
            return update
        if self.sealing is not None:
            clip = self.sealing.inside(clip, self.clients.length_of(update))
        return self.clients.cut(update, clip)

    def sealed(self, update: Update, told: Mapping[str, float]) -> Update:
        """Return an update as it leaves the client, before it is masked."""
        if self.sealing is not None:
            return self.sealing.seal(update, told.get(CLIP), told[LARGEST_WEIGHT])
        if not self.hides_losses:
            return update
        weight = update.weight if self.clients is None else 1.0
        return replace(update, scalars={}, weight=weight)

    # --- server, with the updates ----------------------------------------------------------------

    def bounded(self, update: Update, clip: float | None) -> Update:
        """Return an update that was let in as it is used: cut to a length where there is one."""
        if self.clients is None or clip is None or self.sealing is not None:
            return update
        return self.clients.bounded(update, clip)

    def fewest_updates(self, asked: int) -> int:
        """Return how many of the clients that were asked have to deliver."""
        return 0 if self.sealing is None else fewest_left(asked)

    def release(
        self, accumulator: Accumulator, state: RunState, layout: Layout
    ) -> tuple[Accumulator, RunState]:
        """Return what the server's step may use of a round, and the state that accounts for it.

        Args:
            accumulator: What the updates of the round have come to.
            state: Before the round.
            layout: Of the model.
        """
        if self.sealing is not None:
            accumulator = self.sealing.opened(accumulator, self.clip_of(state), layout)
        if self.clients is None:
            return accumulator, state
        return self.clients.release(accumulator, state, layout)

    def loss(self, accumulator: Accumulator, state: RunState) -> float | None:
        """Return the clients' mean loss where it is known from the sum alone."""
        if self.sealing is None:
            return None
        return self.sealing.loss(accumulator, self.clip_of(state))

    def accounted(self, state: RunState, client_ids: Iterable[int]) -> RunState:
        """Return the state after these clients have trained once more."""
        return state if self.examples is None else self.examples.accounted(state, client_ids)

    def metrics(self, state: RunState) -> dict[str, float]:
        """Return what the rounds up to a state have spent of the run's privacy."""
        if self.examples is not None:
            return self.examples.metrics(state)
        return {} if self.clients is None else self.clients.metrics(state)


def promises_of(spec: RunSpec, *, num_clients: int, sizes: Mapping[int, int]) -> Promises:
    """Return what keeps the promises of a spec.

    Args:
        spec: What the run was asked to be.
        num_clients: Clients that could take part.
        sizes: Training examples of those of them that are known.
    """
    dp = spec.privacy.dp
    hides_losses = dp is not None and spec.runtime.placement not in SIMULATED
    return Promises(
        clients=ClientPrivacy(spec, dp, num_clients)
        if dp is not None and dp.level == "client"
        else None,
        examples=ExamplePrivacy(spec, dp, sizes)
        if dp is not None and dp.level == "example"
        else None,
        sealing=_sealing(spec, num_clients, tells_loss=not hides_losses),
        hides_losses=hides_losses,
        largest_weight=float(max(sizes.values(), default=1)),
    )


def _sealing(spec: RunSpec, num_clients: int, *, tells_loss: bool) -> Sealing | None:
    if not spec.privacy.secure_aggregation:
        return None
    sampling, aggregation, dp = spec.sampling, spec.aggregation, spec.privacy.dp
    is_open = isinstance(sampling, PoissonSamplingSpec)
    return Sealing(
        most=num_clients if is_open else sampling.cohort_size(num_clients),
        is_uniform=isinstance(aggregation, MeanSpec) and aggregation.weighting == "uniform",
        has_flag=dp is not None and dp.adaptive_clip is not None,
        tells_loss=tells_loss,
    )
