"""The page of a site for people on its machine: what goes on, and runs that wait for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

from fedcore.agent.audit import Entry
from fedcore.agent.board import Snapshot, Waiting
from fedcore.sites.messages import DatasetDeclaration, PolicyRule

MAX_ROWS = 20
#: Longer text may be broken over several lines.
_LONG = 26

STYLE = """
:root { color-scheme: light dark; --line: #d0d5dd; --soft: #f5f6f8; --text: #1d2430;
  --quiet: #5a6472; --warn: #8a3b00; --accent: #0b5cad; --back: #fff; }
@media (prefers-color-scheme: dark) { :root { --line: #3a4250; --soft: #1c222b; --text: #e6e9ee;
  --quiet: #a3adba; --warn: #ffb27a; --accent: #7db8f5; --back: #12161c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; font: 16px/1.5 system-ui, sans-serif;
  color: var(--text); background: var(--back); }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; } .quiet { color: var(--quiet); } .warn { color: var(--warn); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 1rem 0; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0;
  border-bottom: 1px solid var(--line); white-space: nowrap; }
td.long { min-width: 14rem; white-space: normal; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
section.run { background: var(--soft); border: 1px solid var(--line); border-radius: .5rem;
  padding: 1rem; margin: .5rem 0; }
form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; margin-top: .75rem; }
label { display: block; } input, button { font: inherit; padding: .4rem .75rem; min-height: 2.75rem;
  border: 1px solid var(--quiet); border-radius: .375rem; color: var(--text);
  background: var(--back); } button { cursor: pointer; }
button.main { background: var(--accent); border-color: var(--accent); color: var(--back); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
  form > *, form button { flex: 1 1 100%; } input { width: 100%; } }
"""


def render(
    snapshot: Snapshot,
    entries: Sequence[Entry],
    *,
    datasets: Sequence[DatasetDeclaration],
    policy: Sequence[PolicyRule],
    notice: str = "",
) -> str:
    """Return the page.

    Args:
        snapshot: What the agent is at.
        entries: Of the log, the newest first.
        datasets: What the server is told of the data.
        policy: The rules in words.
        notice: What came of the last request.
    """
    parts = [
        _head(snapshot),
        f"<main><p role='status' class='warn'>{escape(notice)}</p>" if notice else "<main>",
        _identity(snapshot),
        _problems(snapshot),
        _waiting(snapshot.waiting),
        _doing(snapshot),
        _rounds(entries),
        _refusals(entries),
        _datasets(datasets),
        _policy(policy),
        "</main></body></html>",
    ]
    return "".join(parts)


def _head(snapshot: Snapshot) -> str:
    name = escape(snapshot.site)
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{name} - Roundhouse site</title><link rel='stylesheet' href='/style.css'></head>"
        f"<body><header><h1>{name}</h1><p class='quiet'>Site of the project "
        f"{escape(snapshot.project)} at {escape(snapshot.server)}</p></header>"
    )


def _identity(snapshot: Snapshot) -> str:
    state = "not known yet" if snapshot.state is None else snapshot.state.value
    reached = "at once" if snapshot.is_pushed else "by asking, as no websocket is open"
    return (
        f"<dl><dt>State</dt><dd>{escape(state)}</dd>"
        f"<dt>Key</dt><dd><code>{escape(snapshot.fingerprint)}</code></dd>"
        f"<dt>Server last heard</dt><dd>{_ago(snapshot.last_contact_at)}</dd>"
        f"<dt>Hears of work</dt><dd>{reached}</dd>"
        f"<dt>Running since</dt><dd>{_time(snapshot.started_at)}</dd></dl>"
    )


def _problems(snapshot: Snapshot) -> str:
    if not snapshot.problems:
        return ""
    items = "".join(
        f"<li class='warn'>{escape(about)}: {escape(message)}</li>"
        for about, message in snapshot.problems.items()
    )
    return f"<h2>Problems</h2><ul>{items}</ul>"


def _waiting(waiting: Sequence[Waiting]) -> str:
    if not waiting:
        return ""
    return "<h2>Waiting for you</h2>" + "".join(map(_approval, waiting))


def _approval(run: Waiting) -> str:
    key = escape(str(run.run_id))
    name = escape(run.name)
    return (
        f"<section class='run' aria-label='{name}'><p><strong>{name}</strong></p>"
        f"<p>Project {escape(run.project)}, launched by {escape(run.launched_by)}</p>"
        f"<p>{escape(run.summary)}</p><p class='quiet'><code>{key}</code></p>"
        "<form method='post' action='/answer'>"
        f"<input type='hidden' name='run_id' value='{key}'>"
        f"<label for='token-{key}'>Token, from the file <code>page_token</code> in the state "
        f"folder</label><input id='token-{key}' name='token' type='password' required "
        "autocomplete='off'>"
        "<button class='main' name='answer' value='approved'>Approve</button>"
        "<button name='answer' value='denied'>Turn down</button></form></section>"
    )


def _doing(snapshot: Snapshot) -> str:
    rows = [
        (
            each.run_name,
            str(each.round_index),
            each.stage + ("" if each.fraction is None else f", {each.fraction:.0%}"),
        )
        for each in snapshot.doing
    ]
    return _table("Now", ("Run", "Round", "At"), rows, "Nothing.", numbers=(1,))


def _rounds(entries: Iterable[Entry]) -> str:
    rows = [
        (
            _time_of(entry),
            str(entry.facts.get("run_name", "")),
            str(entry.facts.get("round_index", "")),
            str(entry.facts.get("kind", "")),
            str(entry.facts.get("num_examples", "")),
            str(entry.facts.get("seconds", "")),
        )
        for entry in entries
        if entry.event == "task done"
    ]
    head = ("Time", "Run", "Round", "Did", "Examples", "Seconds")
    return _table("Last rounds", head, rows, "None yet.", numbers=(2, 4, 5))


def _refusals(entries: Iterable[Entry]) -> str:
    said = {"task refused": "sentence", "task failed": "message"}
    rows = [
        (
            _time_of(entry),
            str(entry.facts.get("run_name", "")),
            str(entry.facts.get("round_index", "")),
            str(entry.facts.get(said[entry.event], "")),
        )
        for entry in entries
        if entry.event in said
    ]
    head = ("Time", "Run", "Round", "Why")
    return _table("Refused or failed", head, rows, "None.", numbers=(2,))


def _datasets(datasets: Sequence[DatasetDeclaration]) -> str:
    rows = [
        (each.name, each.title, f"{each.num_train:,}", f"{each.num_test:,}", str(len(each.columns)))
        for each in datasets
    ]
    head = ("Name", "Title", "Train", "Test", "Columns")
    return _table("Data sets", head, rows, "None is declared.", numbers=(2, 3, 4))


def _policy(rules: Sequence[PolicyRule]) -> str:
    rows = [(rule.name, rule.sentence) for rule in rules]
    return _table("Policy", ("Rule", "Says"), rows, "It allows everything.")


def _table(
    title: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    empty: str,
    *,
    numbers: Sequence[int] = (),
) -> str:
    heading = f"<h2>{escape(title)}</h2>"
    if not rows:
        return f"{heading}<p class='quiet'>{escape(empty)}</p>"
    marks = ["class='number'" if place in numbers else "" for place in range(len(head))]
    cells = "".join(
        f"<th scope='col' {mark}>{escape(name)}</th>"
        for mark, name in zip(marks, head, strict=True)
    )
    lines = "".join(
        "<tr>" + "".join(_cell(mark, cell) for mark, cell in zip(marks, row, strict=True)) + "</tr>"
        for row in rows[:MAX_ROWS]
    )
    return (
        f"{heading}<div class='wide' tabindex='0' role='region' aria-label='{escape(title)}'>"
        f"<table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _cell(mark: str, text: str) -> str:
    kind = "class='long'" if len(text) > _LONG else mark
    return f"<td {kind}>{escape(text)}</td>"


def _time_of(entry: Entry) -> str:
    try:
        return _plain(datetime.fromisoformat(entry.time))
    except ValueError:
        return entry.time


def _time(moment: datetime) -> str:
    return f"<time datetime='{moment.isoformat()}'>{_plain(moment)}</time>"


def _plain(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _ago(moment: datetime | None) -> str:
    return "never" if moment is None else _time(moment)
