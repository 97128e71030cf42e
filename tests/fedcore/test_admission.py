"""The gate, one check at a time."""

from dataclasses import replace
from typing import Any

import torch

from fedcore.engine.admission import Gate
from fedcore.messages import Update
from fedcore.params import Params
from fedcore.wire import schema_of

UPDATE = Update(
    sections={"delta": Params.of({"w": torch.ones(3)})},
    scalars={"loss": 1.0},
    base_version=4,
    client_id=7,
    weight=10.0,
)


def gate() -> Gate:
    return Gate(expected=dict.fromkeys((7, 8), schema_of(UPDATE)), base_version=4)


def refusal(opened: Gate, **changes: Any) -> str:
    reason = opened.refusal(replace(UPDATE, **changes))
    assert reason is not None
    return reason


def test_a_sound_update_is_let_in_once() -> None:
    opened = gate()
    assert opened.refusal(UPDATE) is None
    assert "duplicate" in refusal(opened)
    assert opened.refusal(replace(UPDATE, client_id=8)) is None


def test_whoever_was_refused_may_send_again() -> None:
    opened = gate()
    assert "stale" in refusal(opened, base_version=3)
    assert opened.refusal(UPDATE) is None


def test_an_update_from_the_future_is_as_stale_as_one_from_the_past() -> None:
    assert "stale" in refusal(gate(), base_version=5)


def test_strangers_are_refused_before_their_content_is_looked_at() -> None:
    poison = {"delta": {"w": torch.tensor([float("nan")])}}
    assert "unknown client" in refusal(gate(), client_id=9, sections=poison)
