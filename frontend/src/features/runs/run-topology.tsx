import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { clientsQuery } from '@/api/runs';
import type { ClientList, Run } from '@/api/types';
import { Chart } from '@/components/charts/chart';
import { drawGraph } from '@/components/charts/graph-chart';
import { Card } from '@/components/ui/card';
import { Empty, Failure, Loading } from '@/components/ui/feedback';
import { asDocument, textOf, valueAt } from '@/lib/document-path';
import { strings } from '@/strings';
import classes from './run-topology.module.css';
import { topologyOf } from './topology';

const text = strings.topology;
const LIVE_MS = 2_000;
/** Names below this many nodes do not overlap. */
const MAX_NAMED = 40;
const STAR = 'star';
const TONES = ['server', 'active', 'bad', 'idle'] as const;
const NOBODY: ClientList = { clients: [], links: [] };

/** Server and clients, and who took part in the latest round. */
export function RunTopology({ run }: { run: Run }) {
  const clients = useQuery({
    ...clientsQuery(run.id),
    refetchInterval: run.is_final ? false : LIVE_MS,
  });
  const kind = textOf(valueAt(asDocument(run.spec), 'topology.kind')) || STAR;
  const list = clients.data;
  const { draw, numActive, hasLinks } = useMemo(() => {
    const graph = topologyOf(list ?? NOBODY, kind);
    return {
      hasLinks: graph.links.length > 0,
      draw: drawGraph({ ...graph, showLabels: graph.nodes.length <= MAX_NAMED }),
      numActive: graph.nodes.filter((node) => node.tone === 'active').length,
    };
  }, [list, kind]);

  if (clients.isPending) return <Loading label={text.loading} rows={4} />;
  if (clients.isError) {
    return <Failure error={clients.error} onRetry={() => void clients.refetch()} />;
  }
  if (clients.data.clients.length === 0) {
    return <Empty title={text.emptyTitle} text={text.emptyText} />;
  }
  const tones = TONES.filter((tone) => tone !== 'server' || kind === STAR);
  const label = text.summary(clients.data.clients.length, numActive);
  return (
    <Card title={text.title} text={label}>
      <div className={classes['graph']}>
        <Chart draw={draw} label={label} />
      </div>
      {!hasLinks && (
        <p className={classes['note']}>
          {run.rounds_done === 0 ? text.noLinksYet : text.tooManyLinks}
        </p>
      )}
      <ul className={classes['legend']} aria-label={text.legend}>
        {tones.map((tone) => (
          <li key={tone} data-tone={tone}>
            {text.tones[tone]}
          </li>
        ))}
      </ul>
    </Card>
  );
}
