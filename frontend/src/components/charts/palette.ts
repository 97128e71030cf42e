const NUM_COLORS = 10;

/** The colour of the n-th line or part; after the last one they begin again. */
export function seriesColor(index: number): string {
  return `--rh-series-${(index % NUM_COLORS) + 1}`;
}
