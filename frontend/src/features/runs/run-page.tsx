import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { runHistoryQuery, runQuery, type RunHistory } from '@/api/runs';
import type { Run } from '@/api/types';
import { Failure, Loading } from '@/components/ui/feedback';
import { TabBar } from '@/components/ui/tab-bar';
import { RUN_TABS, type RunTab } from '@/lib/url-state';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import { ConnectionBanner } from './connection-banner';
import { RunCharts } from './run-charts';
import { RunClients } from './run-clients';
import { RunData } from './run-data';
import { RunFailure } from './run-failure';
import { RunHeader } from './run-header';
import { RunLog } from './run-log';
import { RunModel } from './run-model';
import { RunOverview } from './run-overview';
import { RunSpecView } from './run-spec';
import { RunTopology } from './run-topology';
import { TrashBanner } from './trash-banner';
import { useRunLive } from './use-run-live';

const text = strings.run;
const route = getRouteApi('/member/runs/$runId');

/** One run, live: the queries hold what is known, and socket events update them in place. */
export function RunPage() {
  const { runId } = route.useParams();
  const run = useQuery(runQuery(runId));
  const history = useQuery(runHistoryQuery(runId));
  const status = useRunLive(runId);
  usePageTitle(run.data?.name ?? text.loading);

  if (run.isPending) return <Loading label={text.loading} rows={5} />;
  if (run.isError && run.data === undefined) {
    // The history begins with the same answer, so it has failed with it.
    const retry = () => {
      void run.refetch();
      if (history.isError) void history.refetch();
    };
    return <Failure error={run.error} onRetry={retry} />;
  }
  return (
    <article aria-label={run.data.name}>
      {!run.data.is_final && <ConnectionBanner status={status} />}
      {run.data.trashed_at !== null && <TrashBanner run={run.data} />}
      <RunHeader run={run.data} />
      {run.data.failure && <RunFailure runId={runId} failure={run.data.failure} />}
      {history.isPending && <Loading label={text.loading} />}
      {history.isError && <Failure error={history.error} onRetry={() => void history.refetch()} />}
      {history.data && <RunTabs run={run.data} history={history.data} />}
    </article>
  );
}

function RunTabs({ run, history }: { run: Run; history: RunHistory }) {
  const { tab = 'overview' } = route.useSearch();
  const navigate = route.useNavigate();
  const panels: Record<RunTab, React.ReactNode> = {
    overview: <RunOverview run={run} history={history} />,
    metrics: <RunCharts run={run} history={history} isComplete />,
    clients: <RunClients run={run} />,
    data: <RunData run={run} />,
    topology: <RunTopology run={run} />,
    log: <RunLog run={run} />,
    spec: <RunSpecView run={run} />,
    model: <RunModel run={run} />,
  };
  return (
    <TabBar
      label={text.tabsLabel}
      tabs={RUN_TABS}
      titles={text.tabs}
      value={tab}
      onChange={(next) => {
        void navigate({ search: (old) => ({ ...old, tab: next }), resetScroll: false });
      }}
    >
      {panels[tab]}
    </TabBar>
  );
}
