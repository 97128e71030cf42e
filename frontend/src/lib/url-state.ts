/** What the address of a screen says beside its path. Unknown values are dropped, not refused. */

type Search = Record<string, unknown>;

function text(value: unknown): string | undefined {
  // The router reads digits in an address as a number.
  const string = typeof value === 'number' ? String(value) : value;
  return typeof string === 'string' && string.trim() !== '' ? string : undefined;
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T | undefined {
  return allowed.find((candidate) => candidate === value);
}

/** Without keys that are undefined, which an address cannot hold. */
function compact<T extends object>(search: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(search).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

export function readSignInSearch(search: Search): { next?: string; expired?: true } {
  const next = text(search['next']);
  // Only addresses of this site: "//elsewhere" and "https://elsewhere" are not.
  const isLocal = next !== undefined && /^\/(?![/\\])/.test(next);
  return compact({
    next: isLocal ? next : undefined,
    expired: search['expired'] === true ? true : undefined,
  });
}

export function readRunListSearch(search: Search): { state?: string; search?: string } {
  return compact({ state: text(search['state']), search: text(search['search']) });
}

export const RUN_TABS = ['overview', 'events', 'spec', 'model'] as const;
export type RunTab = (typeof RUN_TABS)[number];
export const CHART_AXES = ['rounds', 'seconds', 'bytes'] as const;
export type ChartAxis = (typeof CHART_AXES)[number];

export function readRunSearch(search: Search): { tab?: RunTab; x?: ChartAxis } {
  return compact({ tab: oneOf(search['tab'], RUN_TABS), x: oneOf(search['x'], CHART_AXES) });
}

export function readNewRunSearch(search: Search): { clone?: string } {
  return compact({ clone: text(search['clone']) });
}
