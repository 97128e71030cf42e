import type { EChartsCoreOption } from 'echarts/core';

/** One point; a missing `y` is a gap. */
export type Point = readonly [x: number, y: number | null];

export interface Series {
  name: string;
  /** A custom property of `tokens.css`, such as `--rh-series-1`. */
  color: string;
  points: readonly Point[];
  isDashed?: boolean;
  /** Behind the others and pale: what a smoothed line was made of. */
  isFaint?: boolean;
  /** Drawn stronger than the others. */
  isStrong?: boolean;
  /** How far the values lie around `points`, one number per point. */
  band?: readonly number[];
}

export interface Axis {
  label: string;
  format: (value: number) => string;
  /** Only whole numbers are marked. */
  isInteger?: boolean;
  /** Values are shares of one. */
  isShare?: boolean;
  isLog?: boolean;
}

/** Looks up a custom property of `tokens.css` in the current colour scheme. */
export type Color = (token: string) => string;

/** ECharts' description of a chart, made for one colour scheme. */
export type DrawChart = (color: Color) => EChartsCoreOption;

export interface ChartProps {
  draw: DrawChart;
  /** Whether `draw` makes nothing but lines, which need the smaller part of the kit. */
  hasOnlyLines?: boolean;
  /** What the chart shows, for those who cannot see it. */
  label: string;
  /** Charts of one group move their cross-hair together. */
  group?: string;
  /** The user has chosen the item with this index of this series. */
  onChoose?: (choice: { seriesIndex: number; dataIndex: number; name: string }) => void;
}
