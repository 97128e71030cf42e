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
import { isOnSites, useRunSites } from './run-sites';
import { siteTopologyOf, topologyOf, type Topology } from './topology';

const text = strings.topology;
const LIVE_MS = 2_000;
/** Names below this many nodes do not overlap. */
const MAX_NAMED = 40;
const STAR = 'star';
const TONES = ['server', 'active', 'bad', 'idle'] as const;
const SITE_TONES = ['server', 'active', 'waiting', 'bad', 'gone', 'idle'] as const;
const NOBODY: ClientList = { clients: [], links: [] };

/** Server and clients: who took part in the latest round, or what real sites are at now. */
export function RunTopology({ run }: { run: Run }) {
  return isOnSites(run) ? <SiteTopology run={run} /> : <ClientTopology run={run} />;
}

function SiteTopology({ run }: { run: Run }) {
  const sites = useRunSites(run);
  const graph = useMemo(() => siteTopologyOf(sites.data ?? []), [sites.data]);
  if (sites.isPending) return <Loading label={strings.runSites.loading} rows={4} />;
  if (sites.data === undefined) {
    return <Failure error={sites.error} onRetry={() => void sites.refetch()} />;
  }
  if (sites.data.length === 0) {
    return <Empty title={text.emptyTitle} text={strings.runSites.none} />;
  }
  const numActive = graph.nodes.filter((node) => node.tone === 'active').length;
  return (
    <GraphCard
      graph={graph}
      label={text.sitesSummary(sites.data.length, numActive)}
      legend={SITE_TONES.map((tone) => ({ tone, name: text.siteTones[tone] }))}
    />
  );
}

function ClientTopology({ run }: { run: Run }) {
  const clients = useQuery({
    ...clientsQuery(run.id),
    refetchInterval: run.is_final ? false : LIVE_MS,
  });
  const kind = textOf(valueAt(asDocument(run.spec), 'topology.kind')) || STAR;
  const list = clients.data;
  const graph = useMemo(() => topologyOf(list ?? NOBODY, kind), [list, kind]);
  if (clients.isPending) return <Loading label={text.loading} rows={4} />;
  if (list === undefined) {
    return <Failure error={clients.error} onRetry={() => void clients.refetch()} />;
  }
  if (list.clients.length === 0) {
    return <Empty title={text.emptyTitle} text={text.emptyText} />;
  }
  const tones = TONES.filter((tone) => tone !== 'server' || kind === STAR);
  const numActive = graph.nodes.filter((node) => node.tone === 'active').length;
  return (
    <GraphCard
      graph={graph}
      label={text.summary(list.clients.length, numActive)}
      legend={tones.map((tone) => ({ tone, name: text.tones[tone] }))}
      {...(graph.links.length === 0 && {
        note: run.rounds_done === 0 ? text.noLinksYet : text.tooManyLinks,
      })}
    />
  );
}

interface GraphCardProps {
  graph: Topology;
  label: string;
  legend: readonly { tone: string; name: string }[];
  note?: string;
}

function GraphCard({ graph, label, legend, note }: GraphCardProps) {
  const draw = useMemo(
    () => drawGraph({ ...graph, showLabels: graph.nodes.length <= MAX_NAMED }),
    [graph],
  );
  return (
    <Card title={text.title} text={label}>
      <div className={classes['graph']}>
        <Chart draw={draw} label={label} />
      </div>
      {note && <p className={classes['note']}>{note}</p>}
      <ul className={classes['legend']} aria-label={text.legend}>
        {legend.map(({ tone, name }) => (
          <li key={tone} data-tone={tone}>
            {name}
          </li>
        ))}
      </ul>
    </Card>
  );
}
