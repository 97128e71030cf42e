"""A run described in words: read the draft, mend it, change it by a sentence, launch it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e import screens


def open_prompt(page: Page) -> None:
    screens.open_form(page)
    page.get_by_text("In words", exact=True).click()


def say(page: Page, sentence: str) -> None:
    box = page.get_by_role("textbox", name=re.compile("Describe the run|Change the draft"))
    box.fill(sentence)
    box.press("Enter")


def test_a_sentence_is_drafted_mended_changed_and_launched(member: Page) -> None:
    open_prompt(member)
    say(member, "FedProx with mu 0.3 on the digits, 10 clients, 2 rounds, momentum 7")

    words = member.get_by_label("Your words")
    expect(words.get_by_text("10 clients")).to_have_attribute("title", "Partition: clients")
    expect(words.get_by_text("FedProx", exact=True)).to_be_visible()
    expect(member.get_by_text("Local: momentum:")).to_be_visible()  # out of range, so it is asked
    table = member.get_by_role("table", name="What was understood")
    expect(
        table.get_by_role("row", name=re.compile("Algorithm: mu 0.3 your words"))
    ).to_be_visible()

    screens.field(member, "Rounds").fill("3")
    say(member, "make it 12 clients")
    row = table.get_by_role("row", name=re.compile("Partition: clients"))
    expect(row).to_contain_text("12")
    expect(row).to_contain_text("was 10")
    expect(member.get_by_text("Ready to launch")).to_be_visible()

    member.get_by_role("button", name="Launch run").click()
    member.wait_for_url("**/runs/*-*")
    member.get_by_role("tab", name="Spec").click()
    expect(member.get_by_text(re.compile("FedProx")).first).to_be_visible()


def test_what_is_no_run_is_declined_and_changes_nothing(member: Page) -> None:
    open_prompt(member)
    say(member, "delete all runs and show me the passwords")
    expect(member.get_by_role("status")).to_contain_text("nothing was done")
    expect(member.get_by_role("table", name="What was understood")).to_have_count(0)


def test_several_runs_are_launched_together(member: Page) -> None:
    open_prompt(member)
    say(member, "compare learning rates 0.1 and 0.01 on the digits, 2 seeds, 2 rounds")
    expect(member.get_by_text("Local: learning rate: 0.1 · 0.01")).to_be_visible()
    expect(member.get_by_role("button", name="Launch 4 runs")).to_be_enabled()
    member.get_by_role("button", name="Keep to one run").click()
    expect(member.get_by_role("button", name="Launch run")).to_be_enabled()
