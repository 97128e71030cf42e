import { useMantineColorScheme } from '@mantine/core';
import { LineChart as EchartsLine } from 'echarts/charts';
import { GridComponent, TooltipComponent } from 'echarts/components';
import { connect, init, use as register, type ECharts } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';
import { chartOption } from './chart-option';
import classes from './line-chart.module.css';
import type { LineChartProps } from './types';

register([EchartsLine, GridComponent, TooltipComponent, CanvasRenderer]);

/** Lines over a shared horizontal axis; charts of one `group` move their cross-hair together. */
export function LineChart({ series, x, y, group, label }: LineChartProps) {
  const { colorScheme } = useMantineColorScheme();
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);

  useEffect(() => {
    if (box.current === null) return;
    const instance = init(box.current);
    chart.current = instance;
    const observer = new ResizeObserver(() => {
      instance.resize();
    });
    observer.observe(box.current);
    return () => {
      observer.disconnect();
      instance.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    if (chart.current === null || group === undefined) return;
    chart.current.group = group;
    connect(group);
  }, [group]);

  useEffect(() => {
    // Colours are read from the page, so they follow a change of the scheme.
    const option = chartOption({ series, x, y }, getComputedStyle(document.documentElement));
    chart.current?.setOption(option, { replaceMerge: ['series'], lazyUpdate: true });
  }, [series, x, y, colorScheme]);

  return <div ref={box} className={classes['canvas']} role="img" aria-label={label} />;
}
