import type { Comparison } from '@/api/types';
import { metricTitle } from '@/components/charts/metric-axes';
import { toCsv } from '@/lib/csv';
import { settingText, settingTitle } from '@/lib/setting-text';
import { strings } from '@/strings';
import { bestOf, costOf, groupsOf, lastOf, spreadOf } from './groups';

const { columns } = strings.compare;

export type TableFormat = keyof typeof strings.compare.tableFormats;

/** A cell: text, or a number with how far it spreads over the runs of its group. */
type PaperCell = string | { mean: number; deviation: number | null; digits: number };

export interface PaperTable {
  head: readonly string[];
  rows: readonly (readonly PaperCell[])[];
}

/** One row per run or group: what was set, what was reached, what it cost. */
export function paperTable(
  comparison: Comparison,
  metric: string,
  by: string | undefined,
): PaperTable {
  const groups = groupsOf(comparison, by);
  const isGrouped = groups.some(({ members }) => members.length > 1);
  const settings = comparison.differences.filter(
    ({ path, values }) =>
      path !== by &&
      groups.every(({ members }) => {
        const texts = members.map(({ index }) => settingText(values[index]));
        return new Set(texts).size === 1;
      }),
  );
  const scale = metric.includes('accuracy') ? 100 : 1;
  const digits = metric.includes('accuracy') ? 2 : 4;
  const title = metricTitle(metric) + (scale === 100 ? ' (%)' : '');
  const head = [
    by === undefined ? columns.run : settingTitle(by),
    ...settings.map(({ path }) => settingTitle(path)),
    ...(isGrouped ? [columns.runs] : []),
    columns.final(title),
    columns.best(title),
    columns.rounds,
    columns.traffic,
    columns.seconds,
  ];
  const rows = groups.map(({ name, members }) => {
    const spread = (value: (run: (typeof members)[number]['run']) => number | null, d: number) => {
      const found = spreadOf(members.map(({ run }) => value(run)));
      return found === null ? strings.compare.absent : { ...found, digits: d };
    };
    const scaled = (value: number | null) => (value === null ? null : value * scale);
    return [
      name,
      ...settings.map(({ values }) => settingText(values[members[0]?.index ?? 0])),
      ...(isGrouped ? [String(members.length)] : []),
      spread((run) => scaled(lastOf(run, metric)), digits),
      spread((run) => scaled(bestOf(run, metric)), digits),
      spread((run) => costOf(run, 'rounds'), 0),
      spread((run) => costOf(run, 'bytes') / 1e6, 2),
      spread((run) => costOf(run, 'seconds'), 2),
    ];
  });
  return { head, rows };
}

export function cellText(cell: PaperCell): string {
  if (typeof cell === 'string') return cell;
  const mean = cell.mean.toFixed(cell.digits);
  return cell.deviation === null ? mean : `${mean} ± ${cell.deviation.toFixed(cell.digits)}`;
}

export function printTable(table: PaperTable, format: TableFormat): string {
  switch (format) {
    case 'markdown':
      return markdown(table);
    case 'latex':
      return latex(table);
    case 'csv':
      return csv(table);
  }
}

function markdown({ head, rows }: PaperTable): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  const rule = head.map((_, column) => (isNumeric(rows, column) ? '---:' : '---'));
  return [line(head), line(rule), ...rows.map((row) => line(row.map(cellText)))].join('\n') + '\n';
}

const LATEX_SPECIAL: Readonly<Record<string, string>> = {
  '\\': String.raw`\textbackslash{}`,
  '~': String.raw`\textasciitilde{}`,
  '^': String.raw`\textasciicircum{}`,
  '–': '--',
};

function escapeLatex(text: string): string {
  return text.replaceAll(/[\\~^–&%$#_{}]/g, (special) => LATEX_SPECIAL[special] ?? `\\${special}`);
}

function latex({ head, rows }: PaperTable): string {
  const cell = (value: PaperCell): string => {
    if (typeof value === 'string') return escapeLatex(value);
    const mean = value.mean.toFixed(value.digits);
    if (value.deviation === null) return `$${mean}$`;
    return String.raw`$${mean} \pm ${value.deviation.toFixed(value.digits)}$`.replace('$$', '$');
  };
  const columnsOf = head.map((_, column) => (isNumeric(rows, column) ? 'r' : 'l')).join('');
  const line = (cells: readonly string[]) => String.raw`  ${cells.join(' & ')} \\`;
  return [
    String.raw`\begin{tabular}{${columnsOf}}`,
    String.raw`  \toprule`,
    line(head.map(escapeLatex)),
    String.raw`  \midrule`,
    ...rows.map((row) => line(row.map(cell))),
    String.raw`  \bottomrule`,
    String.raw`\end{tabular}`,
    '',
  ].join('\n');
}

function csv({ head, rows }: PaperTable): string {
  const spreads = head.map((_, column) =>
    rows.some((row) => {
      const cell = row[column];
      return typeof cell === 'object' && cell.deviation !== null;
    }),
  );
  const heading = head.flatMap((name, column) =>
    spreads[column] ? [name, `${name}, sd`] : [name],
  );
  return toCsv([
    heading,
    ...rows.map((row) =>
      row.flatMap((cell, column) => {
        if (typeof cell === 'string') return spreads[column] ? [cell, ''] : [cell];
        const mean = cell.mean.toFixed(cell.digits);
        const deviation = cell.deviation === null ? '' : cell.deviation.toFixed(cell.digits);
        return spreads[column] ? [mean, deviation] : [mean];
      }),
    ),
  ]);
}

function isNumeric(rows: PaperTable['rows'], column: number): boolean {
  return rows.some((row) => typeof row[column] === 'object');
}
