import type { EChartsCoreOption } from 'echarts/core';
import classes from './line-chart.module.css';
import type { Axis, LineChartProps } from './types';

type Drawing = Pick<LineChartProps, 'series' | 'x' | 'y'>;

/** ECharts' description of a chart, in the colours of the current scheme. */
export function chartOption(
  { series, x, y }: Drawing,
  style: CSSStyleDeclaration,
): EChartsCoreOption {
  const color = (token: string): string => style.getPropertyValue(token).trim();
  const text = { color: color('--rh-text-dim'), fontSize: 11, fontFamily: 'inherit' };
  const pointer = { lineStyle: { color: color('--rh-border-strong'), type: 'solid' as const } };
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 8, right: 16, top: 12, bottom: 4, containLabel: true },
    tooltip: {
      trigger: 'axis',
      confine: true,
      transitionDuration: 0,
      backgroundColor: color('--rh-surface'),
      borderColor: color('--rh-border-strong'),
      padding: [8, 10],
      axisPointer: { type: 'line', ...pointer },
      formatter: (entries: unknown) => tooltip(entries, x, y),
    },
    xAxis: {
      type: 'value',
      min: 'dataMin',
      max: 'dataMax',
      splitLine: { show: false },
      axisLine: { lineStyle: { color: color('--rh-border-strong') }, onZero: false },
      axisTick: { show: false },
      axisLabel: { ...text, formatter: x.format, hideOverlap: true, showMaxLabel: true },
      splitNumber: 6,
      ...(x.isInteger ? { minInterval: 1 } : {}),
    },
    yAxis: {
      type: 'value',
      splitNumber: 4,
      splitLine: { lineStyle: { color: color('--rh-grid') } },
      axisLabel: { ...text, formatter: y.format },
      scale: true,
      axisLine: { show: false },
      axisTick: { show: false },
    },
    series: series.map((line) => ({
      type: 'line',
      name: line.name,
      data: line.points,
      color: color(line.color),
      lineStyle: { width: 2, type: line.isDashed ? [5, 4] : 'solid', join: 'round' },
      showSymbol: line.points.length === 1,
      symbol: 'circle',
      symbolSize: 6,
      connectNulls: true,
      sampling: 'lttb',
      emphasis: { disabled: true },
    })),
  };
}

interface TooltipEntry {
  seriesName: string;
  color: string;
  value: readonly [number, number | null];
}

/** Built from elements: markup with inline styles would need a laxer content security policy. */
function tooltip(entries: unknown, x: Axis, y: Axis): HTMLElement {
  const rows = entries as readonly TooltipEntry[];
  const box = element('div', 'tooltip');
  const at = rows[0]?.value[0];
  if (at !== undefined) box.append(element('div', 'tooltipTitle', `${x.label} ${x.format(at)}`));
  for (const row of rows) {
    const swatch = element('span', 'swatch');
    swatch.style.background = row.color;
    const value = row.value[1] === null ? '' : y.format(row.value[1]);
    box.append(swatch, element('span', 'name', row.seriesName), element('span', 'value', value));
  }
  return box;
}

function element(tag: string, className: string, content = ''): HTMLElement {
  const node = document.createElement(tag);
  node.className = classes[className] ?? '';
  node.textContent = content;
  return node;
}
