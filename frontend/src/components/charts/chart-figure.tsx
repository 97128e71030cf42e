import type { ReactNode } from 'react';
import type { CsvCell } from '@/lib/csv';
import classes from './chart-figure.module.css';
import { Chart } from './chart';
import { ExportMenu } from './export-menu';
import type { ChartProps, Series } from './types';

interface ChartFigureProps extends ChartProps {
  title: string;
  /** Unit of what is drawn. */
  unit?: string;
  /** Below the chart, at the right: what the horizontal axis is. */
  axis?: string;
  series?: readonly Series[];
  /** How the figure is found: the metric, and how many points it has. */
  id: string;
  numPoints: number;
  height?: 'small' | 'medium' | 'large';
  rows: () => readonly (readonly CsvCell[])[];
  /** In place of the chart, when there is nothing to draw. */
  placeholder?: string | undefined;
  exportName?: string;
}

/** A chart with its title, legend, axis and exports. */
export function ChartFigure(props: ChartFigureProps) {
  const { title, unit, axis, series = [], id, numPoints, height = 'medium', placeholder } = props;
  const legend = series.filter((line) => line.isFaint !== true);
  return (
    <figure className={classes['figure']} data-chart={id} data-points={numPoints}>
      <figcaption className={classes['caption']}>
        <span className={classes['title']}>{title}</span>
        {unit && <span className={classes['unit']}>{unit}</span>}
        <span className={classes['tools']}>
          {numPoints > 0 && (
            <ExportMenu
              name={props.exportName ?? title}
              draw={props.draw}
              caption={{ title, unit, axis, series: legend }}
              rows={props.rows}
            />
          )}
        </span>
      </figcaption>
      {legend.length > 1 && <Legend series={legend} />}
      <div className={classes['plot']} data-height={height}>
        {placeholder === undefined ? (
          <Chart
            draw={props.draw}
            label={props.label}
            hasOnlyLines={props.hasOnlyLines ?? false}
            {...(props.group !== undefined && { group: props.group })}
            {...(props.onChoose && { onChoose: props.onChoose })}
          />
        ) : (
          <Placeholder>{placeholder}</Placeholder>
        )}
      </div>
      {axis && <p className={classes['axis']}>{axis}</p>}
    </figure>
  );
}

function Legend({ series }: { series: readonly Series[] }) {
  return (
    <div className={classes['legend']}>
      {series.map(({ name, color, isDashed }, index) => (
        <span key={`${name} ${index}`} className={classes['entry']}>
          <svg width="16" height="4" aria-hidden>
            <line
              x1="0"
              x2="16"
              y1="2"
              y2="2"
              stroke={`var(${color})`}
              strokeWidth="2.5"
              {...(isDashed && { strokeDasharray: '5 3' })}
            />
          </svg>
          {name}
        </span>
      ))}
    </div>
  );
}

function Placeholder({ children }: { children: ReactNode }) {
  return <p className={classes['placeholder']}>{children}</p>;
}
