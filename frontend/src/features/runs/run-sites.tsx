import { useQuery } from '@tanstack/react-query';
import { runSitesQuery } from '@/api/sites';
import type { Run, RunSite } from '@/api/types';
import { Card } from '@/components/ui/card';
import { Failure, Loading } from '@/components/ui/feedback';
import { TextLink } from '@/components/ui/links';
import { NumberCell, PlainTable } from '@/components/ui/plain-table';
import { SiteBadge } from '@/components/ui/site-badge';
import { formatDuration, formatInteger } from '@/lib/format';
import { strings } from '@/strings';
import classes from './run-sites.module.css';
import { describeSite } from './topology';

const text = strings.runSites;
const LIVE_MS = 3_000;

/** Whether the clients of a run are machines of their own. */
export function isOnSites(run: Run): boolean {
  return run.spec.runtime.placement === 'sites';
}

export function useRunSites(run: Run) {
  return useQuery({
    ...runSitesQuery(run.id),
    refetchInterval: run.is_final ? false : LIVE_MS,
  });
}

/** The sites of a run: whether they are there, what each is at, and why one is not. */
export function RunSites({ run }: { run: Run }) {
  const sites = useRunSites(run);
  return (
    <Card title={text.title} text={text.text}>
      {sites.isPending && <Loading label={text.loading} rows={3} />}
      {sites.isError && <Failure error={sites.error} onRetry={() => void sites.refetch()} />}
      {sites.data?.length === 0 && <p className={classes['none']}>{text.none}</p>}
      {sites.data && sites.data.length > 0 && <SiteTable sites={sites.data} />}
    </Card>
  );
}

function SiteTable({ sites }: { sites: readonly RunSite[] }) {
  const head = [text.site, text.state, text.examples, text.round, text.now, text.took];
  return (
    <PlainTable label={text.title} head={head} maxHeight={420}>
      {sites.map((site) => (
        <tr key={site.client_id}>
          <th scope="row">
            <TextLink to="/sites/$siteId" params={{ siteId: site.site }}>
              {site.name}
            </TextLink>
          </th>
          <td>
            <SiteBadge state={site.state} presence={site.presence} />
          </td>
          <NumberCell>
            {formatInteger(site.num_train)} + {formatInteger(site.num_test)}
          </NumberCell>
          <NumberCell>{site.task?.round_index ?? ''}</NumberCell>
          <td className={classes['now']}>{describeSite(site)}</td>
          <NumberCell>
            {site.task?.state === 'done' ? formatDuration(site.task.seconds) : ''}
          </NumberCell>
        </tr>
      ))}
    </PlainTable>
  );
}
