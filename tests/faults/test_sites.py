"""Real sites as real processes: they take part, lose their links, are killed, and are put out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.faults.links import Link
from tests.faults.sites import PATIENCE_S, Administrator, SiteProcess, write_rows
from tests.faults.stack import PASSWORD, Stack, wait_for_end, wait_for_rounds
from tests.waiting import wait_until
from webapp.client import Run

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

NAMES = ("north", "south", "east")
FEATURES = 8
COLUMNS = [f"x{n}" for n in range(FEATURES)]
#: Of a site that trains as long as the others do for several steps.
SLOW_ROWS = 8000
NUM_STEPS = 18
PIECE_BYTES = 128 * 1024
SETTINGS = {
    "ROUNDHOUSE_MODE": "embedded",
    "ROUNDHOUSE_SITE_HEARTBEAT_S": "0.5",
    "ROUNDHOUSE_SITE_POLL_S": "0.5",
    "ROUNDHOUSE_SITE_REQUESTS_PER_MINUTE": "100000",
    "ROUNDHOUSE_CHANGES_PER_MINUTE": "100000",
    "ROUNDHOUSE_MAX_BODY_BYTES": str(PIECE_BYTES),
}


@dataclass(frozen=True)
class World:
    stack: Stack
    administrator: Administrator
    sites: dict[str, SiteProcess]
    links: dict[str, Link]

    def launch(self, name: str, **sections: Any) -> Run:
        spec: dict[str, Any] = {
            "rounds": 4,
            "dataset": {
                "kind": "sites",
                "name": "numbers",
                "inputs": [{"column": column} for column in COLUMNS],
                "target": {"column": "y", "classes": ["no", "yes"]},
            },
            "partition": {"kind": "sites", "clients": 3},
            "model": {"kind": "linear"},
            "sampling": {"kind": "full"},
            "local": {"epochs": 1, "batch_size": 16, "lr": 0.1},
            **sections,
        }
        runtime = {
            "placement": "sites",
            "sites": list(NAMES),
            "round_limit_s": 120,
            "min_updates": 2,
        }
        spec["runtime"] = {**runtime, **sections.get("runtime", {})}
        with self.stack.client() as client:
            job = client.submit(name=name, spec=spec)
            return job.runs[0]

    def end(self, run: Run) -> Run:
        with self.stack.client() as client:
            return wait_for_end(client, run)

    def wait_for_stage(self, run: Run, site: str, stage: str) -> None:
        def is_there() -> bool:
            # Before a worker has begun the run, it has no members.
            member = self.administrator.members(run.id).get(site, {})
            return bool((member.get("task") or {}).get("stage") == stage)

        wait_until(
            is_there,
            within_s=PATIENCE_S,
            every_s=0.1,
            what=f"{site} at {stage}\n{self.sites[site].log()}",
        )

    def participants(self, run: Run) -> list[int]:
        with self.stack.client() as client:
            return [row.participants for row in client.rounds(run.id)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("embedded"), SETTINGS)
    try:
        stack.start()
        yield stack
    finally:
        stack.close()


@pytest.fixture(scope="module")
def world(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    administrator = Administrator.signed_in(stack.url, PASSWORD)
    links = {name: Link(stack.port) for name in NAMES}
    sites: dict[str, SiteProcess] = {}
    try:
        for place, (name, link) in enumerate(links.items()):
            link.start()
            folder = tmp_path_factory.mktemp(name)
            sites[name] = new_site(administrator, name, link, folder, rows(place))
        for site in sites.values():
            site.wait_until_online(administrator)
        yield World(stack, administrator, sites, links)
    finally:
        for site in sites.values():
            site.close()
        for link in links.values():
            link.close()


def new_site(
    administrator: Administrator, name: str, link: Link, folder: Path, data: list[list[Any]]
) -> SiteProcess:
    """Return a site that has come in, declared its rows, and been started."""
    site = SiteProcess(name, folder, f"http://127.0.0.1:{link.port}")
    site.enrol(administrator)
    write_rows(folder / "data" / "numbers.csv", [*COLUMNS, "y"], data)
    site.describe([{"name": "numbers", "path": "numbers.csv", "target": "y"}])
    site.start()
    return site


def rows(place: int, count: int | None = None) -> list[list[Any]]:
    drawn = random.Random(place)  # noqa: S311
    found = []
    for _ in range(count or 60 + 20 * place):
        x = [round(drawn.gauss(0, 1), 4) for _ in range(FEATURES)]
        found.append([*x, "yes" if x[0] + x[1] > 0 else "no"])
    return found


def test_sites_train_together_from_invitation_to_model(world: World) -> None:
    run = world.end(world.launch("first"))
    assert run.state == "succeeded", run.failure
    assert world.participants(run) == [3, 3, 3, 3]
    assert (run.latest_metrics["accuracy"] or 0) > 0.8
    assert sorted(world.administrator.news(run.id)) == sorted((name, "joined") for name in NAMES)
    assert not list(world.stack.var_dir.rglob("*.piece")), "no piece is left"


@pytest.mark.fault("a site's link is cut for several rounds")
def test_a_site_that_is_cut_off_is_missed_and_comes_back(world: World) -> None:
    run = world.launch("cut", rounds=40, runtime={"round_limit_s": 3})
    with world.stack.client() as client:
        wait_for_rounds(client, run, 2)
        world.links["south"].cut()
        world.stack.injected += 1
        before = client.run(run.id).rounds_done
        wait_for_rounds(client, run, before + 4)
        world.links["south"].mend()
    run = world.end(run)
    assert run.state == "succeeded", run.failure
    told = world.administrator.news(run.id)
    assert ("south", "late") in told or ("south", "lost") in told
    participants = world.participants(run)
    assert len(participants) == 40
    assert participants.count(2) >= 3
    assert participants[-1] == 3, "it takes part again"


@pytest.mark.fault("a site's agent is killed while it trains")
def test_an_agent_that_is_killed_in_training_goes_on(world: World) -> None:
    run = world.launch("killed", rounds=2, local={"epochs": 300, "batch_size": 1, "lr": 0.001})
    world.wait_for_stage(run, "east", "training")
    world.sites["east"].kill()
    world.stack.injected += 1
    world.sites["east"].start()
    run = world.end(run)
    assert run.state == "succeeded", run.failure
    assert world.participants(run) == [3, 3]


@pytest.mark.fault("a site's link breaks in an upload, and its agent is killed")
def test_an_agent_that_is_killed_in_an_upload_goes_on_where_it_was(world: World) -> None:
    link, site = world.links["north"], world.sites["north"]
    link.cut_after = 3 * PIECE_BYTES
    run = world.launch("upload", rounds=2, model={"kind": "mlp", "hidden": [300, 400]})
    assert link.wait_until_cut(PATIENCE_S)
    site.kill()
    world.stack.injected += 1
    received = world.administrator.members(run.id)["north"]["task"]["received_bytes"]
    assert received >= PIECE_BYTES, "some of it had arrived"
    sent = link.bytes_up
    link.mend()
    site.start()
    run = world.end(run)
    assert run.state == "succeeded", run.failure
    assert world.participants(run)[0] == 3
    size = world.administrator.ask("GET", f"sites/{site.site_id}/tasks/")["results"]
    whole = max(task["size_bytes"] for task in size)
    assert link.bytes_up - sent < 2 * whole - received + PIECE_BYTES, "what was there is not resent"


@dataclass(frozen=True)
class Larger:
    """The three sites of the world and some more."""

    names: tuple[str, ...]
    sites: dict[str, SiteProcess]
    links: dict[str, Link]


@contextmanager
def joined_by(
    world: World, factory: pytest.TempPathFactory, more: dict[str, int | None]
) -> Iterator[Larger]:
    """Let sites join, each with so many rows, for as long as it lasts."""
    links = {name: Link(world.stack.port) for name in more}
    sites: dict[str, SiteProcess] = {}
    try:
        for place, (name, link) in enumerate(links.items(), start=3):
            link.start()
            data, folder = rows(place, more[name]), factory.mktemp(name)
            sites[name] = new_site(world.administrator, name, link, folder, data)
        for site in sites.values():
            site.wait_until_online(world.administrator)
        yield Larger((*NAMES, *more), world.sites | sites, world.links | links)
    finally:
        for site in sites.values():
            site.close()
        for link in links.values():
            link.close()


@pytest.fixture
def five(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Larger]:
    with joined_by(world, tmp_path_factory, {"west": None, "centre": None}) as found:
        yield found


@pytest.fixture
def slow(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Larger]:
    """With one more that is like the others, and one that takes the time of many rounds."""
    with joined_by(world, tmp_path_factory, {"near": None, "far": SLOW_ROWS}) as found:
        yield found


@pytest.mark.fault("one of five sites is lost after it has sent its masked vector")
def test_a_secure_sum_survives_a_site_that_is_lost_after_masking(
    world: World, five: Larger
) -> None:
    link, site = five.links["centre"], five.sites["centre"]
    link.heard = partial(cut_at_next_word, link, b'"secure_confirm"')
    sums = {"secure_aggregation": True}
    run = world.launch(
        "secure",
        rounds=2,
        partition={"kind": "sites", "clients": 5},
        privacy=sums,
        runtime={"sites": list(five.names), "min_updates": 4},
    )
    assert link.wait_until_cut(PATIENCE_S)
    site.kill()
    world.stack.injected += 1
    run = world.end(run)
    assert run.state == "succeeded", run.failure
    assert world.participants(run) == [5, 4], "its vector had arrived in the first round"
    assert (run.latest_metrics["accuracy"] or 0) > 0.6
    assert ("centre", "lost") in world.administrator.news(run.id)
    audit = (five.sites["north"].folder / "state" / "audit.jsonl").read_text()
    assert '"secure_unmask"' in audit


def cut_at_next_word(link: Link, word: bytes, way: str, block: bytes) -> None:
    """Cut a link as soon as the site would answer to what has this word in it."""
    if way == "down" and word in block:
        link.cut_after = 0


@pytest.mark.fault("a site leaves a run that waits for nobody, and the worker is killed")
def test_an_asynchronous_run_loses_no_update_with_a_site_or_a_worker(
    world: World, slow: Larger
) -> None:
    run = world.launch(
        "asynchronous",
        rounds=NUM_STEPS,
        algorithm={"kind": "fedbuff", "buffer": 2},
        partition={"kind": "sites", "clients": 5},
        local={"epochs": 20, "batch_size": 1, "lr": 0.01},
        evaluation={"every": 5},
        runtime={"sites": list(slow.names), "round_limit_s": 60},
    )
    with world.stack.client() as client:
        wait_for_rounds(client, run, 2)
        slow.sites["near"].kill()
        world.stack.injected += 1
        wait_for_rounds(client, run, 6)
        world.stack.kill("worker-1")
    run = world.end(run)
    assert run.state == "succeeded", run.failure
    steps = world.administrator.used(run.id)
    assert [len(clients) for clients in steps] == [2] * NUM_STEPS, "no step waits for a site"
    assert not [n for n, clients in enumerate(steps[5:]) if slow.names.index("near") in clients]
    assert ("near", "lost") in world.administrator.news(run.id)
    for client_id, name in enumerate(slow.names):
        delivered = world.administrator.delivered(run.id, slow.sites[name].site_id)
        counted = sum(clients.count(client_id) for clients in steps)
        assert len(delivered) == len(set(delivered)), f"{name} trains no model twice"
        # What arrives after the last step is of no use.
        assert counted <= len(delivered) <= counted + 1, f"no update of {name} is lost"
    far = [n for n, clients in enumerate(steps) if slow.names.index("far") in clients]
    assert far, "a slow site counts"
    assert far[0] >= 3, "and nobody waits for it"


@pytest.mark.fault("a site is revoked in the middle of a run")
def test_a_revoked_site_is_out_and_its_agent_ends(world: World) -> None:
    run = world.launch("revoked", rounds=30)
    with world.stack.client() as client:
        wait_for_rounds(client, run, 3)
    site = world.sites["south"]
    world.administrator.ask("POST", f"sites/{site.site_id}/revoke/", {"reason": "left the study"})
    world.stack.injected += 1
    run = world.end(run)
    assert run.state == "succeeded", run.failure
    assert world.administrator.news(run.id, "revoked") == [
        ("south", "It was revoked: left the study")
    ]
    assert world.participants(run)[-1] == 2
    wait_until(lambda: site.exit_code() is not None, within_s=60, what="the end of the agent")
    assert site.exit_code() == 3
