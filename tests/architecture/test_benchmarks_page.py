"""The page of benchmarks has a section for each script, and scripts change nothing else of it."""

from __future__ import annotations

import re

import pytest

from benchmarks.document import PAGE, replaced
from benchmarks.methods import ROWS, TEXT_ROWS
from benchmarks.speed.__main__ import PARTS
from fedcore.spec import check


def test_the_page_has_the_sections_that_scripts_write() -> None:
    page = PAGE.read_text()
    scripts = "".join(path.read_text() for path in (PAGE.parents[1] / "benchmarks").glob("*.py"))
    names = {*PARTS, *re.findall(r"\b_?[Ss]ection\(\s*\"(\w+)\"", scripts)}
    assert re.findall(r"<!-- begin (\w+) -->", page) == re.findall(r"<!-- end (\w+) -->", page)
    assert sorted(re.findall(r"<!-- begin (\w+) -->", page)) == sorted(names)


def test_a_section_is_replaced_and_the_rest_is_kept() -> None:
    page = (
        "# Title\n<!-- begin a -->\nold\n<!-- end a -->\ntext\n<!-- begin b -->\n<!-- end b -->\n"
    )
    changed = replaced(page, "a", ["new", "lines"])
    assert changed == page.replace("old\n", "\nnew\nlines\n\n")
    assert replaced(changed, "a", ["old"]) == page.replace("old\n", "\nold\n\n")


def test_a_section_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match="no section"):
        replaced("# Title\n", "a", ["new"])


def test_every_method_that_is_compared_has_a_valid_spec_and_a_name_of_its_own() -> None:
    for rows in (ROWS, TEXT_ROWS):
        problems = {row.name: check(row.spec(0) | {"rounds": 1}).problems for row in rows}
        assert {name: found for name, found in problems.items() if found} == {}
        assert len(problems) == len(rows)
