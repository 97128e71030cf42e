import type { IntentSweep, SweepInput } from '@/api/types';

/** How many runs a drafted sweep has. */
export function numRuns({ axes, seeds }: IntentSweep): number {
  const points = Object.values(axes).reduce((product, values) => product * values.length, 1);
  return points * (seeds ?? 1);
}

/** A drafted sweep as it is launched. */
export function sweepOf({ base, axes, seeds }: IntentSweep): SweepInput {
  return { base, axes, seeds: seeds ?? 1 } as SweepInput;
}
