import { Button, Group, Modal } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { IconChartLine, IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { asApiError } from '@/api/errors';
import { runKeys } from '@/api/runs';
import { controlSweep, sweepKeys } from '@/api/sweeps';
import type { Sweep, SweepInput } from '@/api/types';
import { ButtonLink } from '@/components/ui/links';
import { PageHeader } from '@/components/ui/page-header';
import { ProgressLine } from '@/components/ui/progress-line';
import { StateBadge } from '@/components/ui/state-badge';
import { strings } from '@/strings';
import { BADGES, numEnded, rankedPoints } from './sweep-results';

const text = strings.sweep;
/** As many as can be told apart in one chart. */
const MAX_COMPARED = 8;

function describeKind({ search, seeds, axes }: SweepInput): string {
  const points = Object.values(axes).reduce((product, values) => product * values.length, 1);
  const what =
    search === null
      ? text.kinds.grid(points)
      : text.kinds.search(search.sampler.toUpperCase(), search.trials);
  return seeds > 1 ? `${what} · ${text.kinds.seeds(seeds)}` : what;
}

export function SweepHeader({ sweep }: { sweep: Sweep }) {
  const ended = numEnded(sweep);
  return (
    <div>
      <PageHeader
        title={sweep.name}
        aside={<StateBadge state={BADGES[sweep.state]} label={strings.sweepStates[sweep.state]} />}
        lead={describeKind(sweep.document as unknown as SweepInput)}
        actions={<Actions sweep={sweep} />}
      />
      <ProgressLine
        done={ended}
        total={sweep.runs_total}
        label={text.progress}
        tone={sweep.state === 'cancelled' ? 'muted' : 'brand'}
      />
    </div>
  );
}

function Actions({ sweep }: { sweep: Sweep }) {
  const queries = useQueryClient();
  const [isAsking, question] = useDisclosure(false);
  const control = useMutation({
    mutationFn: (verb: 'cancel' | 'resume') => controlSweep(sweep.job, verb),
    onSuccess: (changed) => {
      queries.setQueryData(sweepKeys.detail(sweep.job), changed);
    },
    onError: (error) => {
      notifications.show({
        color: 'red',
        title: strings.errors.title,
        message: asApiError(error).message,
      });
    },
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: runKeys.all });
      return queries.invalidateQueries({ queryKey: sweepKeys.all });
    },
  });
  const best = rankedPoints(sweep)
    .flatMap(({ runs }) => runs)
    .filter(({ value }) => value !== null)
    .slice(0, MAX_COMPARED);
  return (
    <Group gap={8}>
      {best.length > 1 && (
        <ButtonLink
          to="/compare"
          search={{ runs: best.map(({ id }) => id).join(',') }}
          variant="default"
          leftSection={<IconChartLine size={16} aria-hidden />}
        >
          {text.compareBest}
        </ButtonLink>
      )}
      {sweep.allowed_actions.includes('cancel') && (
        <Button
          variant="default"
          loading={control.isPending}
          leftSection={<IconPlayerStop size={16} aria-hidden />}
          onClick={question.open}
        >
          {text.stop}
        </Button>
      )}
      {sweep.allowed_actions.includes('resume') && (
        <Button
          variant="default"
          loading={control.isPending}
          leftSection={<IconPlayerPlay size={16} aria-hidden />}
          onClick={() => {
            control.mutate('resume');
          }}
        >
          {text.resume}
        </Button>
      )}
      <Modal opened={isAsking} onClose={question.close} title={text.stopTitle} centered>
        <p>{text.stopText}</p>
        <Group justify="flex-end" mt="lg" gap="xs">
          <Button variant="default" data-autofocus onClick={question.close}>
            {text.stopKeep}
          </Button>
          <Button
            color="red"
            onClick={() => {
              question.close();
              control.mutate('cancel');
            }}
          >
            {text.stopConfirm}
          </Button>
        </Group>
      </Modal>
    </Group>
  );
}
