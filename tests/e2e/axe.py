"""axe-core in the page: what a screen does wrong for those who use it otherwise than most."""

from __future__ import annotations

from typing import Any, Literal

from playwright.sync_api import Page

from tests.faults.stack import ROOT

_SOURCE = ROOT / "frontend/node_modules/axe-core/axe.min.js"
#: Rules whose outcome depends on the colour scheme; all others hold in both.
_COLOUR_RULES = ["color-contrast", "link-in-text-block"]
_RUN = """
async (rules) => {
  const options = rules === null ? {} : { runOnly: { type: 'rule', values: rules } };
  const { violations } = await axe.run(document, { ...options, resultTypes: ['violations'] });
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(
      ({ target, failureSummary: why }) => `${id}: ${help}: ${target.join(' ')} (${why})`,
    ),
  );
}
"""

#: A frame later the change of colours has begun; then it takes its time.
_SETTLE = """async () => {
  await new Promise(requestAnimationFrame);
  const running = document.getAnimations().filter(
    (animation) => animation.effect?.getComputedTiming().endTime !== Infinity);
  await Promise.allSettled(running.map((animation) => animation.finished));
}"""


def violations(page: Page, rules: Literal["all", "colours"] = "all") -> list[str]:
    """Return what axe-core objects to on the page as it is, one line per element."""
    if not page.evaluate("'axe' in window"):
        # Handed over by the debugger, which the page's content security policy does not bind.
        page.evaluate(_SOURCE.read_text(encoding="utf-8"))
    found: Any = page.evaluate(_RUN, None if rules == "all" else _COLOUR_RULES)
    return [str(line) for line in found]


def objections(page: Page) -> list[str]:
    """Return what axe-core objects to on the page, in light and in dark."""
    page.evaluate(_SETTLE)  # a dialog that is half open is half transparent
    found = [f"light: {line}" for line in violations(page)]
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("() => document.documentElement.dataset.mantineColorScheme === 'dark'")
    page.evaluate(_SETTLE)
    found += [f"dark: {line}" for line in violations(page, "colours")]
    page.emulate_media(color_scheme="light")
    return found
