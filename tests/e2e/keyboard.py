"""What of a screen cannot be reached, seen or used by keyboard alone."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

#: Keys are pressed in a row; then it is looked whether the round is complete.
_AT_ONCE = 20
_MOST = 600

#: Remembers how everything looks without focus, then follows the focus.
_BEGIN = """() => {
  const still = new CSSStyleSheet();
  still.replaceSync('*, ::before, ::after { transition: none !important }');
  document.adoptedStyleSheets = [still];
  document.activeElement?.blur();

  const above = (element, steps) => steps === 0 || element === null
    ? [] : [element, ...above(element.parentElement, steps - 1)];
  // A ring may be drawn around the box of an input, or on what stands for a hidden one.
  const around = (element) => [
    ...above(element, 5), element.nextElementSibling, element.previousElementSibling,
    ...(element.labels ?? []),
  ].filter((each) => each !== null);
  const lookOf = (element) => around(element)
    .flatMap((each) => [getComputedStyle(each), getComputedStyle(each, '::after')])
    .map((style) => [style.outline, style.boxShadow, style.borderColor, style.backgroundColor])
    .join('|');

  const name = (element) => {
    const labelled = document.getElementById(element.getAttribute('aria-labelledby'));
    const text = element.getAttribute('aria-label') || (labelled ?? element.labels?.[0])?.innerText
      || element.innerText || element.getAttribute('name') || element.id || '';
    const role = element.getAttribute('role');
    const tag = element.tagName.toLowerCase() + (role ? `[${role}]` : '');
    return `${tag} "${text.trim().slice(0, 50).replaceAll('\\n', ' ')}"`;
  };
  const propsOf = (element) => {
    const key = Object.keys(element).find((each) => each.startsWith('__reactProps$'));
    return key === undefined ? {} : element[key];
  };
  const NATIVE = 'a[href], button, input, select, textarea, summary, [contenteditable=true]';
  const ROLES = ['button', 'link', 'checkbox', 'switch', 'slider', 'combobox', 'tab', 'radio']
    .map((role) => `[role=${role}]`).join(', ');
  /** Of these one takes the focus for all; arrows go from one to the next. */
  const groupOf = (element) => {
    if (element.matches('input[type=radio]')) return `radio ${element.name}`;
    const group = element.closest('[role=tablist], [role=radiogroup], [role=menu], [role=listbox]');
    return group && element.matches('[role=tab], [role=radio], [role=menuitem], [role=option]')
      ? group : null;
  };
  const isThere = (element) => element.checkVisibility({ visibilityProperty: true })
    && !element.closest('[inert], [aria-hidden=true], :disabled, [data-disabled]')
    && !(element.matches('input[type=file], input[type=hidden]'));

  const wanted = new Set();
  for (const element of document.querySelectorAll('body *')) {
    const isNative = element.matches(NATIVE) || element.matches(ROLES);
    const props = propsOf(element);
    const hasClick = ['onClick', 'onMouseDown', 'onPointerDown'].some((each) => each in props);
    if (isThere(element) && (isNative || hasClick)) wanted.add(element);
  }
  const state = {
    name, groupOf, wanted, isNative: (element) => element.matches(NATIVE),
    // What listens to keys may be the part around it.
    hasClick: (element) => 'onClick' in propsOf(element),
    hasKey: (element) => above(element, 4).some((each) =>
      ['onKeyDown', 'onKeyDownCapture'].some((event) => event in propsOf(each))),
    looks: new Map([...wanted].map((element) => [element, lookOf(element)])),
    reached: new Set(), unseen: new Set(), rounds: 0,
  };
  document.addEventListener('focusin', ({ target }) => {
    if (state.reached.has(target)) state.rounds += 1;
    state.reached.add(target);
    const before = state.looks.get(target);
    if (before !== undefined && before === lookOf(target)) state.unseen.add(target);
  });
  // Some draw it a moment later, and are at it until the focus has gone.
  document.addEventListener('focusout', ({ target }) => {
    if (state.looks.get(target) !== lookOf(target)) state.unseen.delete(target);
  });
  window.keyboardWalk = state;
}"""

#: How many elements have been reached, if some were more than once or there are none.
_REACHED = """() => {
  const { rounds, reached } = window.keyboardWalk;
  return rounds > 1 || reached.size === 0 ? reached.size : null;
}"""

_END = """() => {
  const walk = window.keyboardWalk;
  const { name, groupOf, wanted, reached, unseen } = walk;
  const groups = new Set([...reached].map(groupOf).filter((each) => each !== null));
  const isReached = (element) => reached.has(element) || groups.has(groupOf(element));
  /** A click on it is a click on something that can be reached. */
  const standsFor = (element) => element.matches('label, [role=presentation]')
    || [...element.querySelectorAll('*')].some(isReached)
    || (element.parentElement?.closest('a, button, label, [role=tab]') ?? null) !== null;
  const lines = [];
  for (const element of wanted) {
    if (!element.isConnected) continue;
    if (!isReached(element) && !standsFor(element)) {
      lines.push(`not reached by Tab: ${name(element)}`);
    } else if (reached.has(element) && !walk.isNative(element) && walk.hasClick(element)
        && !walk.hasKey(element)) {
      lines.push(`no key does what a click does: ${name(element)}`);
    }
  }
  for (const element of unseen) {
    if (element.isConnected) lines.push(`nothing shows the focus: ${name(element)}`);
  }
  document.adoptedStyleSheets = [];
  return lines;
}"""


def obstacles(page: Page) -> list[str]:
    """Return what can be clicked on the page and is not reached, seen or operated by keys.

    Tab is pressed until the focus has been everywhere; what has a handler for clicks is found by
    asking React.
    """
    page.evaluate(_BEGIN)
    before: int | None = None
    for _ in range(_MOST // _AT_ONCE):
        for _ in range(_AT_ONCE):
            page.keyboard.press("Tab")
        reached = page.evaluate(_REACHED)
        if reached == 0 or (reached is not None and reached == before):
            break  # nothing new since the last time
        before = reached
    else:
        return ["Tab does not come back to where it began"]
    found: Any = page.evaluate(_END)
    return [str(line) for line in found]
