"""Runs a spec, round by round."""

from fedcore.clients.training import Interrupted, ShouldStop
from fedcore.engine.assignments import Assignment
from fedcore.engine.at_sites import Answer, Answers, SecureSum, SiteTally
from fedcore.engine.chunks import Chunk, Pace
from fedcore.engine.data import partition_report
from fedcore.engine.engine import Engine
from fedcore.engine.report import ClientReport, ClientScore, RoundReport
from fedcore.state import Totals

__all__ = [
    "Answer",
    "Answers",
    "Assignment",
    "Chunk",
    "ClientReport",
    "ClientScore",
    "Engine",
    "Interrupted",
    "Pace",
    "RoundReport",
    "SecureSum",
    "ShouldStop",
    "SiteTally",
    "Totals",
    "partition_report",
]
