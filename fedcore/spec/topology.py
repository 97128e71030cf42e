"""Who talks to whom."""

from __future__ import annotations

from typing import ClassVar, Literal

from fedcore.spec.base import Choice


class TopologySpec(Choice):
    """Who talks to whom."""

    section: ClassVar[str] = "topology"


class StarSpec(TopologySpec):
    """Every client talks to one server."""

    title: ClassVar[str] = "Star"
    synonyms: ClassVar[tuple[str, ...]] = ("central server", "client-server")

    kind: Literal["star"] = "star"
