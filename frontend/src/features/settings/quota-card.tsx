import { Button, Group, NumberInput, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type SubmitEvent } from 'react';
import { quotaQuery, setQuota } from '@/api/access';
import { meQuery } from '@/api/session';
import { Card } from '@/components/ui/card';
import { Facts } from '@/components/ui/facts';
import { Failure, Loading } from '@/components/ui/feedback';
import { Problem } from '@/components/ui/problem';
import { formatInteger } from '@/lib/format';
import { strings } from '@/strings';

const text = strings.access.projects;

function limitText(own: number | null, installation: number | null): string {
  if (own !== null) return formatInteger(own);
  const general = installation === null ? text.unlimited : formatInteger(installation);
  return text.installation(general);
}

/** How many runs may train and wait: seen by members, set by who runs the installation. */
export function QuotaCard({ project }: { project: string }) {
  const quota = useQuery(quotaQuery(project));
  const { data: me } = useQuery(meQuery);
  if (quota.isPending) return <Loading label={strings.access.settings.loading} rows={2} />;
  if (quota.isError) return <Failure error={quota.error} onRetry={() => void quota.refetch()} />;
  const { max_running: running, max_queued: queued } = quota.data;
  return (
    <Card title={text.quota} text={text.quotaText}>
      {me?.user.is_superuser ? (
        <QuotaForm project={project} running={running} queued={queued} />
      ) : (
        <Stack gap="xs">
          <Facts
            facts={[
              {
                name: text.running,
                value: limitText(running, quota.data.installation_max_running),
              },
              { name: text.queued, value: limitText(queued, quota.data.installation_max_queued) },
            ]}
          />
          <Text size="sm" c="dimmed">
            {text.quotaOperators}
          </Text>
        </Stack>
      )}
    </Card>
  );
}

function QuotaForm({
  project,
  running,
  queued,
}: {
  project: string;
  running: number | null;
  queued: number | null;
}) {
  const [maxRunning, setMaxRunning] = useState<string | number>(running ?? '');
  const [maxQueued, setMaxQueued] = useState<string | number>(queued ?? '');
  const queries = useQueryClient();
  const { data: quota } = useQuery(quotaQuery(project));
  const save = useMutation({
    mutationFn: () =>
      setQuota(project, {
        max_running: maxRunning === '' ? null : Number(maxRunning),
        max_queued: maxQueued === '' ? null : Number(maxQueued),
      }),
    onSuccess: (found) => {
      queries.setQueryData(quotaQuery(project).queryKey, found);
    },
  });
  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    save.mutate();
  }
  return (
    <form onSubmit={submit} aria-label={text.quota}>
      <Stack gap="sm">
        <Problem error={save.error} />
        <Group gap="sm" align="flex-end">
          <NumberInput
            label={text.running}
            placeholder={limitText(null, quota?.installation_max_running ?? null)}
            min={1}
            w={230}
            value={maxRunning}
            onChange={setMaxRunning}
          />
          <NumberInput
            label={text.queued}
            placeholder={limitText(null, quota?.installation_max_queued ?? null)}
            min={1}
            w={230}
            value={maxQueued}
            onChange={setMaxQueued}
          />
          <Button type="submit" variant="default" loading={save.isPending}>
            {strings.access.settings.save}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
