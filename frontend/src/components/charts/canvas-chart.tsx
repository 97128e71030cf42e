import { useMantineColorScheme } from '@mantine/core';
import { connect, init, type ECharts, type ECElementEvent } from 'echarts/core';
import { useEffect, useEffectEvent, useRef } from 'react';
import { currentColors } from './chart-kit';
import classes from './chart.module.css';
import { drawNever, drawSoon } from './draw-queue';
import type { ChartProps } from './types';

/** One chart of the kit, as large as the box around it. */
export function CanvasChart({ draw, label, group, onChoose }: Omit<ChartProps, 'hasOnlyLines'>) {
  const { colorScheme } = useMantineColorScheme();
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  const choose = useEffectEvent((event: ECElementEvent) => {
    const { seriesIndex = 0, dataIndex, name } = event;
    onChoose?.({ seriesIndex, dataIndex, name });
  });

  useEffect(() => {
    if (box.current === null) return;
    const instance = init(box.current);
    chart.current = instance;
    instance.on('click', (event) => {
      choose(event);
    });
    const observer = new ResizeObserver(() => {
      instance.resize();
    });
    observer.observe(box.current);
    return () => {
      observer.disconnect();
      drawNever(instance);
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
    const instance = chart.current;
    if (instance === null) return;
    drawSoon(instance, () => {
      // Colours are read from the page, so they follow a change of the scheme.
      const option = { animation: false, ...draw(currentColors()) };
      instance.setOption(option, { replaceMerge: ['series'] });
    });
  }, [draw, colorScheme]);

  return <div ref={box} className={classes['canvas']} role="img" aria-label={label} />;
}
