"""``make test`` runs everything that there is."""

from pathlib import PurePosixPath

from tests.architecture.sources import ROOT
from tests.matrix import suites


def test_every_folder_with_tests_is_in_a_suite() -> None:
    there = {
        path.relative_to(ROOT).parts[1]
        for path in (ROOT / "tests").rglob("test_*.py")
        if "__pycache__" not in path.parts
    }
    run = {PurePosixPath(path).parts[1] for suite in suites() for path in suite.paths}
    assert there <= run
