import { Skeleton } from '@mantine/core';
import { lazy, Suspense } from 'react';
import type { LineChartProps } from './types';

const LineChart = lazy(async () => ({ default: (await import('./line-chart')).LineChart }));

/** The chart kit is large and arrives after the page. */
export function LazyLineChart(props: LineChartProps) {
  return (
    <Suspense fallback={<Skeleton height="100%" />}>
      <LineChart {...props} />
    </Suspense>
  );
}
