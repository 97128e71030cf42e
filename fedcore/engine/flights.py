"""Clients at work, and which of them have arrived when a round ends."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fedcore.clients.work import Fate
from fedcore.state import Flight
from fedcore.triggers import Trigger


@dataclass(frozen=True, eq=False)
class Landing:
    """What a round sees of the clients that are at work in it.

    Attributes:
        fates: What becomes of every client that is done with when the round ends, in the order in
            which they arrive.
        seconds: How long the round lasts.
        replaced: Whose place another client takes before that, with the model of the round.
    """

    fates: Mapping[int, Fate]
    seconds: float
    replaced: Collection[int] = ()

    @property
    def num_due(self) -> int:
        """How many updates arrive."""
        return sum(fate == "arrives" for fate in self.fates.values())


def land(flights: Mapping[int, Flight], trigger: Trigger, deadline_s: float | None) -> Landing:
    """Return who has arrived when the trigger ends a round; ties are broken by the client's id."""
    coming = sorted((flight.arrives_in_s, client_id) for client_id, flight in flights.items())
    arriving = [(seconds, client) for seconds, client in coming if not flights[client].is_lost]
    cut = trigger.cut([seconds for seconds, _ in arriving], deadline_s)
    due = {client for _, client in arriving[: cut.num_due]}
    waits_no_longer = trigger.dismisses or not (due or trigger.allows_none)
    seen_until_s = math.inf if waits_no_longer else cut.seconds
    fates: dict[int, Fate] = {}
    for seconds, client in coming:
        if client in due:
            fates[client] = "arrives"
        elif flights[client].is_lost and seconds <= seen_until_s:
            fates[client] = "lost"
        elif trigger.dismisses:
            fates[client] = "late"
    replaced: set[int] = set()
    if trigger.restarts_at_once:
        replaced = {c for c in fates if flights[c].arrives_in_s < cut.seconds}
    return Landing(fates, cut.seconds, replaced)
