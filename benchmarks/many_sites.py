"""Two hundred sites at one server: all finish, memory stays flat, and bytes are what they must be.

Run it with ``python -m benchmarks.many_sites``. The agents are the real ones, many to a process so
that one machine holds them; the server is a whole installation. The model is tiny: what is measured
is everything around it.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread
from time import perf_counter
from typing import Any

import yaml

from benchmarks.document import Section, add_write_option, machine, table
from benchmarks.priority import get_ahead, get_children_ahead
from fedcore.agent import parts, starting
from fedcore.agent.config import read_config, read_site
from fedcore.agent.connection import Connection
from fedcore.agent.enrolment import enrol
from fedcore.agent.opening import open_agent
from fedcore.data.sites import Holding
from fedcore.engine import Engine
from fedcore.spec import RunSpec
from tests.faults.sites import Administrator
from tests.faults.stack import PASSWORD, Stack, wait_for_end
from tests.waiting import wait_until
from webapp.client import Client, Run

ROUNDS = 10
FEATURES = 4
TRAIN_ROWS = 24
#: Of all rows, as many are held out as leave those to train on.
TEST_FRACTION = 0.2
HERDS = 4
#: A process may hold so much more at the end than after the second round.
MAX_GROWTH = 1.10
_NUMBER_BYTES = 4
_PATIENCE_S = 1800.0
_READY = "ready"


def document(names: list[str]) -> dict[str, Any]:
    """Return the run."""
    return {
        "rounds": ROUNDS,
        "dataset": {
            "kind": "sites",
            "name": "rows",
            "inputs": [{"column": f"x{n}"} for n in range(FEATURES)],
            "target": {"column": "y", "classes": ["no", "yes"]},
        },
        "partition": {"kind": "sites", "clients": len(names)},
        "model": {"kind": "linear"},
        "sampling": {"kind": "full"},
        "local": {"epochs": 1, "batch_size": 8, "lr": 0.1},
        "runtime": {
            "placement": "sites",
            "sites": names,
            "round_limit_s": 600,
            "min_updates": len(names),
        },
    }


def make_site(folder: Path, server: str, administrator: Administrator, name: str) -> None:
    """Enrol a site that holds a few rows, and have it approved."""
    folder.mkdir(parents=True)
    file = folder / "site.yaml"
    site_id, code = administrator.invite(name)
    starting.write_config(file, server, ca_file=None, pins=())
    config = read_config(file)
    state_dir = folder / config.state_dir
    with Connection(config.server, None) as connection:
        reply = enrol(code, connection, state_dir, parts.audit_log_in(state_dir))
    starting.write_policy(folder / config.policy, reply.project)
    described = yaml.safe_load(file.read_text())
    described |= {
        "datasets": [{"name": "rows", "path": "rows.csv", "test_fraction": TEST_FRACTION}],
        "status_page": {"enabled": False},
    }
    file.write_text(yaml.safe_dump(described))
    policy = yaml.safe_load((folder / config.policy).read_text())
    (folder / config.policy).write_text(yaml.safe_dump({**policy, "approval": "automatic"}))
    _write_rows(folder / "data" / "rows.csv", name)
    administrator.ask("POST", f"sites/{site_id}/approve/")


def _write_rows(file: Path, name: str) -> None:
    drawn = random.Random(name)  # noqa: S311
    with file.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow([*(f"x{n}" for n in range(FEATURES)), "y"])
        for _ in range(round(TRAIN_ROWS / (1 - TEST_FRACTION))):
            x = [round(drawn.gauss(0, 1), 3) for _ in range(FEATURES)]
            rows.writerow([*x, "yes" if x[0] > 0 else "no"])


def herd(folders: list[Path]) -> None:
    """Run the agents of some sites until the process is ended."""
    with ExitStack() as stack:
        for folder in folders:
            agent = stack.enter_context(open_agent(read_site(folder / "site.yaml")))
            Thread(target=agent.run, name=folder.name, daemon=True).start()
        (folders[0] / _READY).touch()
        sys.stdin.read()  # ends with the process that started this one
    os._exit(0)


def bytes_per_round(spec: RunSpec, names: list[str]) -> tuple[int, int]:
    """Return what a round must send up and down: numbers, and the header that names them."""
    holdings = [Holding(name, TRAIN_ROWS, 1) for name in names]
    engine = Engine.create(spec, holdings=holdings)
    numbers = (FEATURES + 1) * 2
    one = engine.assignments(range(len(names)))[0]
    header_down = 8 + int.from_bytes(one.payload[:8], "little")
    down = header_down + 8 * 1 + _NUMBER_BYTES * numbers  # the version, then the weights
    header_up = one.max_result_bytes - 8 * 2 - 8 * 2 - _NUMBER_BYTES * numbers
    if header_up <= 0 or len(one.payload) != down:
        raise SystemExit("a message is not what its numbers come to")
    return len(names) * one.max_result_bytes, len(names) * down


def resident_mib(pid: int) -> float:
    """Return how much memory a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def watch(client: Client, run: Run, pids: dict[str, int]) -> list[dict[str, float]]:
    """Return the memory of the server's processes after each round."""
    pause, seen = Event(), list[dict[str, float]]()
    deadline = perf_counter() + _PATIENCE_S
    while perf_counter() < deadline:
        now = client.run(run.id)
        if now.rounds_done > len(seen):
            seen.append({name: resident_mib(pid) for name, pid in pids.items()})
        if now.is_final:
            return seen
        pause.wait(1.0)
    raise SystemExit("the run does not end")


def main() -> int:
    """Start everything, run, and say whether it came out as it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_write_option(parser)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--herd", type=Path, nargs="*", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.herd:
        herd(given.herd)
        return 0
    get_ahead()
    section = Section("many_sites", "python -m benchmarks.many_sites", given.write)
    with tempfile.TemporaryDirectory(prefix="roundhouse-sites-") as folder:
        return play(section, given.agents, Path(folder))


def play(section: Section, count: int, folder: Path) -> int:
    """Return 0 if all went well with so many agents."""
    where = machine()
    names = [f"site-{number:03}" for number in range(count)]
    many = str(1_000_000)
    settings = {
        "ROUNDHOUSE_MODE": "embedded",
        "ROUNDHOUSE_ANONYMOUS_PER_MINUTE": many,
        "ROUNDHOUSE_CHANGES_PER_MINUTE": many,
    }
    with ExitStack() as stack:
        server = Stack(folder / "server", settings)
        stack.callback(server.close)
        server.start()
        administrator = Administrator.signed_in(server.url, PASSWORD)
        began = perf_counter()
        for name in names:
            make_site(folder / name, server.url, administrator, name)
        enrolled_s = perf_counter() - began
        for number in range(HERDS):
            _start_herd(stack, [folder / name for name in names[number::HERDS]])
        _wait_until_online(administrator, count)
        get_children_ahead()
        with server.client() as client:
            began = perf_counter()
            run = client.submit(name="many", spec=document(names)).runs[0]
            memory = watch(client, run, server.pids())
            ended = wait_for_end(client, run)
            seconds = perf_counter() - began
            rounds = client.rounds(run.id)
        if ended.state != "succeeded":
            raise SystemExit(f"the run has {ended.state}: {ended.failure}")
    head = (
        f"{count} agents in {HERDS} processes, embedded server (SQLite, one web process). {where}"
    )
    times = [
        ("enrolled and approved", f"{enrolled_s:.0f} s"),
        (f"{ROUNDS} rounds, each trained and tested", f"{seconds:.0f} s"),
    ]
    facts, is_good = judged(names, rounds, memory)
    section.say(head, "", *table(("what", "measured"), (*times, *facts)))
    if not is_good:
        return 1
    section.end()
    return 0


def judged(
    names: list[str], rounds: list[Any], memory: list[dict[str, float]]
) -> tuple[list[tuple[str, str]], bool]:
    """Return what is to be said of the rounds, and whether all is as it must be."""
    up, down = bytes_per_round(RunSpec.parse(document(names)), names)
    exact = all((row.bytes_up, row.bytes_down) == (up, down) for row in rounds)
    complete = all(row.participants == len(names) for row in rounds)
    growth = {name: memory[-1][name] / memory[1][name] for name in memory[1]}
    facts = [
        ("all sites in each round", _yes(complete)),
        ("bytes up and down in each round", f"{up:,} and {down:,}"),
        ("as the formula says", _yes(exact)),
        *((f"memory of {name} after round 2, at the end", _grown(name, memory)) for name in growth),
    ]
    return facts, exact and complete and max(growth.values()) <= MAX_GROWTH


def _yes(is_so: bool) -> str:  # noqa: FBT001
    return "yes" if is_so else "no"


def _grown(name: str, memory: list[dict[str, float]]) -> str:
    return f"{memory[1][name]:.0f} MiB, {memory[-1][name]:.0f} MiB"


def _start_herd(stack: ExitStack, folders: list[Path]) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ROUNDHOUSE_")}
    log = folders[0] / "herd.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.many_sites", "--herd", *map(str, folders)],
            env={**kept, "OMP_NUM_THREADS": "1", "ROUNDHOUSE_CACHE_DIR": str(folders[0] / "cache")},
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )

    def end() -> None:
        process.kill()
        process.communicate()

    stack.callback(end)
    wait_until(
        lambda: (folders[0] / _READY).exists() or process.poll() is not None,
        within_s=_PATIENCE_S,
        every_s=0.2,
        what="agents that run",
    )
    if process.poll() is not None:
        raise SystemExit(f"the agents have ended:\n{log.read_text()}")


def _wait_until_online(administrator: Administrator, count: int) -> None:
    pause = Event()
    deadline = perf_counter() + _PATIENCE_S
    while perf_counter() < deadline:
        address, online = "sites/?page_size=200&dataset=rows", 0
        online = sum(
            row["presence"] == "online" for row in administrator.ask("GET", address)["results"]
        )
        if online >= min(count, 200):
            return
        pause.wait(1.0)
    raise SystemExit("not all agents are online")


if __name__ == "__main__":
    sys.exit(main())
