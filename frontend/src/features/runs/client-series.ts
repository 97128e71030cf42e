import type { ClientRounds } from '@/api/types';
import { seriesColor } from '@/components/charts/palette';
import type { Series } from '@/components/charts/types';
import { meanOf } from '@/lib/curves';
import { strings } from '@/strings';

/** One pale line per client and their mean on top of them. */
export function clientSeries({ rounds, clients, cells }: ClientRounds): Series[] {
  const lines = clients.map((): [number, number][] => []);
  const byColumn = new Map<number, number[]>();
  for (const cell of cells) {
    const [column = 0, row = 0, value = 0] = cell;
    lines[row]?.push([rounds[column] ?? column, value]);
    byColumn.set(column, [...(byColumn.get(column) ?? []), value]);
  }
  const means = [...byColumn.entries()]
    .sort(([a], [b]) => a - b)
    .map(([column, values]) => [rounds[column] ?? column, meanOf(values)] as const);
  return [
    ...lines.map((points, index) => ({
      name: `${strings.clients.client} ${String(clients[index])} raw`,
      color: seriesColor(index),
      points,
      isFaint: true,
    })),
    { name: strings.clients.mean, color: '--rh-text', points: means, isStrong: true },
  ];
}
