"""Four hospitals as four sites: the same run simulated and real, and all that crosses the wire.

Run it with ``python -m benchmarks.sites`` as root. Each hospital is an agent in a network namespace
of its own with one wire to the server's, which is a fifth; it enrols, is approved and trains 20
rounds. A proxy in front of the server ends TLS and keeps every byte, which is then searched for
the rows of the hospitals. Where namespaces are not permitted, all run on addresses of this machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from time import perf_counter

from benchmarks.apart import INSIDE, NotPermittedError, Place, certificate, listening, namespaces
from benchmarks.hospitals import (
    ROUNDS,
    TARGET,
    Hospital,
    hospitals,
    simulated_accuracy,
    spec_on_sites,
)
from tests.faults.links import Link
from tests.faults.sites import Administrator, SiteProcess
from tests.faults.stack import PASSWORD, Stack, wait_for_end

#: Of the accuracy.
ONE_POINT = 0.01
_PORT = 8443


@dataclass
class Capture:
    """All that has passed, without TLS."""

    up: bytearray = field(default_factory=bytearray)
    down: bytearray = field(default_factory=bytearray)
    _lock: Lock = field(default_factory=Lock)

    def hear(self, way: str, block: bytes) -> None:
        """Keep a block."""
        with self._lock:
            (self.up if way == "up" else self.down).extend(block)

    def traces_in(self, traces: set[bytes]) -> list[bytes]:
        """Return which of some byte strings have passed."""
        whole = bytes(self.up) + b"|" + bytes(self.down)
        return [trace for trace in traces if trace in whole]


@dataclass(frozen=True)
class Outcome:
    """What the real run came to."""

    accuracy: float
    seconds: float
    bytes_up: int
    bytes_down: int
    found: list[bytes]
    searched: int
    reachable: int


def play(places: list[Place], folder: Path) -> tuple[float, Outcome]:
    """Return the accuracy of the simulated run, and what the real one came to."""
    simulated, rows = hospitals()
    expected = simulated_accuracy(simulated)
    document = spec_on_sites(simulated, [hospital.name for hospital in rows])
    addresses = sorted({place.server_address for place in places})
    public, tls = certificate(folder, addresses)
    capture = Capture()
    with ExitStack() as stack:
        server = Stack(
            folder / "server",
            {
                "ROUNDHOUSE_MODE": "embedded",
                "ROUNDHOUSE_ALLOWED_HOSTS": ",".join(addresses),
                "ROUNDHOUSE_SITE_HEARTBEAT_S": "2",
            },
        )
        stack.callback(server.close)
        server.start()
        proxy = Link(server.port, host="", port=_PORT, tls=tls, heard=capture.hear)
        proxy.start()
        stack.callback(proxy.close)
        administrator = Administrator.signed_in(server.url, PASSWORD)
        sites = []
        for hospital, place in zip(rows, places, strict=True):
            site = _site(hospital, place, folder / hospital.name, public)
            site.enrol(administrator)
            hospital.write(site.folder / "data" / "heart")
            declared = {"name": "heart", "path": "heart", "target": TARGET}
            site.describe([{**declared, "share": ["class_counts", "scales"]}], models="any")
            site.start()
            stack.callback(site.close)
            sites.append(site)
        for site in sites:
            site.wait_until_online(administrator)
        began = perf_counter()
        with server.client() as client:
            run = wait_for_end(client, client.submit(name="heart", spec=document).runs[0])
        if run.state != "succeeded":
            raise SystemExit(f"the run has {run.state}: {run.failure}")
        reachable = sum(len(listening(place)) for place in places if place.prefix)
        traces = {trace for hospital in rows for trace in hospital.traces()}
        _require_sight(capture, traces)
        return expected, Outcome(
            accuracy=float(run.latest_metrics["accuracy"] or 0.0),
            seconds=perf_counter() - began,
            bytes_up=len(capture.up),
            bytes_down=len(capture.down),
            found=capture.traces_in(traces),
            searched=len(traces),
            reachable=reachable,
        )


def _site(hospital: Hospital, place: Place, folder: Path, public: Path) -> SiteProcess:
    url = f"https://{place.server_address}:{_PORT}"
    return SiteProcess(hospital.name, folder, url, prefix=place.prefix, ca_file=public)


def _require_sight(capture: Capture, traces: set[bytes]) -> None:
    """Check that the search would find a row, and that it looks at what was said.

    Raises:
        SystemExit: If it would not.
    """
    planted = Capture(up=bytearray(b"x" * 99 + next(iter(traces)) + b"y"))
    if not planted.traces_in(traces) or b"/api/v1/site/heartbeat/" not in capture.up:
        raise SystemExit("the search is blind")


def report(expected: float, real: Outcome, where: str) -> bool:
    """Print the figures and return whether all is as it should be."""
    difference = abs(real.accuracy - expected)
    print(f"{len(os.sched_getaffinity(0))} cores; {where}")
    print(f"rounds: {ROUNDS} in {real.seconds:.1f} s")
    print(f"accuracy: simulated {expected:.4f}, on sites {real.accuracy:.4f}")
    print(f"difference: {100 * difference:.2f} points, at most {100 * ONE_POINT:g} allowed")
    print(f"bytes without TLS: up {real.bytes_up:,}, down {real.bytes_down:,}")
    print(f"traces of rows searched: {real.searched:,}, found: {len(real.found)}")
    print(*(f"found {trace!r}" for trace in real.found), sep="\n", end="\n" if real.found else "")
    print(f"ports of sites that another machine could reach: {real.reachable}")
    return difference <= ONE_POINT and not real.found and real.reachable == 0


def main() -> int:
    """Make the machines, run, and say whether it came out as it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    inside = os.environ.get(INSIDE)
    if inside:
        places = [Place(tuple(p.split(" ")), a, o) for p, a, o in _read(inside)]
        return _run(places, f"{len(places) + 1} network namespaces")
    try:
        with namespaces(4) as (server, places):
            told = "\n".join(
                "\t".join((" ".join(p.prefix), p.server_address, p.own_address)) for p in places
            )
            command = [places[0].prefix[0], "netns", "exec", server, sys.executable, "-m"]
            environment = {**os.environ, INSIDE: told}
            return subprocess.run(
                [*command, "benchmarks.sites"], env=environment, check=False
            ).returncode
    except NotPermittedError as error:
        print(f"no network namespaces here ({error}); addresses of this machine instead")
        own = [Place((), "127.0.0.1", f"127.0.0.{n}") for n in range(2, 6)]
        return _run(own, "one machine, separate processes")


def _read(told: str) -> list[tuple[str, str, str]]:
    rows = (line.split("\t") for line in told.splitlines())
    return [(prefix, server, own) for prefix, server, own in rows]


def _run(places: list[Place], where: str) -> int:
    with tempfile.TemporaryDirectory(prefix="roundhouse-sites-") as folder:
        expected, real = play(places, Path(folder))
    return 0 if report(expected, real, where) else 1


if __name__ == "__main__":
    sys.exit(main())
