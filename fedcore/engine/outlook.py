"""What a round on sites begins with, before anybody is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fedcore.engine.context import RunContext
from fedcore.state import RunState
from fedcore.triggers import Wait


@dataclass(frozen=True)
class Outlook:
    """What is known of the next round on sites.

    Attributes:
        wait: When it ends; None if it waits for everybody and lets go who is late.
        at_work: Sites that go on with a model that they were sent earlier, with its version.
        restarts_at_once: Whether the place of a site that has delivered is taken before it ends.
        is_last: Whether no round follows it.
    """

    wait: Wait | None
    at_work: Mapping[int, int]
    restarts_at_once: bool
    is_last: bool


def outlook(context: RunContext, state: RunState) -> Outlook:
    """Return what is known of the round after a state."""
    trigger = context.method.trigger
    return Outlook(
        wait=None if trigger.dismisses else trigger.wait,
        at_work={c: flight.message.base_version for c, flight in state.flights.items()},
        restarts_at_once=trigger.restarts_at_once,
        is_last=state.round_index + 1 >= context.spec.rounds,
    )
