import { GRID, pageFont, textStyle, tooltipBox, xAxis, yAxis } from './axes';
import { tooltipCard } from './tooltip-card';
import type { Axis, DrawChart } from './types';

interface ScatterDrawing {
  points: readonly { name: string; color: string; x: number; y: number }[];
  x: Axis;
  y: Axis;
  /** Whether more of `y` is better; the points that no other beats are joined. */
  isHigherBetter: boolean;
}

/** Names of more points than this cover each other. */
const MAX_NAMED = 12;
const MAX_NAME_LENGTH = 30;

type ScatterPoint = ScatterDrawing['points'][number];

/** The points than which no other is both cheaper and better, from cheap to dear. */
function frontOf(points: readonly ScatterPoint[], isHigherBetter: boolean): ScatterPoint[] {
  const sign = isHigherBetter ? 1 : -1;
  let best = -Infinity;
  return [...points]
    .sort((a, b) => a.x - b.x || sign * (b.y - a.y))
    .filter(({ y }) => {
      if (sign * y <= best) return false;
      best = sign * y;
      return true;
    });
}

/** How far points at the same place are drawn from it, in pixels, so that each can be seen. */
export function spreadOut(
  points: readonly { x: number; y: number }[],
): (readonly [number, number])[] {
  const seen = new Map<string, number>();
  return points.map(({ x, y }) => {
    const place = `${x} ${y}`;
    const before = seen.get(place) ?? 0;
    seen.set(place, before + 1);
    const angle = (before * 2 * Math.PI) / 6;
    return before === 0 ? [0, 0] : [9 * Math.cos(angle), 9 * Math.sin(angle)];
  });
}

/** What each run reached against what it cost, and the front of the best. */
export function drawScatter({ points, x, y, isHigherBetter }: ScatterDrawing): DrawChart {
  const front = frontOf(points, isHigherBetter).map((point) => [point.x, point.y]);
  const offsets = spreadOut(points);
  const hasRoomForNames =
    points.length <= MAX_NAMED && points.every(({ name }) => name.length <= MAX_NAME_LENGTH);
  return (color) => ({
    textStyle: pageFont(),
    grid: { ...GRID, right: 28, top: 20 },
    tooltip: {
      ...tooltipBox(color),
      trigger: 'item',
      formatter: (entry: unknown) => {
        const { dataIndex } = entry as { dataIndex: number };
        const point = points[dataIndex];
        if (point === undefined) return '';
        return tooltipCard(point.name, [
          { name: y.label, color: color(point.color), value: y.format(point.y) },
          { name: x.label, color: color(point.color), value: x.format(point.x) },
        ]);
      },
    },
    xAxis: { ...xAxis(x, color), min: undefined, max: undefined, scale: true },
    yAxis: yAxis(y, color),
    series: [
      {
        type: 'line',
        data: front,
        step: 'end',
        silent: true,
        symbol: 'none',
        color: color('--rh-border-strong'),
        lineStyle: { width: 1.5, type: [5, 4] },
        tooltip: { show: false },
      },
      {
        type: 'scatter',
        symbolSize: 12,
        z: 3,
        label: {
          ...textStyle(color),
          show: hasRoomForNames,
          position: 'top',
          distance: 7,
          formatter: '{b}',
        },
        labelLayout: { hideOverlap: true },
        data: points.map((point, index) => ({
          name: point.name,
          value: [point.x, point.y],
          itemStyle: { color: color(point.color) },
          symbolOffset: offsets[index],
        })),
      },
    ],
  });
}
