import { pageFont, textStyle, tooltipBox } from './axes';
import { tooltipCard } from './tooltip-card';
import type { Color, DrawChart } from './types';

interface ParallelDrawing {
  axes: readonly { name: string; values: readonly (number | string | null)[] }[];
  lines: readonly { name: string; color: string }[];
}

function axisOf(axis: ParallelDrawing['axes'][number], index: number, color: Color) {
  const isNumeric = axis.values.every((value) => typeof value === 'number');
  const words = [...new Set(axis.values.map((value) => String(value ?? '–')))];
  return {
    dim: index,
    name: axis.name,
    nameTextStyle: textStyle(color),
    axisLabel: textStyle(color),
    axisLine: { lineStyle: { color: color('--rh-border-strong') } },
    axisTick: { show: false },
    ...(isNumeric ? { type: 'value', scale: true } : { type: 'category', data: words }),
  };
}

/** One line per run across its settings and what it reached; dragging along an axis selects. */
export function drawParallel({ axes, lines }: ParallelDrawing): DrawChart {
  const cell = (axis: ParallelDrawing['axes'][number], line: number) => {
    const value = axis.values[line] ?? null;
    return axis.values.every((other) => typeof other === 'number') ? value : String(value ?? '–');
  };
  return (color) => ({
    textStyle: pageFont(),
    parallel: { left: 48, right: 64, top: 32, bottom: 16 },
    parallelAxis: axes.map((axis, index) => axisOf(axis, index, color)),
    tooltip: {
      ...tooltipBox(color),
      trigger: 'item',
      formatter: (entry: unknown) => {
        const { dataIndex } = entry as { dataIndex: number };
        const line = lines[dataIndex];
        if (line === undefined) return '';
        return tooltipCard(
          line.name,
          axes.map((axis) => ({
            name: axis.name,
            color: color(line.color),
            value: String(axis.values[dataIndex] ?? '–'),
          })),
        );
      },
    },
    series: [
      {
        type: 'parallel',
        smooth: 0.15,
        lineStyle: { width: 2, opacity: 0.8 },
        data: lines.map(({ name, color: token }, line) => ({
          name,
          value: axes.map((axis) => cell(axis, line)),
          lineStyle: { color: color(token) },
        })),
      },
    ],
  });
}
