const KEY = 'roundhouse-time-zone';

/** The zone that the user has chosen for all times; undefined is the computer's own. */
export function chosenTimeZone(): string | undefined {
  const chosen = localStorage.getItem(KEY);
  return chosen !== null && isZone(chosen) ? chosen : undefined;
}

export function chooseTimeZone(zone: string | undefined): void {
  if (zone === undefined) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, zone);
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat(undefined, { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
