import { BarChart, GraphChart, HeatmapChart, ParallelChart, ScatterChart } from 'echarts/charts';
import { ParallelComponent, VisualMapComponent } from 'echarts/components';
import { use as register } from 'echarts/core';
import { LabelLayout } from 'echarts/features';

register([
  BarChart,
  GraphChart,
  HeatmapChart,
  ParallelChart,
  ScatterChart,
  ParallelComponent,
  VisualMapComponent,
  LabelLayout,
]);

/** The same chart, which can draw more than curves. */
export { CanvasChart as AnyCanvasChart } from './canvas-chart';
