import { expect, it } from 'vitest';
import { marginsOf, paperOption } from './paper-option';

const line = (name: string) => ({ name, color: '--rh-series-1', points: [] });
const caption = {
  title: 'Test accuracy',
  unit: 'share of test examples',
  axis: 'Traffic, both ways',
  series: [line('FedAvg'), line('SCAFFOLD')],
};
const drawing = { grid: { top: 12, bottom: 4, left: 8 }, xAxis: { type: 'value' } };

it('says in a file what the page says around the chart', () => {
  expect(paperOption(drawing, caption, String)).toMatchObject({
    title: { text: 'Test accuracy', subtext: 'share of test examples' },
    legend: { data: ['FedAvg', 'SCAFFOLD'] },
    xAxis: { type: 'value', name: 'Traffic, both ways' },
  });
});

it('makes room for it, and leaves the drawing as large as it was', () => {
  const { above, below } = marginsOf(caption);
  expect(paperOption(drawing, caption, String)['grid']).toMatchObject({
    left: 8,
    top: 12 + above,
    bottom: 4 + below,
  });
});

it('needs no legend for one line and names no axis where there is none', () => {
  const alone = { ...caption, axis: undefined, series: [line('FedAvg')] };
  const option = paperOption({ parallel: { top: 32 } }, alone, String);
  expect(option).not.toHaveProperty('legend');
  expect(option).not.toHaveProperty('xAxis');
  expect(option['parallel']).toMatchObject({ top: 32 + marginsOf(alone).above });
});
