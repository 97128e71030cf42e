import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import type { ClientRow } from '@/api/types';
import { Card } from '@/components/ui/card';
import { ScrollRegion } from '@/components/ui/scroll-region';
import { formatBytes, formatDuration, formatInteger, formatMetric } from '@/lib/format';
import { strings } from '@/strings';
import { worstClients } from './worst-clients';
import classes from './run-clients.module.css';

const text = strings.clients.table;
/** More rows than this belong into a file. */
const MAX_ROWS = 500;

/** Each client's data and its part in the run; or only the weakest tenth. */
export function ClientTable({ clients }: { clients: readonly ClientRow[] }) {
  const [shown, setShown] = useState<'all' | 'worst'>('all');
  const rows = shown === 'worst' ? worstClients(clients) : clients;
  const hasScores = clients.some((client) => client.test_accuracy !== null);
  return (
    <Card
      title={text.title}
      {...(rows.length > MAX_ROWS && { text: text.cut(MAX_ROWS, rows.length) })}
      aside={
        <SegmentedControl
          size="xs"
          aria-label={text.shown}
          value={shown}
          onChange={setShown}
          data={[
            { value: 'all', label: text.all },
            { value: 'worst', label: text.worst },
          ]}
        />
      }
    >
      <ScrollRegion label={text.title} maxHeight={420}>
        <table className={classes['table']}>
          <thead>
            <tr>
              <th scope="col">{text.client}</th>
              <th scope="col">{text.samples}</th>
              <th scope="col">{text.rounds}</th>
              <th scope="col">{text.lastRound}</th>
              <th scope="col">{text.loss}</th>
              {hasScores && <th scope="col">{text.accuracy}</th>}
              <th scope="col">{text.duration}</th>
              <th scope="col">{text.up}</th>
              <th scope="col">{text.down}</th>
              <th scope="col">{text.refused}</th>
              <th scope="col">{text.reason}</th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, MAX_ROWS).map((client) => (
              <tr key={String(client.client_id)}>
                <th scope="row">{String(client.client_id)}</th>
                <td>{formatInteger(client.num_samples)}</td>
                <td>{formatInteger(client.rounds)}</td>
                <td>{formatInteger(client.last_round)}</td>
                <td>{formatMetric('loss', client.last_loss)}</td>
                {hasScores && <td>{formatMetric('accuracy', client.test_accuracy)}</td>}
                <td>{formatDuration(client.mean_duration_s)}</td>
                <td>{formatBytes(client.bytes_up)}</td>
                <td>{formatBytes(client.bytes_down)}</td>
                <td className={client.refused + client.failed > 0 ? classes['bad'] : undefined}>
                  {formatInteger(client.refused + client.failed)}
                </td>
                <td>{client.last_reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </Card>
  );
}
