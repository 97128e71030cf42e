"""What a site keeps of secure sums, and for how long."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fedcore.agent.sums import forget_old
from fedcore.secagg import SecureAggregationError, documents
from fedcore.sites.tasks import TaskKind
from tests.sites.secure_exchange import MODEL, Exchange


def test_nothing_secret_is_left_when_a_sum_was_opened(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    exchange.play()
    folder = tmp_path / "0"
    assert json.loads((folder / "memory.json").read_text())["memory"] is None
    assert not (folder / "vector").exists()
    assert {file.stat().st_mode & 0o077 for file in folder.iterdir()} == {0}


def test_the_vector_is_gone_once_it_was_sent_under_its_masks_also_after_a_crash(
    tmp_path: Path,
) -> None:
    exchange = Exchange(tmp_path)
    survivors = exchange.mask(exchange.share(exchange.show_keys()))
    vector = tmp_path / "0" / "vector"
    assert not vector.exists()
    signed = exchange.confirm(survivors)
    opened = exchange.ask(TaskKind.UNMASK, 0, documents.as_message(signed))
    vector.write_bytes(b"as it was when the power failed")
    assert exchange.ask(TaskKind.UNMASK, 0, documents.as_message(signed)) == opened
    assert not vector.exists()


def test_secrets_of_a_sum_that_is_never_opened_are_forgotten_and_its_number_is_not(
    tmp_path: Path,
) -> None:
    exchange = Exchange(tmp_path)
    exchange.number = 3
    exchange.begin()
    keys = exchange.show_keys()
    exchange.ask(TaskKind.SHARES, 0, documents.as_message(keys))
    folders = [tmp_path / str(n) for n in range(5)]
    file = folders[0] / "memory.json"
    written = file.stat().st_mtime
    damaged = folders[1] / "memory.json"
    damaged.write_text("{}")
    before = file.read_bytes()
    forget_old(folders, written + 6 * 86_400)
    assert file.read_bytes() == before, "the run may be paused"
    assert (folders[0] / "vector").exists()
    forget_old(folders, written + 8 * 86_400)
    assert [each.name for each in folders[0].iterdir()] == ["memory.json"]
    assert json.loads(file.read_text())["memory"] is None
    with pytest.raises(SecureAggregationError, match="has opened this sum already, or given it up"):
        exchange.ask(TaskKind.MASKED, 0, b'{"shares": []}')
    exchange.number = 2
    with pytest.raises(SecureAggregationError, match="sum 2 of this run is over for this site"):
        exchange.ask(TaskKind.KEYS, 0, MODEL)
    exchange.number = 4
    assert exchange.ask(TaskKind.KEYS, 0, MODEL)


def test_a_site_that_has_lost_what_it_knew_is_lost_to_the_sum(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    keys = exchange.show_keys()
    for file in (tmp_path / "2").iterdir():
        file.unlink()
    with pytest.raises(SecureAggregationError, match="has no keys of this sum"):
        exchange.share(keys)
