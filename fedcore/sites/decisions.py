"""What a site's policy says to a task, in words that say which rule and what to do about it.

The rules are checked on the site, by the site. The server knows a copy of the policy, to say
beforehand who can take part in a run; both use this function, so both say the same sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from fedcore.sites.base import shortened
from fedcore.sites.facts import Guarantee, TaskFacts
from fedcore.sites.policy import Policy, PrivacyFloor
from fedcore.sites.tasks import Refusal

MAX_LISTED = 10

Verdict = Literal["accepted", "refused", "needs_approval"]


@dataclass(frozen=True)
class Reason:
    """Why a task is refused.

    Attributes:
        rule: Path in the policy, such as ``max_work.rounds``.
        message: What is not allowed, one sentence.
        fix: What to do about it, one sentence.
    """

    rule: str
    message: str
    fix: str

    @property
    def sentence(self) -> str:
        """Rule, message and fix in one line."""
        return f"{self.rule}: {self.message} {self.fix}"


@dataclass(frozen=True)
class Decision:
    """What a policy says to a task.

    Attributes:
        verdict: Whether the task is done, refused, or waits for a person.
        reasons: Every rule that refuses it, in the order of the policy.
        is_final: Whether every round of the run would be refused.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    is_final: bool = True

    @property
    def sentence(self) -> str:
        """All of it in words, for people on both sides."""
        if self.verdict == "accepted":
            return "accepted: every rule of the site's policy holds."
        if self.verdict == "needs_approval":
            return (
                "approval: This site approves every run by hand. Wait until a person there has "
                "approved it."
            )
        return " ".join(reason.sentence for reason in self.reasons)


def refusal_of(decision: Decision) -> Refusal:
    """Return what a site answers that refuses a task: the first rule, and which others there are.

    Raises:
        ValueError: If the decision refuses nothing.
    """
    if not decision.reasons:
        raise ValueError("nothing is refused")
    first, *others = decision.reasons
    fix = first.fix
    if others:
        fix += f" The run also breaks {', '.join(reason.rule for reason in others)}."
    return Refusal(
        rule=first.rule,
        message=shortened(first.message),
        fix=shortened(fix),
        is_final=decision.is_final,
    )


def decide(policy: Policy, facts: TaskFacts, *, approved: bool = False) -> Decision:
    """Return whether a site takes part in a task.

    A limit of work whose fact is not known yet (None) does not refuse, since it is asked again when
    it is; a missing privacy guarantee does.

    Args:
        policy: Of the site.
        facts: Of the task.
        approved: Whether a person at the site has approved the run.
    """
    reasons = tuple(reason for rule in _RULES for reason in rule(policy, facts))
    if reasons:
        return Decision("refused", reasons)
    if policy.approval == "manual" and not approved:
        return Decision("needs_approval")
    return Decision("accepted")


def took_too_long(policy: Policy, seconds: float) -> Reason | None:
    """Return why training is stopped after ``seconds`` in one round, or None."""
    limit = policy.max_work.round_seconds
    if limit is None or seconds <= limit:
        return None
    return Reason(
        "max_work.round_seconds",
        f"Training took longer than {limit:g} s, the most that this site gives to one round.",
        "Ask for less local work, or ask the site to raise max_work.round_seconds.",
    )


def too_few_left(policy: Policy, survivors: int) -> Reason | None:
    """Return why a secure sum of so many updates is not opened, or None."""
    if survivors >= policy.min_cohort:
        return None
    return Reason(
        "min_cohort",
        f"The sum is of {_counted(survivors, 'update')}; this site helps to open one of at least "
        f"{policy.min_cohort}.",
        f"Set runtime.min_updates to {policy.min_cohort} or more.",
    )


def _names_allowed(policy: Policy, facts: TaskFacts) -> Iterator[Reason]:
    yield from _listed("projects", policy.projects, facts.project, "project")
    yield from _listed("datasets", policy.datasets, facts.dataset, "data set")
    yield from _listed("methods", policy.methods, facts.method, "method")
    yield from _listed("models", policy.models, facts.model, "model")


def _listed(rule: str, allowed: tuple[str, ...] | None, name: str, what: str) -> Iterator[Reason]:
    if allowed is None or name in allowed:
        return
    if not allowed:
        yield Reason(rule, f"This site allows no {what}.", f"Ask the site to add {name!r}.")
        return
    shown = ", ".join(allowed[:MAX_LISTED]) + (", ..." if len(allowed) > MAX_LISTED else "")
    message = f"The {what} {name!r} is not among those that this site allows."
    yield Reason(rule, message, f"Use one of {shown}, or ask the site to add it.")


def _no_attack(_policy: Policy, facts: TaskFacts) -> Iterator[Reason]:
    if facts.attack is not None:
        yield Reason(
            "attack",
            f"The run simulates an attack ({facts.attack}), which no site takes part in.",
            "Remove attack, or set runtime.placement: local.",
        )


def _enough_others(policy: Policy, facts: TaskFacts) -> Iterator[Reason]:
    least, rule = policy.min_cohort, "min_cohort"
    if facts.cohort_size < least:
        clients = _counted(facts.cohort_size, "client")
        message = f"A round has {clients}; this site takes part among at least {least}."
        yield Reason(rule, message, f"Let sampling take {least} or more.")
    elif facts.min_updates < least:
        updates = _counted(facts.min_updates, "update")
        message = (
            f"A result may come of {updates}; this site takes part where it comes of at least "
            f"{least}."
        )
        yield Reason(rule, message, f"Set runtime.min_updates to {least} or more.")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _work_is_bounded(policy: Policy, facts: TaskFacts) -> Iterator[Reason]:
    most = policy.max_work
    yield from _at_most("rounds", facts.rounds, most.rounds, "{} rounds", "Set rounds to {}")
    yield from _at_most(
        "local_epochs",
        facts.local_epochs,
        most.local_epochs,
        "{} local epochs in a round",
        "Set local.epochs to {}",
    )
    yield from _at_most(
        "local_steps",
        facts.local_steps,
        most.local_steps,
        "{} local steps in a round",
        "Set local.steps to {}",
    )
    yield from _at_most(
        "model_parameters",
        facts.model_parameters,
        most.model_parameters,
        "{} trainable parameters",
        "Choose a model of {}",
    )


def _at_most(
    name: str, found: float | None, most: float | None, what: str, fix: str
) -> Iterator[Reason]:
    if found is None or most is None or found <= most:
        return
    rule = f"max_work.{name}"
    message = f"The run has {what.format(f'{found:,.10g}')}; this site does at most {most:,.10g}."
    yield Reason(
        rule, message, f"{fix.format(f'{most:,.10g}')} or less, or ask the site to raise {rule}."
    )


def _sums_are_secure(policy: Policy, facts: TaskFacts) -> Iterator[Reason]:
    if policy.privacy.secure_aggregation == "required" and not facts.guarantee.secure_aggregation:
        yield Reason(
            "privacy.secure_aggregation",
            "The server would see the update of this site alone.",
            "Set privacy.secure_aggregation: true.",
        )


def _is_private(policy: Policy, facts: TaskFacts) -> Iterator[Reason]:
    floor, given = policy.privacy, facts.guarantee
    if floor.max_epsilon is None:
        return
    rule = "privacy.max_epsilon"
    if given.dp_level is None:
        yield Reason(
            rule,
            "The run has no differential privacy.",
            f"Set privacy.dp with an epsilon of {floor.max_epsilon:g} or less.",
        )
        return
    # Written so that NaN is refused too.
    if given.epsilon is None or not given.epsilon <= floor.max_epsilon:
        spent = "an unknown epsilon" if given.epsilon is None else f"epsilon {given.epsilon:.4g}"
        yield Reason(
            rule,
            f"The run spends {spent}; this site allows at most {floor.max_epsilon:g}.",
            "Set privacy.dp.epsilon lower, or use more noise or fewer rounds.",
        )
    yield from _is_right_kind(floor, given)


def _is_right_kind(floor: PrivacyFloor, given: Guarantee) -> Iterator[Reason]:
    if floor.max_delta is not None and (given.delta is None or not given.delta <= floor.max_delta):
        stated = "unknown" if given.delta is None else f"{given.delta:.4g}"
        yield Reason(
            "privacy.max_delta",
            f"The delta of the run is {stated}; this site allows at most {floor.max_delta:g}.",
            f"Set privacy.dp.delta to {floor.max_delta:g} or less.",
        )
    if floor.level not in ("either", given.dp_level):
        yield Reason(
            "privacy.level",
            f"The run protects each {given.dp_level}; this site asks for protection of each "
            f"{floor.level}.",
            f"Set privacy.dp.level: {floor.level}.",
        )


_RULES: tuple[Callable[[Policy, TaskFacts], Iterator[Reason]], ...] = (
    _no_attack,
    _names_allowed,
    _enough_others,
    _work_is_bounded,
    _sums_are_secure,
    _is_private,
)
