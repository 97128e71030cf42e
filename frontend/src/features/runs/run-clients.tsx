import { SegmentedControl, Select } from '@mantine/core';
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { clientRoundsQuery, clientsQuery } from '@/api/runs';
import type { ClientMetric, ClientRounds, Run } from '@/api/types';
import { ChartFigure } from '@/components/charts/chart-figure';
import { drawHeatMap } from '@/components/charts/heat-map';
import { LineFigure } from '@/components/charts/line-figure';
import { xAxisOf } from '@/components/charts/metric-axes';
import { Card } from '@/components/ui/card';
import { Empty, Failure, Loading } from '@/components/ui/feedback';
import { formatDuration, formatMetric, formatReal } from '@/lib/format';
import { strings } from '@/strings';
import { ClientTable } from './client-table';
import { clientSeries } from './client-series';
import classes from './run-clients.module.css';

const text = strings.clients;
const METRICS = Object.keys(text.metrics) as ClientMetric[];
const LIVE_MS = 4_000;

const SCALES: Record<ClientMetric, 'good' | 'bad' | 'amount'> = {
  loss: 'bad',
  test_loss: 'bad',
  accuracy: 'good',
  personal_accuracy: 'good',
  duration: 'amount',
  participation: 'amount',
  refused: 'bad',
};

function formatOf(metric: ClientMetric): (value: number) => string {
  if (metric === 'duration') return formatDuration;
  if (metric.includes('accuracy')) return (value) => formatMetric('accuracy', value);
  return formatReal;
}

/** What each client did: by round, over time, and the weakest of them. */
export function RunClients({ run }: { run: Run }) {
  const [metric, setMetric] = useState<ClientMetric>('loss');
  const [drawing, setDrawing] = useState<'map' | 'curves'>('map');
  const live = { refetchInterval: run.is_final ? (false as const) : LIVE_MS };
  const table = useQuery({ ...clientRoundsQuery(run.id, metric), ...live });
  const clients = useQuery({ ...clientsQuery(run.id), ...live });
  return (
    <div className={classes['stack']}>
      <Card
        title={text.title}
        {...(table.data && {
          text: text.shown(table.data.clients.length, table.data.total_clients),
        })}
        aside={
          <div className={classes['tools']}>
            <Select
              size="xs"
              aria-label={text.metric}
              data={METRICS.map((value) => ({ value, label: text.metrics[value] }))}
              value={metric}
              allowDeselect={false}
              onChange={(next) => {
                setMetric(METRICS.find((known) => known === next) ?? 'loss');
              }}
            />
            <SegmentedControl
              size="xs"
              aria-label={text.drawing}
              value={drawing}
              onChange={setDrawing}
              data={[
                { value: 'map', label: text.map },
                { value: 'curves', label: text.curves },
              ]}
            />
          </div>
        }
      >
        <ClientRoundsBody query={table} metric={metric} drawing={drawing} />
      </Card>
      {clients.isPending && <Loading label={text.loading} rows={4} />}
      {clients.isError && <Failure error={clients.error} onRetry={() => void clients.refetch()} />}
      {clients.data && <ClientTable clients={clients.data.clients} />}
    </div>
  );
}

interface ClientRoundsBodyProps {
  query: UseQueryResult<ClientRounds>;
  metric: ClientMetric;
  drawing: 'map' | 'curves';
}

function ClientRoundsBody({ query, metric, drawing }: ClientRoundsBodyProps) {
  const { data } = query;
  if (query.isPending) return <Loading label={text.loading} rows={4} />;
  if (query.isError) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  if (data === undefined || data.cells.length === 0) {
    return <Empty title={text.emptyTitle} text={text.empty[metric] ?? text.emptyText} />;
  }
  return <ClientDrawing rounds={data} metric={metric} drawing={drawing} />;
}

interface ClientDrawingProps {
  rounds: ClientRounds;
  metric: ClientMetric;
  drawing: 'map' | 'curves';
}

function ClientDrawing({ rounds, metric, drawing }: ClientDrawingProps) {
  const title = text.metrics[metric];
  const format = formatOf(metric);
  const drawMap = useMemo(
    () =>
      drawHeatMap({
        columns: rounds.rounds.map(String),
        rows: rounds.clients.map(String),
        columnTitle: text.round,
        rowTitle: text.client,
        valueTitle: title,
        cells: rounds.cells.map(
          ([column = 0, row = 0, value = 0]) => [column, row, value] as const,
        ),
        format: formatOf(metric),
        scale: SCALES[metric],
      }),
    [rounds, metric, title],
  );
  const series = useMemo(() => clientSeries(rounds), [rounds]);
  const rows = () => [
    [text.round, text.client, title],
    ...rounds.cells.map(([column, row, value]) => [
      rounds.rounds[Number(column)],
      rounds.clients[Number(row)],
      Number(value),
    ]),
  ];
  const common = { label: text.summary(title, rounds.clients.length), height: 'large' as const };
  return drawing === 'map' ? (
    <ChartFigure
      {...common}
      id={`clients-${metric}`}
      title={title}
      draw={drawMap}
      numPoints={rounds.cells.length}
      rows={rows}
    />
  ) : (
    <LineFigure
      {...common}
      id={`client-curves-${metric}`}
      title={title}
      series={series}
      x={xAxisOf({})}
      y={{ label: '', format }}
      placeholder={text.emptyText}
    />
  );
}
