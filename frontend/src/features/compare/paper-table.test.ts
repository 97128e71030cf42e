import { describe, expect, it } from 'vitest';
import { makeComparison } from '@/testing/fixtures';
import { groupsOf, metricsOf, seriesOf } from './groups';
import { settingTitle } from '@/lib/setting-text';
import { paperTable, printTable } from './paper-table';

/** Two seeds of FedAvg and one run of FedProx. */
const comparison = makeComparison();

describe('grouping', () => {
  it('leaves runs alone without a setting, and tells twins apart', () => {
    expect(groupsOf(comparison, undefined).map(({ name }) => name)).toEqual([
      'FedAvg (1)',
      'FedAvg (2)',
      'FedProx',
    ]);
  });

  it('puts runs together that agree on a setting, as their mean and band', () => {
    const [fedavg, fedprox] = groupsOf(comparison, 'algorithm.kind');
    if (fedavg === undefined || fedprox === undefined) throw new Error('two groups');
    expect(fedavg.members).toHaveLength(2);
    const line = seriesOf(fedavg, 'accuracy', 'rounds');
    expect(line.name).toBe('fedavg (2 runs)');
    expect(line.points[1]?.[1]).toBeCloseTo(0.7);
    expect(line.band?.[1]).toBeCloseTo(0.1 * Math.SQRT2);
    expect(seriesOf(fedprox, 'accuracy', 'bytes').points).toEqual([
      [100, 0.5],
      [200, 0.9],
    ]);
  });

  it('lists the usual metrics first', () => {
    expect(metricsOf(comparison)).toEqual(['accuracy', 'loss', 'drift']);
  });
});

describe('the table for a paper', () => {
  it('has a row per run with the settings that differ', () => {
    expect(printTable(paperTable(comparison, 'accuracy', undefined), 'markdown')).toBe(
      [
        '| Run | Algorithm | Algorithm: mu | Seed | Test accuracy (%), last | Test accuracy (%), best | Rounds | Traffic (MB) | Time (s) |',
        '| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |',
        '| FedAvg (1) | fedavg | – | 0 | 60.00 | 60.00 | 2 | 4.00 | 1.00 |',
        '| FedAvg (2) | fedavg | – | 1 | 80.00 | 80.00 | 2 | 4.00 | 1.00 |',
        '| FedProx | fedprox | 0.1 | 0 | 90.00 | 90.00 | 2 | 4.00 | 1.00 |',
        '',
      ].join('\n'),
    );
  });

  it('has means and deviations per group, and no setting that differs inside of one', () => {
    const text = printTable(paperTable(comparison, 'accuracy', 'algorithm.kind'), 'latex');
    expect(text).toContain(String.raw`fedavg & -- & 2 & $70.00 \pm 14.14$`);
    expect(text).toContain(String.raw`fedprox & 0.1 & 1 & $90.00$ &`);
    expect(text).toContain(String.raw`Test accuracy (\%), last`);
    expect(text).not.toContain('Seed');
    expect(text.startsWith(String.raw`\begin{tabular}{lll`)).toBe(true);
  });

  it('has deviations in columns of their own as CSV', () => {
    const [head, first] = printTable(
      paperTable(comparison, 'accuracy', 'algorithm.kind'),
      'csv',
    ).split('\r\n');
    expect(head).toContain('"Test accuracy (%), last","Test accuracy (%), last, sd"');
    expect(first).toContain('fedavg,–,2,70.00,14.14');
  });

  it('names settings in words', () => {
    expect(settingTitle('local.lr')).toBe('Local: learning rate');
    expect(settingTitle('dataset.kind')).toBe('Dataset');
  });
});
