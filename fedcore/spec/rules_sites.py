"""Rules about runs whose clients are real sites."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fedcore.spec.data import SitesDatasetSpec, SitesPartitionSpec
from fedcore.spec.problems import Problem
from fedcore.spec.rules import rule
from fedcore.spec.system import SystemSpec

if TYPE_CHECKING:
    from fedcore.spec.run import RunSpec


@rule
def sites_bring_their_data(spec: RunSpec) -> Iterator[Problem]:
    """Placement, data and partition are all of sites, or none of them is."""
    found = {
        "runtime.placement": spec.runtime.placement == "sites",
        "dataset.kind": isinstance(spec.dataset, SitesDatasetSpec),
        "partition.kind": isinstance(spec.partition, SitesPartitionSpec),
    }
    if len(set(found.values())) == 1:
        return
    for path, is_sites in found.items():
        if not is_sites:
            yield Problem(
                path,
                "contradiction",
                "Data that stay on sites are trained there, one client per site.",
                f"Set {path}: sites, or none of {', '.join(found)}.",
            )


@rule
def sites_are_named(spec: RunSpec) -> Iterator[Problem]:
    """Every client is a site with a name."""
    names, clients = spec.runtime.sites, spec.partition.clients
    if spec.runtime.placement != "sites":
        if names:
            yield Problem(
                "runtime.sites",
                "contradiction",
                "Sites take part only in runs that are placed on sites.",
                "Remove runtime.sites, or set runtime.placement: sites.",
            )
        return
    if len(set(names)) < len(names):
        message = "A site is named twice."
        yield Problem("runtime.sites", "contradiction", message, "Name each site once.")
    elif not names:
        message = "No site is named."
        yield Problem("runtime.sites", "missing", message, "Name the sites that take part.")
    elif len(names) != clients:
        yield Problem(
            "partition.clients",
            "contradiction",
            f"{len(names)} sites are named, and {clients} clients.",
            f"Set partition.clients: {len(names)}.",
        )


@rule
def sites_are_not_waited_for_forever(spec: RunSpec) -> Iterator[Problem]:
    """A site can be lost for good, so a round needs an end, in real time."""
    runtime = spec.runtime
    if runtime.placement != "sites":
        return
    if runtime.round_limit_s is None:
        yield Problem(
            "runtime.round_limit_s",
            "missing",
            "A round on sites needs a time after which it goes on without those that are missing.",
            "Set runtime.round_limit_s, for example to 600.",
        )
    if runtime.min_updates > spec.partition.clients:
        yield Problem(
            "runtime.min_updates",
            "too_many",
            f"{spec.partition.clients} sites cannot send {runtime.min_updates} updates.",
            f"Set runtime.min_updates to at most {spec.partition.clients}.",
        )


@rule
def nothing_is_simulated_on_sites(spec: RunSpec) -> Iterator[Problem]:
    """Real machines have the speed, and the examples, that they have."""
    if spec.runtime.placement != "sites":
        return
    found = {
        "system": spec.system != SystemSpec(),
        "runtime.deadline_s": spec.runtime.deadline_s is not None,
        "dataset.max_train": spec.dataset.max_train is not None,
        "dataset.max_test": spec.dataset.max_test is not None,
        "dataset.validation": spec.dataset.validation is not None,
    }
    for path, is_set in found.items():
        if is_set:
            message = "Sites are real: their hardware and examples are not chosen by a spec."
            yield Problem(path, "contradiction", message, f"Remove {path}.")


@rule
def method_fits_sites(spec: RunSpec) -> Iterator[Problem]:
    """The server of real sites sees what they send, and nothing that they keep."""
    if spec.runtime.placement != "sites" or spec.algorithm.fits_sites:
        return
    yield Problem(
        "algorithm.kind",
        "contradiction",
        f"{spec.algorithm.title} needs more of its clients than real sites send.",
        "Choose a method for sites, such as fedavg, fedprox or scaffold.",
    )


@rule
def ticks_take_what_is_there(spec: RunSpec) -> Iterator[Problem]:
    """What happens at fixed times waits for no number of updates, and sites rely on the number."""
    runtime = spec.runtime
    if runtime.placement != "sites" or not spec.algorithm.steps_by_time or runtime.min_updates == 1:
        return
    yield Problem(
        "runtime.min_updates",
        "contradiction",
        f"{spec.algorithm.title} steps at fixed times, also with a single update.",
        "Set runtime.min_updates: 1, or choose another method.",
    )
