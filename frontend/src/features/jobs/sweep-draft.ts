import type { IntentSweep, SweepInput } from '@/api/types';
import type { JsonObject } from '@/lib/document-path';

/** How many runs a drafted sweep has. */
export function numRuns({ axes, seeds }: IntentSweep): number {
  const points = Object.values(axes).reduce((product, values) => product * values.length, 1);
  return points * (seeds ?? 1);
}

/** A drafted sweep as it is launched: over what the views show now, not what was drafted. */
export function sweepOf({ axes, seeds }: IntentSweep, base: JsonObject): SweepInput {
  return { base, axes, seeds: seeds ?? 1 } as SweepInput;
}
