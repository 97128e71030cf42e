import { LegendComponent, TitleComponent } from 'echarts/components';
import { init, use as register } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { downloadFile } from '@/lib/download';
import { currentColors } from './chart-kit';
import { marginsOf, paperOption, type Caption } from './paper-option';
import type { DrawChart } from './types';

register([LegendComponent, TitleComponent, SVGRenderer]);

/** Fits one column of a two-column paper, at a size at which its text can be read. */
const SIZE = { width: 900, height: 480 };

/** Draw a chart once more, outside of the page, and give it to the user as a file. */
export function saveChart(
  draw: DrawChart,
  caption: Caption,
  name: string,
  kind: 'png' | 'svg',
): void {
  const color = currentColors();
  const option = paperOption(draw(color), caption, color);
  const { above, below } = marginsOf(caption);
  const size = { ...SIZE, height: SIZE.height + above + below };
  if (kind === 'svg') {
    const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
    chart.setOption(option);
    downloadFile(`${name}.svg`, new Blob([chart.renderToSVGString()], { type: 'image/svg+xml' }));
    chart.dispose();
    return;
  }
  const box = document.createElement('div');
  const chart = init(box, null, { renderer: 'canvas', ...size });
  chart.setOption(option);
  const picture = blobOf(chart.getDataURL({ type: 'png', pixelRatio: 2 }));
  chart.dispose();
  downloadFile(`${name}.png`, picture);
}

function blobOf(url: string): Blob {
  const [head = '', data = ''] = url.split(',');
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  return new Blob([bytes], { type: /:(.*?);/.exec(head)?.[1] ?? 'image/png' });
}
