import { pageFont, textStyle, tooltipBox } from './axes';
import { tooltipCard } from './tooltip-card';
import type { Color, DrawChart } from './types';

interface HeatMapDrawing {
  columns: readonly string[];
  rows: readonly string[];
  columnTitle: string;
  rowTitle: string;
  valueTitle: string;
  cells: readonly (readonly [column: number, row: number, value: number])[];
  format: (value: number) => string;
  /** Whether a large value is a good one; else it is a neutral amount. */
  scale: 'good' | 'bad' | 'amount';
}

const SCALES = {
  good: ['--rh-heat-bad', '--rh-heat-middle', '--rh-heat-good'],
  bad: ['--rh-heat-good', '--rh-heat-middle', '--rh-heat-bad'],
  amount: ['--rh-heat-none', '--rh-heat-some', '--rh-heat-much'],
} as const;

function axisOf(values: readonly string[], title: string, color: Color) {
  return {
    type: 'category',
    data: values,
    name: title,
    nameLocation: 'middle',
    nameTextStyle: textStyle(color),
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { ...textStyle(color), hideOverlap: true },
    splitArea: { show: false },
  };
}

/** A number for each pair of a row and a column, as a colour. */
export function drawHeatMap(map: HeatMapDrawing): DrawChart {
  const values = map.cells.map((cell) => cell[2]);
  const min = values.reduce((a, b) => Math.min(a, b), Infinity);
  const max = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const isEmpty = values.length === 0;
  return (color) => ({
    textStyle: pageFont(),
    grid: { left: 58, right: 16, top: 8, bottom: 72 },
    tooltip: {
      ...tooltipBox(color),
      trigger: 'item',
      formatter: (entry: unknown) => {
        const { value, color: swatch } = entry as {
          value: [number, number, number];
          color: string;
        };
        const title = `${map.rowTitle} ${map.rows[value[1]] ?? ''}, ${map.columnTitle.toLowerCase()} ${map.columns[value[0]] ?? ''}`;
        return tooltipCard(title, [
          { name: map.valueTitle, color: swatch, value: map.format(value[2]) },
        ]);
      },
    },
    xAxis: { ...axisOf(map.columns, map.columnTitle, color), nameGap: 26 },
    yAxis: { ...axisOf(map.rows, map.rowTitle, color), inverse: true, nameGap: 42 },
    visualMap: {
      type: 'continuous',
      min: isEmpty ? 0 : min,
      max: isEmpty || min === max ? (isEmpty ? 1 : min + 1) : max,
      orient: 'horizontal',
      left: 'center',
      bottom: 0,
      itemWidth: 10,
      itemHeight: 160,
      calculable: false,
      text: isEmpty ? [] : [map.format(max), map.format(min)],
      textStyle: textStyle(color),
      inRange: { color: SCALES[map.scale].map(color) },
    },
    series: [
      {
        type: 'heatmap',
        data: map.cells,
        progressive: 4000,
        emphasis: { itemStyle: { borderColor: color('--rh-text'), borderWidth: 1 } },
      },
    ],
  });
}
