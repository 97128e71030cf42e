/**
 * Keep what is typed between the opening of a dialog and the moment its field has the focus.
 *
 * Whoever knows what to type does not wait for the dialog to appear. The field is told as if it had
 * been typed there, and the screen behind the dialog is told nothing.
 *
 * @returns what ends it, if the dialog goes away before.
 */
export function keepEarlyKeys(): () => void {
  let typed = '';
  let isEntered = false;
  const end = () => {
    document.removeEventListener('keydown', press, true);
    document.removeEventListener('focusin', focus, true);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Escape' || fieldOf(event) !== null) {
      end();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isText = event.key.length === 1;
    if (!isText && event.key !== 'Enter') return;
    event.preventDefault();
    event.stopPropagation();
    if (isText && !isEntered) typed += event.key;
    else if (typed !== '') isEntered = true;
  };
  const focus = (event: Event) => {
    const field = fieldOf(event);
    if (field === null) return;
    end();
    if (typed !== '') type(field, typed);
    // Later, for what is typed has to be found first.
    if (isEntered) setTimeout(pressEnter, 0, field);
  };
  document.addEventListener('keydown', press, true);
  document.addEventListener('focusin', focus, true);
  return end;
}

/** The field of a dialog that an event is for, if it is. */
function fieldOf({ target }: Event): HTMLInputElement | null {
  const isInside = target instanceof HTMLInputElement && target.closest('[role=dialog]') !== null;
  return isInside ? target : null;
}

function type(field: HTMLInputElement, text: string): void {
  // By the browser's own property: React does not hear of a change that it has made itself.
  const property = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
  property?.set?.call(field, field.value + text);
  field.dispatchEvent(new Event('input', { bubbles: true }));
}

function pressEnter(field: HTMLInputElement): void {
  const enter = { key: 'Enter', code: 'Enter', bubbles: true, cancelable: true };
  field.dispatchEvent(new KeyboardEvent('keydown', enter));
}
