import { Skeleton } from '@mantine/core';
import { lazy, Suspense } from 'react';
import type { ChartProps } from './types';

const CanvasChart = lazy(async () => ({ default: (await import('./canvas-chart')).CanvasChart }));

/** A chart; the kit is large and arrives after the page. */
export function Chart(props: ChartProps) {
  return (
    <Suspense fallback={<Skeleton height="100%" />}>
      <CanvasChart {...props} />
    </Suspense>
  );
}
