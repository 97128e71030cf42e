/** Arithmetic on curves: smoothing, and the mean of several with how far they lie around it. */

export type CurvePoint = readonly [x: number, y: number | null];

/**
 * An exponential moving average without the pull towards the start (the average is divided by the
 * weight that it has so far). Weight 0 changes nothing; gaps stay gaps.
 */
export function smoothed(points: readonly CurvePoint[], weight: number): readonly CurvePoint[] {
  if (weight <= 0) return points;
  let average = 0;
  let total = 0;
  return points.map(([x, y]): CurvePoint => {
    if (y === null) return [x, null];
    average = weight * average + (1 - weight) * y;
    total = weight * total + (1 - weight);
    return [x, average / total];
  });
}

/** The value of a curve at a place between its points, or null outside of them. */
export function valueOn(points: readonly (readonly [number, number])[], x: number): number | null {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined || x < first[0] || x > last[0]) return null;
  let low = 0;
  let high = points.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.[0] ?? 0) <= x) low = middle;
    else high = middle;
  }
  const [x0, y0] = points[low] ?? first;
  const [x1, y1] = points[high] ?? last;
  return x1 === x0 ? y1 : y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}

interface MeanCurve {
  points: readonly CurvePoint[];
  /** The sample standard deviation at each point. */
  band: readonly number[];
}

const MAX_PLACES = 500;

/** The mean of curves where at least one has a value, read between its points where need be. */
export function meanCurve(curves: readonly (readonly CurvePoint[])[]): MeanCurve {
  const known = curves.map((curve) =>
    curve.filter((point): point is readonly [number, number] => point[1] !== null),
  );
  const all = [...new Set(known.flatMap((curve) => curve.map(([x]) => x)))].sort((a, b) => a - b);
  const step = Math.max(1, Math.ceil(all.length / MAX_PLACES));
  const places = all.filter((_, index) => index % step === 0 || index === all.length - 1);
  const points: CurvePoint[] = [];
  const band: number[] = [];
  for (const x of places) {
    const values = known.map((curve) => valueOn(curve, x)).filter((value) => value !== null);
    const mean = meanOf(values);
    if (mean === null) continue;
    points.push([x, mean]);
    band.push(deviationOf(values) ?? 0);
  }
  return { points, band };
}

export function meanOf(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The sample standard deviation, or null for fewer than two values. */
export function deviationOf(values: readonly number[]): number | null {
  const mean = meanOf(values);
  if (mean === null || values.length < 2) return null;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}
