import { useQuery } from '@tanstack/react-query';
import { siteHistoryQuery, siteTasksQuery } from '@/api/sites';
import type { SiteTask } from '@/api/types';
import { Card } from '@/components/ui/card';
import { Failure, Loading } from '@/components/ui/feedback';
import { TextLink } from '@/components/ui/links';
import { NumberCell, PlainTable } from '@/components/ui/plain-table';
import { Row, RowList } from '@/components/ui/row-list';
import { formatBytes, formatDateTime, formatDuration, withRule } from '@/lib/format';
import { humanize } from '@/lib/humanize';
import { strings } from '@/strings';
import classes from './site-page.module.css';

const text = strings.site;
const LIVE_MS = 5_000;

/** What a site was asked, and what became of it, newest first. */
export function WorkCard({ siteId }: { siteId: string }) {
  const tasks = useQuery({ ...siteTasksQuery(siteId), refetchInterval: LIVE_MS });
  return (
    <Card title={text.work}>
      {tasks.isPending && <Loading label={text.loading} rows={2} />}
      {tasks.isError && <Failure error={tasks.error} onRetry={() => void tasks.refetch()} />}
      {tasks.data?.length === 0 && <p className={classes['none']}>{text.noWork}</p>}
      {tasks.data && tasks.data.length > 0 && <TaskTable tasks={tasks.data} />}
    </Card>
  );
}

function TaskTable({ tasks }: { tasks: readonly SiteTask[] }) {
  const head = [text.run, text.round, text.did, text.state, text.took, text.sent, text.why];
  return (
    <PlainTable label={text.work} head={head} maxHeight={420}>
      {tasks.map((task) => (
        <tr key={task.id}>
          <th scope="row">
            <TextLink to="/runs/$runId" params={{ runId: task.run }}>
              {task.run_name}
            </TextLink>
          </th>
          <NumberCell>{task.round_index}</NumberCell>
          <td>{text.tasks[task.kind]}</td>
          <td>{text.taskStates[task.state]}</td>
          <NumberCell>{task.state === 'done' ? formatDuration(task.seconds) : ''}</NumberCell>
          <NumberCell>{task.size_bytes > 0 ? formatBytes(task.size_bytes) : ''}</NumberCell>
          <td className={classes['why']}>{withRule(task.rule, task.reason)}</td>
        </tr>
      ))}
    </PlainTable>
  );
}

/** All that was done to a site, and by it. */
export function HistoryCard({ siteId }: { siteId: string }) {
  const history = useQuery(siteHistoryQuery(siteId));
  return (
    <Card title={text.history}>
      {history.isPending && <Loading label={text.loading} rows={2} />}
      {history.isError && <Failure error={history.error} onRetry={() => void history.refetch()} />}
      {history.data && (
        <RowList label={text.history} empty={text.noHistory}>
          {history.data.map((entry) => (
            <Row
              key={entry.id}
              title={humanize(entry.action.replace(/^site\./, ''))}
              detail={`${formatDateTime(entry.at)} ${text.by(entry.actor_name)}`}
            />
          ))}
        </RowList>
      )}
    </Card>
  );
}
