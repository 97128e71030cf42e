"""Which sites a run is made with, and whether they have what it needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from fedcore.sites.messages import DatasetDeclaration, SiteState
from fedcore.spec import Problem, RunSpec
from fedcore.spec.data import SitesDatasetSpec
from webapp.accounts.models import Project
from webapp.jobs.limits import InvalidSpecError
from webapp.jobs.models import Run
from webapp.jobs.services.leases import Lease, lock_leased_run
from webapp.sites.models import RunSite, Site, SiteDataset, SiteTask
from webapp.sites.services.forgetting import forget_open_round
from webapp.sites.work_models import TaskState


@dataclass(frozen=True)
class MemberOfRun:
    """A site as the engine knows it."""

    client_id: int
    name: str
    num_train: int
    num_test: int
    class_counts: dict[str, int] | None
    public_key: str


def refuse_unfit_sites(*, project: Project, spec: RunSpec) -> None:
    """Refuse a spec that names sites which cannot take part.

    Raises:
        InvalidSpecError: With every problem.
    """
    problems = [problem for _, _, found in _looked_at(project.pk, spec) for problem in found]
    if problems:
        raise InvalidSpecError.of(problems)


@transaction.atomic
def form_roster(*, lease: Lease) -> tuple[MemberOfRun, ...]:
    """Return the sites of a run; when it begins, they are taken as they are declared then.

    Raises:
        InvalidSpecError: If one cannot take part, with every problem.
        LeaseLostError: If the run belongs to somebody else.
    """
    run = lock_leased_run(lease)
    if not RunSite.objects.filter(run=run).exists():
        _form(run, RunSpec.parse(lease.spec))
    elif not lease.is_running:  # retried: a site that has refused may think better of it
        _begin_again(run)
        again = RunSite.objects.filter(run=run, site__state=SiteState.APPROVED)
        again.update(out_rule="", out_reason="", has_joined=False, is_silent=False)
    return tuple(_members(run.pk))


def class_names_of(spec: RunSpec) -> Sequence[str]:
    """Return the classes of a run's data, in the order of their numbers."""
    dataset = spec.dataset
    return (dataset.target.classes or ()) if isinstance(dataset, SitesDatasetSpec) else ()


def _begin_again(run: Run) -> None:
    """Forget the round that a run has failed in: its sites are asked anew."""
    forget_open_round(run)
    SiteTask.objects.filter(run=run).open().update(state=TaskState.DROPPED)


def _form(run: Run, spec: RunSpec) -> None:
    looked_at = list(_looked_at(run.project_id, spec))
    problems = [problem for _, _, found in looked_at for problem in found]
    if problems:
        raise InvalidSpecError.of(problems)
    RunSite.objects.bulk_create(
        RunSite(
            run=run,
            site=site,
            client_id=client_id,
            name=site.name,
            num_train=declared.num_train,
            num_test=declared.num_test,
            class_counts=declared.class_counts,
            public_key=site.public_key,
        )
        for client_id, (site, declared, _) in enumerate(looked_at)
        if site is not None and declared is not None
    )


def _members(run_id: UUID) -> Iterator[MemberOfRun]:
    for row in RunSite.objects.filter(run_id=run_id).order_by("client_id"):
        yield MemberOfRun(
            client_id=row.client_id,
            name=row.name,
            num_train=row.num_train,
            num_test=row.num_test,
            class_counts=row.class_counts,
            public_key=row.public_key,
        )


Looked = tuple[Site | None, DatasetDeclaration | None, list[Problem]]


def _looked_at(project_id: UUID, spec: RunSpec) -> Iterator[Looked]:
    """Yield each site that a spec names with its data set, and what is wrong with them."""
    if not isinstance(spec.dataset, SitesDatasetSpec):
        return
    names = spec.runtime.sites
    sites = {site.name: site for site in Site.objects.filter(project_id=project_id, name__in=names)}
    offered = SiteDataset.objects.filter(site__in=sites.values(), name=spec.dataset.name)
    declared = {row.site_id: DatasetDeclaration.model_validate(row.declaration) for row in offered}
    for place, name in enumerate(names):
        site = sites.get(name)
        dataset = None if site is None else declared.get(site.pk)
        problems = unfitness(f"runtime.sites.{place}", name, site, dataset, spec.dataset)
        yield site, dataset, list(problems)


def unfitness(
    path: str,
    name: str,
    site: Site | None,
    declared: DatasetDeclaration | None,
    wanted: SitesDatasetSpec,
) -> Iterator[Problem]:
    """Yield what keeps a site from a run on a data set, whatever its policy says."""
    if site is None:
        message = f"This project has no site {name!r}."
        yield Problem(path, "unknown_site", message, "Name sites as the page Sites does.")
    elif site.state != SiteState.APPROVED:
        message = f"The site {name!r} is {site.state}, not approved."
        yield Problem(path, "site_not_approved", message, "Approve it, or leave it out.")
    elif declared is None:
        message = f"The site {name!r} has declared no data set {wanted.name!r}."
        fix = "Declare it on the site, or choose another in dataset.name."
        yield Problem(path, "no_such_dataset", message, fix)
    elif declared.num_train == 0:
        message = f"The data set {wanted.name!r} of the site {name!r} is empty."
        yield Problem(path, "dataset_empty", message, "Leave the site out.")
    else:
        known = {column.name for column in declared.columns}
        missing = [column for column in wanted.columns if column not in known]
        if missing:
            some = ", ".join(repr(column) for column in missing[:5])
            message = f"The data set {wanted.name!r} of the site {name!r} has no column {some}."
            yield Problem(path, "no_such_column", message, "Name columns that it has declared.")
