"""What the form says about input that cannot work."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from playwright.sync_api import Page, expect

from fedcore.spec import catalogue
from tests.e2e import screens

#: A method of every family, and what its short form calls its settings.
METHODS: dict[str, tuple[str, ...]] = {
    "fedprox": ("Pull (mu)",),
    "fedspeed": ("Pull (lambda)", "Look ahead (rho)"),
    "fedstale": ("Weight of the memory (beta)",),
    "fedbuff": ("Updates per step (buffer)",),
    "fedfix": ("Time between steps (tick)",),
    "async-fedavg": (),
    "dfedsam-mgs": ("Look ahead (rho)", "Gossip steps"),
    "ditto": ("Pull",),
    "fedrep": ("Head layers", "Head epochs"),
    "fedgh": ("Further models",),
    "ocfl": ("Clustering",),
    "fedkseed": ("Directions (seeds)",),
    "flora": (),
    "frl": ("Edges kept (keep)",),
}


#: Label, value, and what is said to it.
WRONG = (
    ("Clients", "0", "greater than or equal to 1"),
    ("Clients", "many", "valid integer"),
    ("Clients", "1000000", "examples"),
    ("Rounds", "1.5", "valid integer"),
    ("Learning rate", "-1", "greater than 0"),
    ("Learning rate", "", "valid number"),
)


def test_a_wrong_value_is_explained_beside_its_field_until_it_is_mended(member: Page) -> None:
    screens.open_form(member)
    launch = member.get_by_role("button", name="Launch run")
    for label, value, complaint in WRONG:
        field = screens.field(member, label)
        right = field.input_value()
        field.fill(value)
        expect(field, value).to_have_attribute("aria-invalid", "true")
        expect(field, value).to_have_accessible_description(re.compile(complaint))
        expect(launch).to_be_disabled()
        field.fill(right)
        expect(field, value).not_to_have_attribute("aria-invalid", "true")
        expect(launch).to_be_enabled()
    expect(member.get_by_text("Ready to launch")).to_be_visible()


def test_a_problem_in_a_folded_group_unfolds_it(member: Page) -> None:
    screens.open_form(member)
    member.get_by_role("button", name=re.compile("^Local")).click()
    momentum = screens.field(member, "Momentum")
    momentum.fill("7")
    expect(momentum).to_have_accessible_description(re.compile("less than 1"))
    momentum.fill("0.5")
    expect(member.get_by_text("Ready to launch")).to_be_visible()


def test_methods_of_every_family_are_set_in_words_and_can_be_launched(member: Page) -> None:
    titles = {entry.kind: entry for entry in catalogue() if entry.section == "algorithm"}
    for kind, labels in METHODS.items():
        entry = titles[kind]
        spec = json.dumps({"algorithm": {"kind": kind}, **entry.example})
        member.goto(f"/new?spec={quote(spec)}")
        algorithm = member.get_by_role("combobox", name="Algorithm")
        expect(algorithm, kind).to_have_value(entry.title)
        card = member.get_by_role("region", name="Model and method")
        for label in labels:
            expect(card.get_by_text(label, exact=True), kind).to_be_visible()
        expect(member.get_by_text("Ready to launch"), kind).to_be_visible()


def test_settings_that_exclude_each_other_empty_each_other(member: Page) -> None:
    screens.open_form(member)
    member.get_by_role("button", name=re.compile("^Local")).click()
    screens.field(member, "Steps").fill("10")
    expect(screens.field(member, "Epochs")).to_have_value("")
    screens.field(member, "Epochs").fill("2")
    expect(screens.field(member, "Steps")).to_have_value("")
    expect(member.get_by_text("Ready to launch")).to_be_visible()


def test_the_settings_follow_the_chosen_kind_and_the_estimate_follows_the_settings(
    member: Page,
) -> None:
    screens.open_form(member)
    summary = member.get_by_role("complementary", name="This run")
    expect(summary.get_by_text("55,210")).to_be_visible()
    member.get_by_role("combobox", name="Model").click()
    member.get_by_role("option", name=re.compile("^Linear")).click()
    expect(screens.field(member, "Hidden")).to_have_count(0)
    expect(summary.get_by_text("650", exact=True)).to_be_visible()
