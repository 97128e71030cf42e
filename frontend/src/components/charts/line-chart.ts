import { GRID, pageFont, tooltipBox, xAxis, yAxis } from './axes';
import { tooltipCard } from './tooltip-card';
import type { Axis, Color, DrawChart, Series } from './types';

interface LineDrawing {
  series: readonly Series[];
  x: Axis;
  y: Axis;
}

/** More lines than this make a tooltip that covers the chart. */
const MAX_TOOLTIP_ROWS = 16;

/** Lines over a shared horizontal axis; dragging or turning the wheel zooms. */
export function drawLines({ series, x, y }: LineDrawing): DrawChart {
  return (color) => ({
    textStyle: pageFont(),
    grid: GRID,
    tooltip: {
      ...tooltipBox(color),
      trigger: 'axis',
      axisPointer: {
        type: 'line',
        lineStyle: { color: color('--rh-border-strong'), type: 'solid' },
      },
      formatter: (entries: unknown) => tooltip(entries as readonly Entry[], x, y),
    },
    dataZoom: [{ type: 'inside', filterMode: 'none', zoomOnMouseWheel: 'shift' }],
    xAxis: xAxis(x, color),
    yAxis: yAxis(y, color),
    series: series.flatMap((line) => [...bandOf(line, y, color), lineOf(line, x, y, color)]),
  });
}

/** A logarithmic axis has no place for zero and what is below it. */
function drawable(points: Series['points'], x: Axis, y: Axis): Series['points'] {
  if (!x.isLog && !y.isLog) return points;
  return points.filter(([at, value]) => (!x.isLog || at > 0) && (!y.isLog || (value ?? 0) > 0));
}

/** Points in one block of numbers, which the kit takes as it is; everything else it copies. */
function packed(points: Series['points']): Float64Array {
  const numbers = new Float64Array(2 * points.length);
  points.forEach(([x, y], index) => {
    numbers[2 * index] = x;
    numbers[2 * index + 1] = y ?? NaN;
  });
  return numbers;
}

function lineOf(line: Series, x: Axis, y: Axis, color: Color) {
  const points = drawable(line.points, x, y);
  return {
    type: 'line',
    name: line.name,
    data: packed(points),
    dimensions: ['x', 'y'],
    color: color(line.color),
    lineStyle: {
      width: line.isStrong ? 3 : line.isFaint ? 1 : 2,
      opacity: line.isFaint ? 0.28 : 1,
      type: line.isDashed ? [5, 4] : 'solid',
      join: 'round',
    },
    z: line.isFaint ? 1 : 3,
    silent: line.isFaint ?? false,
    showSymbol: points.length === 1,
    symbol: 'circle',
    symbolSize: 6,
    connectNulls: true,
    sampling: 'lttb',
    emphasis: { disabled: true },
  };
}

/** Two stacked areas: an invisible one up to the lower edge, and the band on top of it. */
function bandOf(line: Series, y: Axis, color: Color) {
  const { band } = line;
  if (band === undefined || y.isLog) return [];
  const area = (name: string, data: readonly (readonly [number, number])[], opacity: number) => ({
    type: 'line',
    name: `${line.name} ${name}`,
    stack: `band ${line.name}`,
    stackStrategy: 'all',
    data,
    color: color(line.color),
    lineStyle: { width: 0 },
    areaStyle: { opacity },
    symbol: 'none',
    silent: true,
    z: 0,
    emphasis: { disabled: true },
  });
  const at = line.points.map(([x], index) => [x, band[index] ?? 0] as const);
  const low = line.points.map(
    ([x, value], index) => [x, (value ?? 0) - (band[index] ?? 0)] as const,
  );
  return [
    area('low', low, 0),
    area(
      'high',
      at.map(([x, spread]) => [x, 2 * spread] as const),
      0.16,
    ),
  ];
}

interface Entry {
  seriesName: string;
  color: string;
  seriesIndex: number;
  value: readonly [number, number | null];
}

function tooltip(entries: readonly Entry[], x: Axis, y: Axis): HTMLElement {
  const at = entries[0]?.value[0];
  const rows = entries
    .filter(({ seriesName }) => !/ (low|high|raw)$/.test(seriesName))
    .slice(0, MAX_TOOLTIP_ROWS)
    .map((entry) => ({
      name: entry.seriesName,
      color: entry.color,
      value: entry.value[1] === null ? '' : y.format(entry.value[1]),
    }));
  return tooltipCard(at === undefined ? '' : `${x.label} ${x.format(at)}`, rows);
}
