"""From signing in to a trained model, as a newcomer goes through it."""

from __future__ import annotations

from playwright.sync_api import Page, Response, expect

from tests.e2e import screens
from tests.faults.stack import PASSWORD, Stack

ROUNDS = 300
#: Long enough to be watched, reloaded and disturbed on the way, on a slowed worker.
WATCHED = {"Name": "Watched", "Rounds": str(ROUNDS), "Clients": "20", "Learning rate": "0.1"}
ENDLESS = {"Name": "Endless", "Rounds": "100000", "Clients": "20"}


def test_a_wrong_password_is_refused_in_words(page: Page) -> None:
    screens.sign_in(page, password="not-this-one")  # noqa: S106
    expect(page.get_by_role("alert")).to_contain_text("The name or the password is wrong.")


def test_what_the_start_page_loads_travels_compressed(page: Page) -> None:
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 (not a builtin)
    page.goto("/sign-in")
    expect(page.get_by_label("Username")).to_be_visible()
    assets = [answer.headers for answer in answers if "/assets/" in answer.url]
    # Of a file of some hundred bytes nothing is left to save.
    large = [headers for headers in assets if int(headers["content-length"]) > 1_000]
    assert large
    assert {headers.get("content-encoding") for headers in large} == {"br"}


def test_signing_in_leads_back_to_where_one_wanted_to_go(page: Page) -> None:
    page.goto("/new?clone=")
    expect(page.get_by_label("Username")).to_be_visible()
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("form", name="New run")).to_be_visible()


def test_a_run_is_launched_watched_reloaded_and_downloaded(member: Page, stack: Stack) -> None:
    page = member
    with stack.slowed():
        run_id = screens.launch(page, WATCHED)
        expect(page.get_by_role("heading", name="Watched", level=1)).to_be_visible()
        loaded_at = page.evaluate("performance.timeOrigin")

        seen = screens.wait_for_points(page, more_than=0)
        for _ in range(3):
            seen = screens.wait_for_points(page, more_than=seen)
        assert page.evaluate("performance.timeOrigin") == loaded_at, "the chart grew by a reload"
        assert seen < ROUNDS, "the run ended before it could be watched"

        page.reload()
    assert screens.wait_for_points(page, more_than=seen - 1) >= seen
    screens.expect_state(page, "succeeded")

    with stack.client() as client:
        recorded = [row.round for row in client.rounds(run_id)]
    assert recorded == list(range(ROUNDS))
    for metric in ("accuracy", "loss"):
        expect(screens.chart(page, metric)).to_have_attribute("data-points", str(ROUNDS))
    expect(page.get_by_role("progressbar", name="Rounds finished")).to_have_attribute(
        "aria-valuenow", str(ROUNDS)
    )

    page.get_by_role("tab", name="Model").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download model.safetensors").click()
    assert download.value.suggested_filename.endswith(".safetensors")
    assert download.value.path().stat().st_size > 10_000


def test_a_run_can_be_paused_resumed_and_cancelled(member: Page) -> None:
    page = member
    screens.launch(page, ENDLESS)
    screens.wait_for_points(page, more_than=0)

    page.get_by_role("button", name="Pause").click()
    screens.expect_state(page, "paused")
    seen = screens.num_points(page)
    page.get_by_role("button", name="Resume").click()
    screens.wait_for_points(page, more_than=seen)

    page.get_by_role("button", name="Cancel").click()
    dialog = page.get_by_role("dialog", name="Cancel this run?")
    dialog.get_by_role("button", name="Keep it running").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Cancel").click()
    dialog.get_by_role("button", name="Cancel run").click()
    screens.expect_state(page, "cancelled")
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)

    page.get_by_role("link", name="Clone").click()
    expect(screens.field(page, "Name")).to_have_value("Endless (copy)")
    expect(screens.field(page, "Rounds")).to_have_value(ENDLESS["Rounds"])


def test_going_offline_and_back_loses_no_point_and_two_windows_agree(
    member: Page, stack: Stack
) -> None:
    with stack.slowed():
        screens.launch(member, {**WATCHED, "Name": "Disturbed"})
        other = member.context.new_page()
        other.goto(member.url)
        seen = screens.wait_for_points(member, more_than=1)
        member.context.set_offline(offline=True)
        for page in (member, other):
            expect(page.get_by_text("You are offline")).to_be_visible()
        member.context.set_offline(offline=False)
    for page in (member, other):
        expect(page.get_by_text("You are offline")).to_be_hidden()
    screens.wait_for_points(member, more_than=seen)
    for page in (member, other):
        screens.expect_state(page, "succeeded")
        expect(screens.chart(page)).to_have_attribute("data-points", str(ROUNDS))
    tiles = "dl dd"
    assert member.locator(tiles).all_inner_texts() == other.locator(tiles).all_inner_texts()
