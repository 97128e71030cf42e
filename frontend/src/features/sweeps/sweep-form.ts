import type { SweepInput } from '@/api/types';
import type { Json, JsonObject } from '@/lib/document-path';
import { settingTitle } from '@/lib/setting-text';
import { strings } from '@/strings';
import type { Sweepable } from './sweepable';

const text = strings.newSweep;

export type Mode = keyof typeof text.modes;

/** A setting that changes, as it is being written. */
export interface AxisDraft {
  /** Tells rows apart, also while they have no setting yet. */
  id: number;
  path: string | null;
  values: readonly string[];
  low: string;
  high: string;
  isLog: boolean;
}

export interface SweepDraft {
  mode: Mode;
  axes: readonly AxisDraft[];
  seeds: number;
  parallel: number;
  trials: number;
  prunes: boolean;
  metric: SweepInput['metric'];
}

export const EMPTY_SWEEP: SweepDraft = {
  mode: 'grid',
  axes: [emptyAxis(0)],
  seeds: 1,
  parallel: 4,
  trials: 20,
  prunes: false,
  metric: null,
};

export function emptyAxis(id: number): AxisDraft {
  return { id, path: null, values: [], low: '', high: '', isLog: false };
}

/** How the values of an axis are given. */
export function isRange({ mode }: SweepDraft, setting: Sweepable | undefined): boolean {
  return mode === 'search' && setting?.input.type === 'number';
}

type Settings = ReadonlyMap<string, Sweepable>;

function chosen({ axes }: SweepDraft): (AxisDraft & { path: string })[] {
  return axes.filter((axis): axis is AxisDraft & { path: string } => axis.path !== null);
}

export function numRuns(draft: SweepDraft): number {
  const axes = chosen(draft);
  if (draft.mode === 'search') return axes.length === 0 ? 0 : draft.trials * draft.seeds;
  if (axes.length === 0) return draft.seeds > 1 ? draft.seeds : 0;
  return axes.reduce((product, { values }) => product * values.length, draft.seeds);
}

/** What is missing in an axis, before the server is asked. */
export function axisProblem(
  draft: SweepDraft,
  axis: AxisDraft,
  settings: Settings,
): string | undefined {
  if (axis.path === null) return undefined;
  if (draft.axes.some((other) => other.id < axis.id && other.path === axis.path)) return text.twice;
  if (isRange(draft, settings.get(axis.path))) {
    const [low, high] = [numberIn(axis.low), numberIn(axis.high)];
    return low === null || high === null || low >= high ? text.needRange : undefined;
  }
  return axis.values.length === 0 ? text.needValues : undefined;
}

function numberIn(value: string): number | null {
  const number = Number(value.trim());
  return value.trim() === '' || !Number.isFinite(number) ? null : number;
}

/** A typed value as JSON; what cannot be read goes to the server, which says what is wrong. */
function read(value: string, setting: Sweepable | undefined): Json {
  if (setting?.input.type === 'choice') {
    return setting.input.options.find((option) => option.value === value)?.json ?? value;
  }
  return setting?.input.type === 'number' ? (numberIn(value) ?? value) : value;
}

export function sweepOf(draft: SweepDraft, base: JsonObject, settings: Settings): SweepInput {
  const { seeds, metric, parallel } = draft;
  const axes = chosen(draft);
  const valuesOf = ({ path, values }: AxisDraft & { path: string }) =>
    values.map((value) => read(value, settings.get(path)));
  const shared = { base, seeds, metric, parallel };
  if (draft.mode === 'grid' || axes.length === 0) {
    const byPath = Object.fromEntries(axes.map((axis) => [axis.path, valuesOf(axis)]));
    return { ...shared, axes: byPath, search: null };
  }
  const parameters = axes.map((axis) => {
    const setting = settings.get(axis.path);
    if (!isRange(draft, setting)) return [axis.path, { kind: 'choice', values: valuesOf(axis) }];
    const isInteger = setting?.input.type === 'number' && setting.input.integer;
    const ends = { low: numberIn(axis.low), high: numberIn(axis.high), log: axis.isLog };
    return [axis.path, { kind: isInteger ? 'int' : 'float', ...ends }];
  });
  const search = {
    sampler: 'tpe',
    trials: draft.trials,
    parameters: Object.fromEntries(parameters) as Record<string, unknown>,
    prune: draft.prunes ? { eta: 3, min_rounds: 1 } : null,
  };
  return { ...shared, axes: {}, search } as unknown as SweepInput;
}

/** A name that says what is swept. */
export function suggestName(draft: SweepDraft): string {
  const names = chosen(draft).map(({ path }) => settingTitle(path).toLowerCase());
  return names.length === 0 ? text.nameSeeds : text.nameDefault(names.join(' and ')).slice(0, 120);
}
