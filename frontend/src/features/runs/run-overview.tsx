import type { RunHistory } from '@/api/runs';
import type { Run } from '@/api/types';
import { Card } from '@/components/ui/card';
import { StatTiles } from '@/components/ui/stat-tile';
import { asDocument } from '@/lib/document-path';
import { formatBytes, formatDuration, formatInteger, formatMetric, formatReal } from '@/lib/format';
import { TextLink } from '@/components/ui/links';
import { useAfterwards } from '@/lib/use-afterwards';
import { strings } from '@/strings';
import { bestOf } from './chart-series';
import { RunCharts } from './run-charts';
import { EventList } from './run-events';
import { RunNotes } from './run-notes';
import { isOnSites, RunSites } from './run-sites';
import classes from './run-overview.module.css';
import { SetupSummary } from './setup-summary';

const { tiles, events } = strings.run;
const LATEST_EVENTS = 8;

/** The numbers, the curves, the set-up and the latest events of a run. */
export function RunOverview({ run, history }: { run: Run; history: RunHistory }) {
  const isTurn = useAfterwards();
  return (
    <div className={classes['overview']}>
      <StatTiles stats={statsOf(run, history)} />
      {isTurn && <Details run={run} history={history} />}
    </div>
  );
}

function Details({ run, history }: { run: Run; history: RunHistory }) {
  return (
    <>
      <RunCharts run={run} history={history} />
      {isOnSites(run) && <RunSites run={run} />}
      <div className={classes['columns']}>
        <RunNotes key={run.notes + run.tags.join()} run={run} />
        <SetupSummary spec={asDocument(run.spec)} />
        <Card
          title={events.latest}
          aside={
            <TextLink
              to="/runs/$runId"
              params={{ runId: run.id }}
              search={{ tab: 'log' }}
              size="sm"
            >
              {events.showAll}
            </TextLink>
          }
        >
          <EventList events={history.events.slice(-LATEST_EVENTS)} />
        </Card>
      </div>
    </>
  );
}

/** What the run has spent so far; nothing where it promises nothing. */
function privacyOf({ epsilon }: Run['latest_metrics']) {
  if (epsilon == null) return [];
  return [{ label: tiles.privacy, value: formatReal(epsilon), detail: tiles.privacyDetail }];
}

function statsOf(run: Run, { rounds }: RunHistory) {
  const { latest_metrics: metrics, totals } = run;
  const best = bestOf(rounds, 'accuracy');
  const trainLoss = metrics['train_loss'];
  const cohort = rounds.at(-1)?.participants;
  const perRound = run.rounds_done > 0 ? totals.seconds / run.rounds_done : null;
  return [
    {
      label: tiles.accuracy,
      value: formatMetric('accuracy', metrics['accuracy']),
      detail: best === undefined ? undefined : tiles.best(formatMetric('accuracy', best)),
    },
    {
      label: tiles.loss,
      value: formatMetric('loss', metrics['loss']),
      detail: trainLoss == null ? undefined : tiles.training(formatMetric('loss', trainLoss)),
    },
    {
      label: tiles.time,
      value: formatDuration(totals.seconds),
      detail: perRound === null ? undefined : tiles.perRound(formatDuration(perRound)),
    },
    {
      label: tiles.traffic,
      value: formatBytes(totals.bytes_up + totals.bytes_down),
      detail: tiles.upDown(formatBytes(totals.bytes_up), formatBytes(totals.bytes_down)),
    },
    { label: tiles.clients, value: formatInteger(cohort), detail: run.executor },
    ...privacyOf(metrics),
  ];
}
