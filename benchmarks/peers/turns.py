"""The protocol between the driver and a contender: one line in, one round, one line out.

All contenders of a comparison are started first; then the driver lets them run one round each, in
turn, so that a slow minute of the machine hits them alike. A waiting contender blocks on its
standard input and uses no processor time. Without ``--turns`` it runs its rounds on end.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass, field
from statistics import median
from typing import Any, TextIO


def _private_stdout() -> TextIO:
    """Return the real standard output and send everybody else's prints to standard error."""
    private = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return private


@dataclass
class Turns:
    """Waits for the driver before every round and reports every round.

    Attributes:
        contender: Name in the reports.
        rounds: Rounds to run when nobody gives turns, the uncounted first one not included.
        interactive: Whether the driver gives turns.
    """

    contender: str
    rounds: int
    interactive: bool
    out: TextIO = field(default_factory=_private_stdout)
    reports: list[dict[str, Any]] = field(default_factory=list)
    _since: float = 0.0

    def ready(self, **facts: Any) -> None:
        """Say that everything is loaded; ``facts`` go into the table's footnotes."""
        self._say({"ready": True, "contender": self.contender, **facts})

    def wait(self) -> bool:
        """Return whether another round is to be run, as soon as that is known."""
        if self.interactive:
            more = sys.stdin.readline().strip() == "go"
        else:
            more = len(self.reports) <= self.rounds
        self._since = time.perf_counter()
        return more

    def done(self, **metrics: float) -> None:
        """Report the round that began when ``wait`` returned."""
        seconds = time.perf_counter() - self._since
        report = {"round": len(self.reports), "seconds": seconds, **metrics}
        self.reports.append(report)
        if self.interactive:
            self._say(report)

    def finish(self) -> None:
        """Print the summary of a run without turns; its first round warms up."""
        if self.interactive:
            return
        rates = [1 / report["seconds"] for report in self.reports[1:]]
        self._say(
            {
                "contender": self.contender,
                "rounds_per_s": rates,
                "median_rounds_per_s": median(rates),
                "final": self.reports[-1],
            }
        )

    def _say(self, message: dict[str, Any]) -> None:
        self.out.write(json.dumps(message) + "\n")
        self.out.flush()
