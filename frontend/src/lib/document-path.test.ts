import { expect, it } from 'vitest';
import { isEqual, valueAt, withValueAt } from './document-path';

const document = { local: { lr: 0.1 }, uplink: [{ bits: 8 }, { bits: 4 }] };

it('reads through objects and lists', () => {
  expect(valueAt(document, 'local.lr')).toBe(0.1);
  expect(valueAt(document, 'uplink.1.bits')).toBe(4);
  expect(valueAt(document, 'uplink.7.bits')).toBeUndefined();
  expect(valueAt(document, '')).toBe(document);
});

it('changes one place and leaves the original and the other places alone', () => {
  const changed = withValueAt(document, 'uplink.0.bits', 2);
  expect(changed).toEqual({ local: { lr: 0.1 }, uplink: [{ bits: 2 }, { bits: 4 }] });
  expect(document.uplink[0]).toEqual({ bits: 8 });
  expect(valueAt(changed, 'local')).toBe(document.local);
});

it('compares by content', () => {
  expect(isEqual({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toBe(true);
  expect(isEqual({ a: 1 }, { a: 1, b: undefined as never })).toBe(true);
  expect(isEqual([1, 2], [2, 1])).toBe(false);
});
