import { LineChart } from 'echarts/charts';
import { DataZoomInsideComponent, GridComponent, TooltipComponent } from 'echarts/components';
import { use as register } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import type { Color } from './types';

/** What curves need of ECharts, and no more: what is not named here is not downloaded for them. */
register([LineChart, DataZoomInsideComponent, GridComponent, TooltipComponent, CanvasRenderer]);

/** The colours of the page as it looks now. */
export function currentColors(): Color {
  const style = getComputedStyle(document.documentElement);
  return (token) => style.getPropertyValue(token).trim();
}
