"""What is installed is pinned and locked: each version once, each with its hashes."""

from __future__ import annotations

import pytest

from supply.audit import LOCKS, pins
from supply.licences import ALLOWED
from supply.lock import BUILD, IMAGES, PER_MACHINE, entries_of, normal
from tests.architecture.sources import ROOT


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    return {normal(name): version.strip() for name, version in pairs}


def test_the_lock_holds_the_versions_of_the_constraints() -> None:
    locked = {name: version for name, (version, _) in pins(ROOT / "supply/dev.lock").items()}
    wanted = {n: v for n, v in constraints().items() if not PER_MACHINE.match(f"{n}==")}
    assert {n: v for n, v in locked.items() if n != BUILD} == wanted, "run `make lock`"


@pytest.mark.parametrize("lock", [*(f"supply/{image}.lock" for image in IMAGES), *LOCKS])
def test_every_package_of_a_lock_has_hashes(lock: str) -> None:
    found = pins(ROOT / lock)
    assert [name for name, (_, hashes) in found.items() if not hashes] == []
    assert len(found) > 10


@pytest.mark.parametrize("lock", [f"supply/{image}.lock" for image in IMAGES])
def test_images_install_a_part_of_what_is_tested(lock: str) -> None:
    tested = pins(ROOT / "supply/dev.lock")
    other = {
        name: version
        for name, (version, _) in pins(ROOT / lock).items()
        if tested.get(name, ("nothing", 0))[0] != version
    }
    assert other == {}
    assert BUILD in pins(ROOT / lock)


def test_packages_that_differ_between_machines_are_taken_out() -> None:
    text = "a==1 \\\n    --hash=0\ntorch==2 \\\n    --hash=1\nnvidia-nccl-cu13==3\nz==4\n"
    text += "roundhouse @ file:///somewhere\n"
    assert entries_of(text) == {"a": "a==1 \\\n    --hash=0\n", "z": "z==4\n"}


def test_strong_copyleft_is_not_allowed() -> None:
    for licence in ("GPL-3.0-or-later", "AGPL-3.0", "SSPL-1.0", "unknown", "Proprietary"):
        assert not any(word.lower() in licence.lower() for word in ALLOWED), licence
