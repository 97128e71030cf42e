"""A round on sites, as the server sees it: what each is sent, and what becomes of what they send.

The server has no examples. What stands for them has their numbers and their form, so that planning,
admission, folding and the server's step are those of every run; sites train, and sites test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import torch

from fedcore.aggregators import Accumulator
from fedcore.clients.work import ClientResult, ClientTask, Fate
from fedcore.data.sites import Holding, stand_in
from fedcore.engine.assignments import schemas_of
from fedcore.engine.buffers import with_buffers
from fedcore.engine.context import RunContext, context_of
from fedcore.engine.evaluation import Evaluation
from fedcore.engine.flights import Landing
from fedcore.engine.intake import ClientFailure, Outcome, Progress, join, take_in_lane
from fedcore.engine.planning import Lander, RoundPlan, plan
from fedcore.engine.report import ClientReport, ClientScore, Status
from fedcore.errors import DatasetError, PrivacyError, WireError
from fedcore.messages import Message
from fedcore.partition.sites import shares_of_sites
from fedcore.privacy.sealing import section_of
from fedcore.secagg.gathering import Gathering
from fedcore.secagg.ring import Words
from fedcore.secagg.session import Session
from fedcore.spec import RunSpec
from fedcore.spec.data import SitesDatasetSpec
from fedcore.state import MODEL, RunState
from fedcore.tasks import spread
from fedcore.wire import Schema, decode_update, encode, encoded_size, schema_of

#: How the clients' work is done, in reports.
EXECUTOR = "sites"
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Answer:
    """What has come of one site's part of a round.

    Attributes:
        read: Returns the bytes of its update; None if there are none.
        seconds: How long the work took, as the site says.
        status: What to call it where there are none.
        reason: Why there are none.
        bytes_up: Of the messages of a secure sum, which are all that has arrived then.
        bytes_down: Of what the site was sent for a secure sum, beside the model.
        is_replaced: Whether a site was sent the model in its place, before the round was over.
    """

    read: Callable[[], bytes] | None = None
    seconds: float = 0.0
    status: Status = "late"
    reason: str = ""
    bytes_up: int = 0
    bytes_down: int = 0
    is_replaced: bool = False


#: A site that has delivered before the round is over, and in whose place another begins.
REPLACED = Answer(lambda: b"", is_replaced=True)


@dataclass(frozen=True)
class SecureSum:
    """What has come of a round whose updates were added up and seen by nobody.

    Attributes:
        words: Their sum, shape ``(n,)``.
        answers: Of each site; those with the status ``ok`` are in the sum.
    """

    words: Words
    answers: Mapping[int, Answer]


#: What sites have answered in a round, one by one or as a sum.
Answers = Mapping[int, Answer] | SecureSum


@dataclass(frozen=True)
class SiteTally:
    """What one site found in a test: sums over its held-out examples, as its task has columns."""

    num_examples: int
    sums: tuple[float, ...]


def context_on_server(spec: RunSpec, holdings: tuple[Holding, ...]) -> RunContext:
    """Return the fixed parts of a run whose examples are on sites.

    Args:
        spec: What the run was asked to be.
        holdings: What its sites have, in the order of ``runtime.sites``.

    Raises:
        DatasetError: If the data of the run are not on sites, or not one holding is given for each.
        FedcoreError: As ``build_context``.
    """
    if not isinstance(spec.dataset, SitesDatasetSpec) or len(holdings) != len(spec.runtime.sites):
        raise DatasetError(
            f"what {len(spec.runtime.sites)} sites have is needed, not of {len(holdings)}",
            field="runtime.sites",
            fix="Launch the run on the server that its sites are enrolled with.",
        )
    return context_of(spec, stand_in(spec.dataset, holdings), shares_of_sites(holdings))


def plan_on_sites(
    context: RunContext,
    state: RunState,
    reachable: Collection[int],
    answers: Answers | None = None,
) -> RoundPlan:
    """Return who takes part in the next round, of the sites that can be reached or are at work.

    Sizes are those on the wire, and nothing is said of a simulated clock.

    Args:
        context: The run.
        state: Before the round.
        reachable: Who can be sent something.
        answers: What has come when the round ends, in the order in which it came, if it does not
            wait for everybody; None takes all who are at work.
    """
    there = {*reachable, *state.flights}
    available = tuple(client for client in context.available if client in there)
    planned = plan(replace(context, available=available), state, _lander(context, answers))
    tasks = tuple(replace(task, bytes_down=None, sim_seconds=0.0) for task in planned.work.tasks)
    flights = {
        client: replace(flight, seconds=0.0, arrives_in_s=0.0)
        for client, flight in planned.flights.items()
    }
    sent = {task.data.client_id: task.message for task in tasks}
    sent |= {client: flight.message for client, flight in flights.items()}
    down = sum(encoded_size(schema_of(sent[client])) for client in planned.heard)
    work = replace(planned.work, tasks=tasks)
    return replace(planned, work=work, flights=flights, bytes_down=down, seconds=0.0)


def _lander(context: RunContext, answers: Answers | None) -> Lander:
    """Return who is done with: all who were asked, or who has answered if others go on."""
    if answers is None or isinstance(answers, SecureSum) or context.method.trigger.dismisses:
        return lambda flights: Landing(dict.fromkeys(sorted(flights), "arrives"), 0.0)
    replaced = [client for client, answer in answers.items() if answer.is_replaced]
    fates: dict[int, Fate] = {
        client: "lost" if answers[client].read is None else "arrives"
        for client in (*replaced, *sorted(answers.keys() - set(replaced)))
    }
    return lambda flights: Landing(
        {c: fate for c, fate in fates.items() if c in flights}, 0.0, replaced
    )


def gathering(
    context: RunContext,
    state: RunState,
    planned: RoundPlan,
    session: Session,
    identities: Mapping[int, bytes],
) -> Gathering:
    """Return the server's side of a round's secure sum, before anybody has answered.

    Args:
        context: The run.
        state: Before the round.
        planned: Who takes part.
        session: The sum.
        identities: Public half of the sites' keys, by client.

    Raises:
        PrivacyError: If the run promises no secure sums.
    """
    promises, asked = context.pipeline.promises, len(planned.work.tasks)
    if promises.sealing is None:
        raise PrivacyError("the run has no secure sums", field="privacy.secure_aggregation")
    return Gathering(
        session=session,
        identities=identities,
        length=promises.sealing.length(context.layout.total),
        ring=promises.sealing.ring(promises.clip_of(state)),
        least=max(min(context.spec.runtime.min_updates, asked), promises.fewest_updates(asked)),
    )


def with_stages(planned: RoundPlan, answers: Answers) -> RoundPlan:
    """Return a round with the bytes that the stages of its secure sum have taken."""
    if not isinstance(answers, SecureSum):
        return planned
    sent = sum(answer.bytes_down for answer in answers.answers.values())
    return replace(planned, bytes_down=planned.bytes_down + sent)


def take_in(context: RunContext, planned: RoundPlan, answers: Answers) -> Progress:
    """Return what the sites' answers come to; every update passes the gate, or is refused by it.

    Updates are read one after the other, so that memory does not grow with the number of sites.
    """
    if isinstance(answers, SecureSum):
        return _take_in_sum(planned, answers)
    work, schemas = planned.work, schemas_of(context, planned)

    def outcomes(tasks: tuple[ClientTask, ...]) -> Iterator[Outcome]:
        for task in tasks:
            client_id = task.data.client_id
            answer = answers.get(client_id, Answer(reason="it was not asked"))
            yield _outcome(context, task, answer, schemas[client_id])

    lanes = [
        take_in_lane(context, work.asked, tasks, outcomes(tasks))
        for tasks in (work.of_lane(lane) for lane in range(len(work.lanes)))
    ]
    return join(context, work.asked, lanes)


def _take_in_sum(planned: RoundPlan, found: SecureSum) -> Progress:
    """Return the sum of the updates, and who is in it; nobody knows more of a single one."""
    reports = []
    for task in planned.work.tasks:
        answer = found.answers.get(task.data.client_id, Answer(reason="it was not asked"))
        reports.append(
            ClientReport(
                client_id=task.data.client_id,
                num_samples=len(task.data),
                loss=None,
                duration_s=answer.seconds,
                bytes_up=answer.bytes_up,
                bytes_down=encoded_size(schema_of(task.message)) + answer.bytes_down,
                status=answer.status,
                reason=None if answer.status == "ok" else answer.reason,
            )
        )
    count = sum(report.status == "ok" for report in reports)
    if count == 0:
        return Progress(planned.work.asked.start(), reports)
    return Progress(Accumulator(section_of(found.words), float(count), count), reports)


def model_to_test(context: RunContext, trained: RunState) -> bytes | None:
    """Return a state's model as the message that sites test; None if there is no global model.

    It is the message of the next round's training where that sends the model and nothing else.
    """
    weights = context.method.evaluate_model(trained)
    if weights is None:
        return None
    sections = {MODEL: weights.params}
    message = Message(sections=sections, base_version=trained.round_index + 1)
    return encode(with_buffers(message, trained))


def evaluation_of(context: RunContext, tallies: Mapping[int, SiteTally]) -> Evaluation:
    """Return the metrics of the sites' tests together, and of each by itself if asked for.

    A tally that cannot be one (of more examples than the site has declared, of other columns, of
    numbers that are not finite) is left out.
    """
    sound = {
        client: tally
        for client, tally in sorted(tallies.items())
        if _is_sound(context, client, tally)
    }
    if not sound:
        return Evaluation({})
    task = context.objective
    sums = {
        client: torch.tensor(tally.sums, dtype=torch.float64) for client, tally in sound.items()
    }
    metrics = task.summarise(torch.stack(list(sums.values())).sum(0))
    if not context.spec.evaluation.per_client:
        return Evaluation(metrics)
    scores = tuple(
        ClientScore(client, sound[client].num_examples, task.summarise(values))
        for client, values in sums.items()
    )
    main = task.metrics[0]
    values = [score.metrics[main.name] for score in scores]
    metrics |= spread(values, name=main.name, higher_is_better=main.higher_is_better)
    return Evaluation(metrics, scores)


def _is_sound(context: RunContext, client_id: int, tally: SiteTally) -> bool:
    held = context.partition.test.size(client_id)
    width = len(context.objective.tally(*_no_examples(context)).sum(0))
    return (
        0 < tally.num_examples <= held
        and len(tally.sums) == width
        and all(map(math.isfinite, tally.sums))
        and tally.sums[0] == tally.num_examples
        and _are_possible(context, tally)
    )


def _are_possible(context: RunContext, tally: SiteTally) -> bool:
    """Return whether no metric is beyond what it can be, such as more hits than examples."""
    task = context.objective
    metrics = task.summarise(torch.tensor(tally.sums, dtype=torch.float64))
    return all(
        math.isfinite(metrics[metric.name])
        and (metric.lowest is None or metrics[metric.name] >= metric.lowest)
        and (metric.highest is None or metrics[metric.name] <= metric.highest)
        for metric in task.metrics
    )


def _no_examples(context: RunContext) -> tuple[torch.Tensor, torch.Tensor]:
    """Return outputs and targets of no example, to see what columns a tally has."""
    targets = context.dataset.test.y[:0]
    return torch.zeros(0, context.objective.num_outputs), targets


def _outcome(context: RunContext, task: ClientTask, answer: Answer, schema: Schema) -> Outcome:
    if answer.read is None:
        return ClientFailure(answer.reason, answer.seconds, answer.status)
    payload = answer.read()
    try:
        update = decode_update(payload, schema, max_bytes=encoded_size(schema))
    except WireError as error:
        return _refused(f"damaged: {error}", answer, payload)
    most = context.method.weight(task.data)
    if update.weight > most * (1 + _TOLERANCE):
        declared = len(task.data)
        reason = f"bad weight: {update.weight:g}, more than its {declared} declared examples give"
        return _refused(reason, answer, payload)
    return ClientResult(update, kept=None, num_seen=0, duration_s=answer.seconds)


def _refused(reason: str, answer: Answer, payload: bytes) -> ClientFailure:
    return ClientFailure(reason, answer.seconds, "refused", len(payload))
