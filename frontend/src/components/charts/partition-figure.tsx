import { SegmentedControl } from '@mantine/core';
import { useMemo, useState } from 'react';
import { formatInteger } from '@/lib/format';
import { strings } from '@/strings';
import { ChartFigure } from './chart-figure';
import { drawHeatMap } from './heat-map';
import classes from './partition-figure.module.css';
import { drawStackedBars } from './stacked-bars';

const text = strings.partition;

export interface ClientData {
  name: string;
  numSamples: number;
  classCounts: readonly number[];
}

interface PartitionFigureProps {
  clients: readonly ClientData[];
  /** What the classes are called; numbers where this is empty. */
  classNames: readonly string[];
  name: string;
  height: 'medium' | 'large';
}

/** Clients by classes: as colours, or as bars that are as high as a client has examples. */
export function PartitionFigure({ clients, classNames, name, height }: PartitionFigureProps) {
  const [drawing, setDrawing] = useState<'bars' | 'map'>('bars');
  const numClasses = Math.max(1, ...clients.map((client) => client.classCounts.length));
  const titles = useMemo(
    () => Array.from({ length: numClasses }, (_, index) => classNames[index] ?? String(index)),
    [numClasses, classNames],
  );
  const draw = useMemo(() => {
    const names = clients.map((client) => client.name);
    if (drawing === 'map') {
      return drawHeatMap({
        columns: titles,
        rows: names,
        columnTitle: text.class,
        rowTitle: text.client,
        valueTitle: text.examples,
        cells: clients.flatMap((client, row) =>
          client.classCounts.map((count, column) => [column, row, count] as const),
        ),
        format: formatInteger,
        scale: 'amount',
      });
    }
    const hasClasses = clients.some((client) => client.classCounts.length > 0);
    return drawStackedBars({
      categories: names,
      categoryTitle: text.client,
      parts: hasClasses
        ? titles.map((title, index) => ({
            name: text.classNamed(title),
            values: clients.map((client) => client.classCounts[index] ?? 0),
          }))
        : [{ name: text.examples, values: clients.map((client) => client.numSamples) }],
      format: formatInteger,
    });
  }, [clients, titles, drawing]);
  const label = text.summary(clients.length, numClasses);
  return (
    <div>
      <div className={classes['tools']}>
        <SegmentedControl
          size="xs"
          aria-label={text.drawing}
          value={drawing}
          onChange={setDrawing}
          data={[
            { value: 'bars', label: text.bars },
            { value: 'map', label: text.map },
          ]}
        />
      </div>
      <ChartFigure
        id="partition"
        title={text.figure}
        unit={text.unit}
        {...(drawing === 'bars' && { axis: text.client })}
        draw={draw}
        label={label}
        numPoints={clients.length}
        height={height}
        exportName={`${name} partition`}
        rows={() => [
          [text.client, text.examples, ...titles.map(text.classNamed)],
          ...clients.map((client) => [client.name, client.numSamples, ...client.classCounts]),
        ]}
      />
    </div>
  );
}
