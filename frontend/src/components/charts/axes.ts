import type { Axis, Color } from './types';

export function textStyle(color: Color) {
  return { color: color('--rh-text-dim'), fontSize: 11, fontFamily: 'inherit' };
}

export function pageFont() {
  return { fontFamily: getComputedStyle(document.body).fontFamily };
}

export const GRID = {
  left: 8,
  right: 16,
  top: 12,
  bottom: 4,
  outerBoundsMode: 'same',
  outerBoundsContain: 'axisLabel',
} as const;

export function xAxis(axis: Axis, color: Color) {
  return {
    type: axis.isLog ? ('log' as const) : ('value' as const),
    min: 'dataMin',
    max: 'dataMax',
    splitLine: { show: false },
    axisLine: { lineStyle: { color: color('--rh-border-strong') }, onZero: false },
    axisTick: { show: false },
    axisLabel: {
      ...textStyle(color),
      formatter: axis.format,
      hideOverlap: true,
      showMaxLabel: true,
    },
    splitNumber: 6,
    ...(axis.isInteger && !axis.isLog ? { minInterval: 1 } : {}),
  };
}

/** Where an axis of shares ends: at all of them, where ticks of its own choice would go beyond. */
export function shareLimit({ min, max }: { min: number; max: number }): number | null {
  return max > 0.9 || min === max ? 1 : null;
}

export function yAxis(axis: Axis, color: Color) {
  return {
    type: axis.isLog ? ('log' as const) : ('value' as const),
    splitNumber: 4,
    splitLine: { lineStyle: { color: color('--rh-grid') } },
    axisLabel: { ...textStyle(color), formatter: axis.format },
    scale: true,
    ...(axis.isShare && !axis.isLog ? { max: shareLimit } : {}),
    axisLine: { show: false },
    axisTick: { show: false },
  };
}

export function tooltipBox(color: Color) {
  return {
    confine: true,
    transitionDuration: 0,
    backgroundColor: color('--rh-surface'),
    borderColor: color('--rh-border-strong'),
    padding: [8, 10],
    textStyle: { color: color('--rh-text'), fontSize: 12 },
  };
}
