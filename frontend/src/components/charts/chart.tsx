import { Skeleton } from '@mantine/core';
import { lazy, Suspense } from 'react';
import type { ChartProps } from './types';

const LINES = lazy(async () => ({ default: (await import('./canvas-chart')).CanvasChart }));
const ANYTHING = lazy(async () => ({
  default: (await import('./any-canvas-chart')).AnyCanvasChart,
}));

/** A chart; the kit is large and arrives after the page, less of it where there are only curves. */
export function Chart({ hasOnlyLines = false, ...props }: ChartProps) {
  const Canvas = hasOnlyLines ? LINES : ANYTHING;
  return (
    <Suspense fallback={<Skeleton height="100%" />}>
      <Canvas {...props} />
    </Suspense>
  );
}
