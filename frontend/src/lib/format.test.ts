import { describe, expect, it } from 'vitest';
import {
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  formatMetric,
  formatReal,
} from './format';

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1234, '1.23 kB'],
    [999_999, '1 MB'],
    [2_208_400, '2.21 MB'],
    [3.2e12, '3.2 TB'],
    [null, '–'],
  ])('writes %s as %s', (value, text) => {
    expect(formatBytes(value)).toBe(text);
  });
});

describe('formatDuration', () => {
  it.each([
    [0.4321, '432 ms'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [59.6, '1 m 0 s'],
    [200, '3 m 20 s'],
    [7500, '2 h 5 m'],
    [273_600, '3 d 4 h'],
    [undefined, '–'],
  ])('writes %s seconds as %s', (value, text) => {
    expect(formatDuration(value)).toBe(text);
  });
});

describe('formatReal', () => {
  it.each([
    [0, '0'],
    [0.123456, '0.1235'],
    [0.00001234, '1.23e-5'],
    [Number.NaN, '–'],
  ])('writes %s as %s', (value, text) => {
    expect(formatReal(value)).toBe(text);
  });
});

it('writes shares as per cents and other metrics as numbers', () => {
  expect(formatMetric('accuracy', 0.934)).toBe('93.4%');
  expect(formatMetric('loss', 0.23456)).toBe('0.2346');
  expect(formatMetric('accuracy', null)).toBe('–');
});

it('shortens large counts only', () => {
  expect(formatCount(55_210)).toBe('55,210');
  expect(formatCount(1_663_370)).toBe('1.7M');
});

it('does not count seconds in an age', () => {
  const now = Date.parse('2026-01-05T10:00:00Z');
  expect(formatAge('2026-01-05T09:59:20Z', now)).toBe('now');
  expect(formatAge('2026-01-05T09:57:20Z', now)).toBe('2 min. ago');
});
