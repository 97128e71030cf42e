"""The engine asks a method's hooks, never which method it is."""

import re

from fedcore.spec.algorithms import AlgorithmSpec
from tests.architecture.sources import ROOT

_METHODS = "|".join(sorted(cls.__name__ for cls in AlgorithmSpec.kinds().values()))
#: Comparing kinds, naming the spec of a method, and importing one method.
_SPECIAL = re.compile(
    r"\.kind\s*(==|!=|in\b|not in\b)"
    rf"|\b({_METHODS})\b"
    r"|from fedcore\.spec\.algorithms"
    r"|from fedcore\.algorithms\.(?!base\b)\w+"
)
_PARTS = ("engine", "pipeline", "clients")


def test_no_part_of_the_engine_has_a_case_for_one_method() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for part in _PARTS
        for path in sorted((ROOT / "fedcore" / part).rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if _SPECIAL.search(line)
    ]
    assert found == []


def test_the_rule_sees_what_it_is_for() -> None:
    for line in (
        'if spec.algorithm.kind == "fedavg":',
        "if isinstance(spec.algorithm, FedAvgSpec):",
        "from fedcore.algorithms.scaffold import Scaffold",
        "from fedcore.spec.algorithms import FedAvgSpec",
    ):
        assert _SPECIAL.search(line)
