import type { IntentSweep, SweepInput } from '@/api/types';
import type { JsonObject } from '@/lib/document-path';

/** How many runs a drafted sweep has. */
export function numRuns({ axes, seeds, search }: IntentSweep): number {
  const trials = search?.['trials'];
  if (typeof trials === 'number') return trials * (seeds ?? 1);
  const points = Object.values(axes).reduce((product, values) => product * values.length, 1);
  return points * (seeds ?? 1);
}

export interface SearchRange {
  values?: unknown[];
  low?: number;
  high?: number;
}

/** The settings that a drafted search tries, with the range of each. */
export function searched({ search }: IntentSweep): [string, SearchRange][] {
  return Object.entries((search?.['parameters'] ?? {}) as Record<string, SearchRange>);
}

/** A drafted sweep as it is launched: over what the views show now, not what was drafted. */
export function sweepOf({ axes, seeds, search }: IntentSweep, base: JsonObject): SweepInput {
  return { base, ...(search ? { search } : { axes }), seeds: seeds ?? 1 } as SweepInput;
}
