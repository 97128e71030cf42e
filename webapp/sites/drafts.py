"""A run on sites as far as their declarations write it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from fedcore.sites.drafting import draft
from fedcore.sites.messages import DatasetDeclaration
from webapp.sites.models import Site

#: Ten minutes: long for the small models of tables, short for somebody who waits.
ROUND_LIMIT_S = 600


class LeftOutColumn(BaseModel):
    column: str
    why: str


class SiteDraft(BaseModel):
    """Sections of a spec that make it one on sites."""

    sections: dict[str, Any] = Field(
        description="By name, complete; none before there is a target."
    )
    targets: list[str] = Field(description="Columns that could be predicted.")
    left_out: list[LeftOutColumn]
    problem: str = Field(description="Why there are no sections, if a target was given.")


def drafted(
    sites: Sequence[Site], document: dict[str, Any], *, dataset: str, target: str | None
) -> SiteDraft:
    """Return the sections that put a document onto sites.

    Args:
        sites: Who takes part, in the order of clients; those without the data set are left out.
        document: What is written so far. Limits in it are kept.
        dataset: Name under which the sites have declared their data.
        target: Column to predict; None only asks which there are.
    """
    offers = {site: _declared(site, dataset) for site in sites}
    members = {site: offer for site, offer in offers.items() if offer is not None}
    made = draft(dataset, target, {site.name: offer for site, offer in members.items()})
    sections = dict(made.sections)
    if sections:
        sections["runtime"] = _runtime(
            section(document, "runtime"), sections["runtime"], [*members]
        )
        if not section(document, "dataset").get("inputs"):
            # Few and real: every one of them counts. Chosen once; it stays as it is changed later.
            sections["sampling"] = {"kind": "full"}
    left_out = [LeftOutColumn(column=each.column, why=each.why) for each in made.left_out]
    return SiteDraft(
        sections=sections, targets=list(made.targets), left_out=left_out, problem=made.problem
    )


def section(document: Any, name: str) -> dict[str, Any]:
    """Return a section of a document that may be anything."""
    found = document.get(name) if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}


def _declared(site: Site, dataset: str) -> DatasetDeclaration | None:
    rows = (row for row in site.datasets.all() if row.name == dataset)
    return next((DatasetDeclaration.model_validate(row.declaration) for row in rows), None)


def _runtime(
    given: dict[str, Any], made: dict[str, Any], members: Sequence[Site]
) -> dict[str, Any]:
    """Return the section with what sites need; as many updates as their policies ask for."""
    fewest = given.get("min_updates")
    wanted = max([fewest if isinstance(fewest, int) else 1, *map(_min_cohort, members)])
    return {
        **given,
        **made,
        "round_limit_s": given.get("round_limit_s") or ROUND_LIMIT_S,
        "deadline_s": None,
        "min_updates": min(wanted, len(members)),
    }


def _min_cohort(site: Site) -> int:
    """Return among how many a site takes part, 1 if it does not say."""
    least = section(site.policy, "document").get("min_cohort")
    return least if isinstance(least, int) else 1
