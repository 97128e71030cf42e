import { expect, it } from 'vitest';
import type { IntentField } from '@/api/types';
import { stretchesOf } from './marked-prompt';

const said = (path: string, start: number, end: number): IntentField => ({
  path,
  value: 1,
  source: 'prompt',
  text: '',
  start,
  end,
});

it('marks the words that a value comes from', () => {
  expect(stretchesOf('with 12 clients now', [said('partition.clients', 5, 15)])).toEqual([
    { text: 'with ', paths: [] },
    { text: '12 clients', paths: ['partition.clients'] },
    { text: ' now', paths: [] },
  ]);
});

it('marks words once that decide several values, and parts of them', () => {
  const found = stretchesOf('Adam 0.1', [said('local.optimizer', 0, 4), said('local.lr', 0, 8)]);
  expect(found).toEqual([
    { text: 'Adam', paths: ['local.optimizer', 'local.lr'] },
    { text: ' 0.1', paths: ['local.lr'] },
  ]);
});

it('leaves a prompt as it is that nothing was understood of', () => {
  expect(stretchesOf('hm', [])).toEqual([{ text: 'hm', paths: [] }]);
});
