"""What a run will cost, before any data is read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from fedcore.spec.compression import CodecSpec, DgcSpec, chain_bytes
from fedcore.spec.data import DatasetInfo
from fedcore.spec.promised import promised
from fedcore.spec.run import RunSpec

BYTES_PER_NUMBER = 4
#: Slots of the size of the model that each optimiser keeps, besides weights and gradients.
OPTIMIZER_SLOTS = {"sgd": 0, "adam": 2, "adamw": 2}


@dataclass(frozen=True)
class Estimate:
    """Sizes of a run; None where one is not known before data and model are read.

    Attributes:
        cohort: Clients per round.
        model_parameters: Trainable numbers of the model.
        memory_bytes: Peak memory of the process that executes the run: global model, running sum,
            one client's copy with gradients and optimiser state, all updates of a cohort where the
            aggregation needs them at the same time, what clients remember where compression lets
            them, and the data as tensors, unless sites keep them.
        bytes_up_per_round: Tensor bytes that a cohort sends in one round, without headers.
        bytes_down_per_round: Tensor bytes that a cohort receives in one round, without headers.
        bytes_total: Both directions, all rounds.
        epsilon: Privacy loss of the whole run, at most; the run itself reports a tighter figure.
            None without differential privacy, without noise, or where it depends on how many
            examples each client holds.
        delta: Chance that this does not hold.
        noise_multiplier: Noise of each sum as a multiple of the clip, at most.
    """

    cohort: int
    model_parameters: int | None
    memory_bytes: int | None
    bytes_up_per_round: int | None
    bytes_down_per_round: int | None
    bytes_total: int | None
    epsilon: float | None = None
    delta: float | None = None
    noise_multiplier: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the estimate as a plain mapping."""
        return asdict(self)


def estimate(spec: RunSpec) -> Estimate:
    """Return what a run of this spec will cost, in bytes and in privacy."""
    found = spec.privacy.dp and promised(spec, spec.privacy.dp)
    if not found:
        return _sizes(spec)
    return replace(
        _sizes(spec),
        epsilon=found.epsilon,
        delta=found.delta,
        noise_multiplier=found.noise_multiplier,
    )


def _sizes(spec: RunSpec) -> Estimate:
    cohort = spec.sampling.cohort_size(spec.partition.clients)
    info = spec.dataset.outline()
    # How much of a model is trained in part is known when the model is.
    parameters = (
        spec.model.num_parameters(info) if info is not None and spec.peft.trains_all else None
    )
    if info is None or parameters is None:
        return Estimate(cohort, parameters, None, None, None, None)
    model_bytes = parameters * BYTES_PER_NUMBER
    copies = 4 + (spec.local.momentum > 0) + OPTIMIZER_SLOTS[spec.local.optimizer]
    if spec.holds_individual_updates:
        copies += cohort
    kept = spec.compression.vectors_per_client + spec.algorithm.vectors_per_client
    copies += kept * spec.partition.clients
    memory = copies * model_bytes + info.size_bytes
    traffic = _traffic(spec, info)
    if traffic is None:
        return Estimate(cohort, parameters, memory, None, None, None)
    updates = spec.algorithm.updates_per_round(cohort) * spec.messages_each_way
    up, down = [updates * size for size in traffic.up], updates * traffic.down
    return Estimate(
        cohort=cohort,
        model_parameters=parameters,
        memory_bytes=memory,
        bytes_up_per_round=up[-1],
        bytes_down_per_round=down,
        bytes_total=sum(up) + up[-1] * (spec.rounds - len(up)) + down * spec.rounds,
    )


class _Traffic(NamedTuple):
    """Bytes of one client: up in each round until they no longer change, and down."""

    up: list[int]
    down: int


def _traffic(spec: RunSpec, info: DatasetInfo) -> _Traffic | None:
    """Return the bytes of one client, or None if they are not known before the model is made."""
    method = spec.algorithm
    if method.has_own_messages:
        own = method.message_bytes(spec.model, info, spec.local.steps)
        return None if own is None else _Traffic([own[0]], own[1])
    shared = method.shared_numbers(spec.model, info)
    if shared is None:
        return None
    sent, chain = method.vectors_sent, spec.compression.uplink
    up = [sent * _packed(chain, shared, index) for index in _phases(spec)]
    return _Traffic(up, sent * _broadcast(spec, shared))


def _phases(spec: RunSpec) -> range:
    """Return the rounds until the size of updates no longer changes."""
    warmups = [link.warmup_rounds for link in spec.compression.uplink if isinstance(link, DgcSpec)]
    return range(min(spec.rounds, max(warmups, default=0) + 1))


def _packed(chain: tuple[CodecSpec, ...], parameters: int, round_index: int) -> int:
    """Return the bytes of a message of one matrix; more tensors add a few bytes each."""
    return chain_bytes(chain, [(parameters, 1)], round_index)


def _broadcast(spec: RunSpec, parameters: int) -> int:
    """Return the mean bytes of a message to a client.

    A chain that sends changes sends everything to clients that have missed the last message.
    """
    chain = spec.compression.downlink
    packed = _packed(chain, parameters, 0)
    if all(link.fits_weights for link in chain):
        return packed
    heard = spec.sampling.cohort_size(spec.partition.clients) / spec.partition.clients
    return round(heard * packed + (1 - heard) * parameters * BYTES_PER_NUMBER)
