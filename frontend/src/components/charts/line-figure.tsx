import { useMemo } from 'react';
import type { CsvCell } from '@/lib/csv';
import { ChartFigure } from './chart-figure';
import { drawLines } from './line-chart';
import type { Axis, Series } from './types';

interface LineFigureProps {
  id: string;
  title: string;
  series: readonly Series[];
  x: Axis;
  y: Axis;
  label: string;
  group?: string;
  height?: 'small' | 'medium' | 'large';
  placeholder: string;
  exportName?: string;
}

/** Lines with everything around them. */
export function LineFigure({ series, x, y, placeholder, ...rest }: LineFigureProps) {
  const draw = useMemo(() => drawLines({ series, x, y }), [series, x, y]);
  const main = series.find((line) => line.isFaint !== true)?.points ?? [];
  const isEmpty = series.every((line) => line.points.length === 0);
  return (
    <ChartFigure
      {...rest}
      hasOnlyLines
      draw={draw}
      unit={y.label}
      axis={x.label}
      series={series}
      numPoints={main.length}
      rows={() => rowsOf(series, x, y)}
      placeholder={isEmpty ? placeholder : undefined}
    />
  );
}

/** One row per point: a table that every program can pivot. */
function rowsOf(series: readonly Series[], x: Axis, y: Axis): CsvCell[][] {
  const hasBand = series.some((line) => line.band !== undefined);
  const head = ['name', x.label, y.label, ...(hasBand ? ['standard deviation'] : [])];
  return [
    head,
    ...series.flatMap((line) =>
      line.points.map(([at, value], index) => [
        line.name,
        at,
        value,
        ...(hasBand ? [line.band?.[index]] : []),
      ]),
    ),
  ];
}
