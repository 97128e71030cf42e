import type { EChartsCoreOption } from 'echarts/core';
import type { Color, Series } from './types';

/** What the page says around a chart, and a file has to say itself. */
export interface Caption {
  title: string;
  /** Of what is drawn. */
  unit?: string | undefined;
  /** What the horizontal axis is. */
  axis?: string | undefined;
  /** Named in a legend when there are several. */
  series: readonly Series[];
}

const HEAD = 44;
const LEGEND_ROW = 22;
/** About as many entries as fit side by side. */
const PER_ROW = 4;
const FOOT = 26;

type Box = Record<string, unknown>;

/** How much taller the file is than the drawing, for what stands above and below it. */
export function marginsOf({ axis, series }: Caption): { above: number; below: number } {
  const rows = series.length > 1 ? Math.ceil(series.length / PER_ROW) : 0;
  return { above: HEAD + rows * LEGEND_ROW, below: axis === undefined ? 0 : FOOT };
}

/** A chart with its title, legend and axis drawn in, for a file that leaves the page. */
export function paperOption(
  option: EChartsCoreOption,
  caption: Caption,
  color: Color,
): EChartsCoreOption {
  const { title, unit, axis, series } = caption;
  const { above, below } = marginsOf(caption);
  const dim = { color: color('--rh-text-dim'), fontSize: 12 };
  const moved = (box: unknown) => {
    const { top, bottom, ...rest } = box as Box;
    return { ...rest, top: Number(top ?? 0) + above, bottom: Number(bottom ?? 0) + below };
  };
  const xAxis = option['xAxis'] as Box | undefined;
  return {
    ...option,
    animation: false,
    backgroundColor: color('--rh-surface'),
    title: {
      text: title,
      subtext: unit ?? '',
      left: 8,
      top: 6,
      itemGap: 4,
      textStyle: { color: color('--rh-text'), fontSize: 15 },
      subtextStyle: dim,
    },
    ...(series.length > 1 && {
      legend: {
        data: series.map(({ name }) => name),
        left: 8,
        top: HEAD + 4,
        icon: 'roundRect',
        itemWidth: 16,
        itemHeight: 4,
        textStyle: dim,
      },
    }),
    ...(option['grid'] !== undefined && {
      grid: { ...moved(option['grid']), outerBoundsContain: 'all' },
    }),
    ...(option['parallel'] !== undefined && { parallel: moved(option['parallel']) }),
    ...(axis !== undefined &&
      xAxis !== undefined && {
        xAxis: { ...xAxis, name: axis, nameLocation: 'middle', nameGap: 28, nameTextStyle: dim },
      }),
  };
}
