"""Which sites would take part in a run that is being written, and why others would not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field, ValidationError

from fedcore.sites.decisions import decide
from fedcore.sites.facts import Work, facts_of
from fedcore.sites.messages import DatasetDeclaration, SiteState
from fedcore.sites.policy import Policy
from fedcore.spec import RunSpec, check, estimate
from fedcore.spec.data import SitesDatasetSpec
from fedcore.spec.data.sites import TargetColumn
from webapp.sites.drafts import ROUND_LIMIT_S, section
from webapp.sites.models import Site
from webapp.sites.presence import Presence
from webapp.sites.services.roster import unfitness

_NEXT = "the next site"


class Verdict(StrEnum):
    """What would become of a run at a site."""

    ACCEPTED = "accepted"
    NEEDS_APPROVAL = "needs_approval"  # a person there has to let it through
    REFUSED = "refused"  # by its policy
    UNFIT = "unfit"  # it is not approved, or has not declared what the run needs
    UNKNOWN = "unknown"  # the draft, or the policy, does not say


class SiteReason(BaseModel):
    rule: str = Field(description="Path in the site's policy; empty where it is about none.")
    message: str
    fix: str


class OfferedDataset(BaseModel):
    name: str
    title: str
    num_train: int
    num_test: int


class SiteEligibility(BaseModel):
    """What a site has, and what it would say to the draft."""

    site: UUID
    name: str
    state: SiteState
    presence: Presence
    datasets: list[OfferedDataset]
    is_named: bool = Field(description="Whether the draft names it.")
    verdict: Verdict
    reasons: list[SiteReason]


class Eligibility(BaseModel):
    """The sites of a project beside a draft.

    Sites that it names are judged by the draft as it is, others by the draft with one more site;
    where it names none, all of them by a draft with all that have the data.
    """

    project: UUID
    project_name: str
    sites: list[SiteEligibility]
    unknown_names: list[str] = Field(description="Named in the draft; the project has no such.")


Answer = tuple[Verdict, list[SiteReason]]


def _unknown(message: str, fix: str) -> Answer:
    return Verdict.UNKNOWN, [SiteReason(rule="", message=message, fix=fix)]


_NO_DATA = _unknown("The draft names no data set on sites.", "Choose one.")
_WRONG_DRAFT = _unknown("The draft has problems.", "Mend them first.")
_HIDDEN = _unknown("The site does not show its policy.", "It decides when it is asked.")
_UNREADABLE = _unknown(
    "This server does not understand the site's policy.", "The site decides when it is asked."
)


def eligibility(sites: Iterable[Site], draft: Any, *, now: datetime) -> list[SiteEligibility]:
    """Return what each site would say to a draft, in the order of the sites.

    Args:
        sites: Of one project, with their data sets.
        draft: The document as it is written, valid or not.
        now: What decides who is online.
    """
    rows = list(sites)
    judge = _Judge(draft if isinstance(draft, dict) else {}, rows)
    return [_shown(site, judge, now) for site in rows]


def names_in(draft: Any) -> list[str]:
    """Return the sites that a draft names."""
    names = section(draft, "runtime").get("sites")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _shown(site: Site, judge: _Judge, now: datetime) -> SiteEligibility:
    declared = _declared(site)
    verdict, reasons = judge.ask(site, declared)
    return SiteEligibility(
        site=site.pk,
        name=site.name,
        state=SiteState(site.state),
        presence=Presence.of(site.last_seen_at, is_online=site.is_online(now)),
        datasets=[
            OfferedDataset(
                name=one.name, title=one.title, num_train=one.num_train, num_test=one.num_test
            )
            for one in declared.values()
        ],
        is_named=site.name in judge.named,
        verdict=verdict,
        reasons=reasons,
    )


def _declared(site: Site) -> dict[str, DatasetDeclaration]:
    rows = site.datasets.all()
    return {row.name: DatasetDeclaration.model_validate(row.declaration) for row in rows}


class _Judge:
    """Asks sites about one draft; what is the same for several of them is worked out once."""

    def __init__(self, draft: dict[str, Any], sites: Sequence[Site]) -> None:
        self.named = names_in(draft)
        data = section(draft, "dataset")
        self._dataset = str(data.get("name") or "") if data.get("kind") == "sites" else ""
        offering = [s.name for s in sites if any(d.name == self._dataset for d in s.datasets.all())]
        self._as_it_is = _spec_with(draft, self.named) if self.named else None
        # Which site comes next makes no difference to anybody's policy, so one spec does for all.
        others = [*self.named, _NEXT] if self.named else offering
        self._with_one_more = _spec_with(draft, others) if others else None

    def ask(self, site: Site, declared: Mapping[str, DatasetDeclaration]) -> Answer:
        if not self._dataset:
            return _NO_DATA
        spec = self._as_it_is if site.name in self.named else self._with_one_more
        offered = declared.get(self._dataset)
        if spec is None or not isinstance(spec.dataset, SitesDatasetSpec):
            if site.state == SiteState.APPROVED and offered is not None:
                return _WRONG_DRAFT
            # Without the data, or a place among the project's sites, columns make no difference.
            wanted = SitesDatasetSpec.model_construct(
                name=self._dataset, inputs=(), target=TargetColumn(column="any")
            )
        else:
            wanted = spec.dataset
        problems = list(unfitness("", site.name, site, offered, wanted))
        if spec is None or problems or offered is None:
            found = [SiteReason(rule="", message=p.message, fix=p.fix) for p in problems]
            return Verdict.UNFIT, found
        return _by_policy(site, spec, offered)


def _by_policy(site: Site, spec: RunSpec, offered: DatasetDeclaration) -> Answer:
    """Return what the site's policy says, as far as the site shows it."""
    document = section(site.policy, "document")
    if not document:
        return _HIDDEN
    try:
        policy = Policy.model_validate_json(json.dumps(document))
    except ValidationError:
        return _UNREADABLE
    work = Work(
        dataset=offered.name,
        num_clients=spec.partition.clients,
        num_examples=offered.num_train,
        model_parameters=estimate(spec).model_parameters,
    )
    decision = decide(policy, facts_of(spec, work, project=site.project.name))
    found = [SiteReason(rule=r.rule, message=r.message, fix=r.fix) for r in decision.reasons]
    return Verdict(decision.verdict), found


def _spec_with(draft: dict[str, Any], names: Sequence[str]) -> RunSpec | None:
    """Return the draft as a spec of these sites, None if something else is wrong with it."""
    runtime = section(draft, "runtime")
    fewest = runtime.get("min_updates")
    if isinstance(fewest, int):
        # With so few sites the policies have something to say, and it says more than the spec.
        fewest = min(fewest, len(names))
    placed = {
        **runtime,
        "placement": "sites",
        "sites": list(names),
        "round_limit_s": runtime.get("round_limit_s") or ROUND_LIMIT_S,
        **({} if fewest is None else {"min_updates": fewest}),
    }
    partition = {"kind": "sites", "clients": len(names)}
    return check({**draft, "runtime": placed, "partition": partition}).spec
