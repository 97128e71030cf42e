/** One point; a missing `y` is a gap. */
export type Point = readonly [x: number, y: number | null];

export interface Series {
  name: string;
  /** A custom property of `tokens.css`, such as `--rh-series-1`. */
  color: string;
  points: readonly Point[];
  isDashed?: boolean;
}

export interface Axis {
  label: string;
  format: (value: number) => string;
  /** Only whole numbers are marked. */
  isInteger?: boolean;
}

export interface LineChartProps {
  series: readonly Series[];
  x: Axis;
  y: Axis;
  /** What the chart shows, for those who cannot see it. */
  label: string;
  group?: string;
}
