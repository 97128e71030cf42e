"""Whether a site does a task: what the server says is checked, then the site's policy is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from fedcore.agent.approvals import Answer
from fedcore.agent.config import Site
from fedcore.agent.identity import Identity
from fedcore.sites.decisions import Decision, Reason, decide
from fedcore.sites.facts import Work, facts_of
from fedcore.sites.signing import fingerprint
from fedcore.sites.tasks import RunDescription, Task, TaskKind
from fedcore.spec import RunSpec, SpecError
from fedcore.spec.data import SitesDatasetSpec

_UPDATE = "Update the older of the two sides."
_REPORT = "Report it to whoever runs the server."


@dataclass(frozen=True)
class Judge:
    """Decides for one site.

    Attributes:
        site: Its configuration and policy.
        identity: Who it is.
        count: Returns the training examples of a declared data set by its name.
        answer: Returns what a person has said of a run.
    """

    site: Site
    identity: Identity
    count: Callable[[str], int]
    answer: Callable[[UUID], Answer | None]

    def decide(
        self, task: Task, described: RunDescription, model_parameters: int | None = None
    ) -> Decision:
        """Return whether the site does a task.

        Args:
            task: What is asked for.
            described: The run that it belongs to.
            model_parameters: Trainable numbers, once the model is made.

        Raises:
            DatasetError: If the examples cannot be counted.
        """
        spec, reason = _spec_in(task, described)
        if spec is None:
            return _refused(reason)
        odd = (
            _named_twice(described)
            or self._contradiction(task, described, spec)
            or self._stranger(described, spec)
        )
        if odd is not None:
            return _refused(odd)
        if self.site.dataset(task.dataset) is None:
            return _refused(_not_declared(task.dataset))
        said = self.answer(task.run_id)
        if said is Answer.DENIED:
            return _refused(_DENIED)
        work = Work(
            dataset=task.dataset,
            num_clients=len(described.members),
            num_examples=self.count(task.dataset),
            model_parameters=model_parameters,
        )
        facts = facts_of(spec, work, project=described.project)
        return decide(self.site.policy, facts, approved=said is Answer.APPROVED)

    def _contradiction(self, task: Task, described: RunDescription, spec: RunSpec) -> Reason | None:
        """Return what in the server's own words does not fit together."""
        dataset = spec.dataset
        if not isinstance(dataset, SitesDatasetSpec) or dataset.name != task.dataset:
            return _odd("The task is about other data than its run.")
        if task.round_index >= spec.rounds:
            return _odd(f"The run has {spec.rounds} rounds, and this is round {task.round_index}.")
        members = {member.client_id: member.site_id for member in described.members}
        if members.get(task.client_id) != self.identity.site_id:
            return _odd("The run does not name this site as the client that the task is for.")
        if not task.cohort_size <= len(members):
            return _odd("The round is said to have more clients than the run.")
        if task.kind is not TaskKind.EVALUATE and task.kind.is_secure != _is_secure(spec):
            return _odd(
                "The run promises secure sums, and the task asks for an update alone."
                if _is_secure(spec)
                else "The task belongs to a secure sum, and the run has none."
            )
        return None

    def _stranger(self, described: RunDescription, spec: RunSpec) -> Reason | None:
        """Return whom this site makes no secure sum with, or whom the server takes it for."""
        if not _is_secure(spec):
            return None
        keys = [bytes.fromhex(member.public_key) for member in described.members]
        own = next(m for m in described.members if m.site_id == self.identity.site_id)
        if own.public_key != self.identity.public_key:
            message = "The run knows this site by another key than it has now."
            return Reason("peers", message, "Launch the job again, after a change of keys.")
        if not all(keys):
            return Reason("peers", "A site of the run has no key.", "Launch the job again.")
        if len(set(keys)) < len(keys):
            return Reason("peers", "Two sites of the run have the same key.", _REPORT)
        return self._unknown_peer(described)

    def _unknown_peer(self, described: RunDescription) -> Reason | None:
        known = self.site.config.peers
        if known is None:
            return None
        for member in described.members:
            seen = fingerprint(member.public_key)
            if member.site_id != self.identity.site_id and seen not in known:
                return Reason(
                    "peers",
                    f"This site makes secure sums among keys that it was told beforehand, and that "
                    f"of {member.name!r} ({seen}) is none of them.",
                    "Compare it by another way and add it to peers, or leave the site out.",
                )
        return None


def _named_twice(described: RunDescription) -> Reason | None:
    """Return what lets fewer sites than a run seems to have count as enough."""
    members = {member.client_id: member.site_id for member in described.members}
    if len(set(members.values())) == len(described.members):
        return None
    return _odd("The run names a client or a site twice.")


def _is_secure(spec: RunSpec) -> bool:
    return spec.privacy.secure_aggregation


def spec_of(described: RunDescription) -> RunSpec:
    """Return the spec of a run that was judged.

    Raises:
        SpecError: If it is none.
    """
    return RunSpec.parse(described.spec)


def summary_of(described: RunDescription) -> str:
    """Return in a line what a run is about, for whoever has to approve it."""
    try:
        spec = spec_of(described)
    except SpecError:
        return "a spec that this version does not understand"
    protected = "secure sums" if spec.privacy.secure_aggregation else "the server sees each update"
    dp = spec.privacy.dp
    noise = "no differential privacy" if dp is None else f"{dp.level}-level differential privacy"
    return (
        f"{spec.algorithm.kind} with {spec.model.kind}, {spec.rounds} rounds among "
        f"{len(described.members)} sites; {protected}, {noise}"
    )


def _spec_in(task: Task, described: RunDescription) -> tuple[RunSpec | None, Reason]:
    """Return the spec that both the task and the run name, or why there is none."""
    try:
        spec = spec_of(described)
    except SpecError as error:
        first = error.problems[0]
        where = f"{first.path}: " if first.path else ""
        message = f"This site does not understand the spec. {where}{first.message}"
        return None, Reason("spec", message, _UPDATE)
    if {spec.digest(), described.spec_digest} != {task.spec_digest}:
        return None, Reason("spec", "The spec has another digest than the task names.", _UPDATE)
    return spec, _DENIED


def _refused(reason: Reason) -> Decision:
    return Decision("refused", (reason,))


def _odd(message: str) -> Reason:
    return Reason("task", message, _REPORT)


def _not_declared(name: str) -> Reason:
    return Reason(
        "datasets",
        f"This site has declared no data set {name!r}.",
        "Choose one that it has declared, or ask the site to declare it.",
    )


_DENIED = Reason(
    "approval", "A person at this site has turned the run down.", "Ask the site for its reasons."
)
