import { useQuery } from '@tanstack/react-query';
import { clientsQuery } from '@/api/runs';
import type { Run } from '@/api/types';
import { PartitionFigure } from '@/components/charts/partition-figure';
import { Card } from '@/components/ui/card';
import { Empty, Failure, Loading } from '@/components/ui/feedback';
import { strings } from '@/strings';

const text = strings.partition;

/** How the examples of a run are divided among its clients. */
export function RunData({ run }: { run: Run }) {
  const clients = useQuery({
    ...clientsQuery(run.id),
    refetchInterval: ({ state: { data } }) => (data?.clients.length === 0 ? 2_000 : false),
  });
  if (clients.isPending) return <Loading label={text.loading} rows={4} />;
  if (clients.isError) {
    return <Failure error={clients.error} onRetry={() => void clients.refetch()} />;
  }
  if (clients.data.clients.length === 0) {
    return <Empty title={text.emptyTitle} text={text.emptyText} />;
  }
  return (
    <Card title={text.title} text={text.ofRun(clients.data.clients.length)}>
      <PartitionFigure
        clients={clients.data.clients.map((client) => ({
          name: String(client.client_id),
          numSamples: client.num_samples,
          classCounts: client.class_counts ?? [],
        }))}
        classNames={[]}
        name={run.name}
        height="large"
      />
    </Card>
  );
}
