import { GRID, pageFont, textStyle, tooltipBox } from './axes';
import { seriesColor } from './palette';
import { tooltipCard } from './tooltip-card';
import type { DrawChart } from './types';

interface BarsDrawing {
  /** One bar per category. */
  categories: readonly string[];
  categoryTitle: string;
  parts: readonly { name: string; values: readonly number[] }[];
  format: (value: number) => string;
}

interface Entry {
  seriesName: string;
  color: string;
  name: string;
  value: number;
}

/** Bars that are the sum of their parts. */
export function drawStackedBars({
  categories,
  categoryTitle,
  parts,
  format,
}: BarsDrawing): DrawChart {
  return (color) => ({
    textStyle: pageFont(),
    grid: GRID,
    tooltip: {
      ...tooltipBox(color),
      trigger: 'axis',
      axisPointer: { type: 'shadow' },
      formatter: (entries: unknown) => {
        const rows = entries as readonly Entry[];
        return tooltipCard(
          `${categoryTitle} ${rows[0]?.name ?? ''}`,
          rows
            .filter(({ value }) => value > 0)
            .map(({ seriesName, color: swatch, value }) => ({
              name: seriesName,
              color: swatch,
              value: format(value),
            })),
        );
      },
    },
    xAxis: {
      type: 'category',
      data: categories,
      axisLine: { lineStyle: { color: color('--rh-border-strong') } },
      axisTick: { show: false },
      axisLabel: { ...textStyle(color), hideOverlap: true },
    },
    yAxis: {
      type: 'value',
      splitNumber: 4,
      splitLine: { lineStyle: { color: color('--rh-grid') } },
      axisLabel: { ...textStyle(color), formatter: format },
    },
    series: parts.map(({ name, values }, index) => ({
      type: 'bar',
      name,
      stack: 'all',
      data: values,
      color: color(seriesColor(index)),
      barCategoryGap: '12%',
      emphasis: { disabled: true },
    })),
  });
}
