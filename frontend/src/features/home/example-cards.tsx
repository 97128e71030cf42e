import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { asApiError } from '@/api/errors';
import { launchJob, newIdempotencyKey } from '@/api/jobs';
import { runKeys } from '@/api/runs';
import { ButtonLink } from '@/components/ui/links';
import { strings } from '@/strings';
import { EXAMPLES, type Example } from './examples';
import classes from './home-page.module.css';

const text = strings.home;

/** Set-ups that one click launches. */
export function ExampleCards() {
  const launch = useLaunchExample();
  return (
    <ul className={classes['examples']}>
      {EXAMPLES.map((example) => {
        const { title, text: summary } = text.examples[example.id];
        return (
          <li key={example.id} className={classes['example']}>
            <h3 className={classes['exampleTitle']}>{title}</h3>
            <p className={classes['exampleText']}>{summary}</p>
            <div className={classes['exampleButtons']}>
              <Button
                size="xs"
                variant="light"
                aria-label={text.launch(title)}
                loading={launch.isPending && launch.variables === example}
                disabled={launch.isPending && launch.variables !== example}
                leftSection={<IconPlayerPlay size={14} aria-hidden />}
                onClick={() => {
                  launch.mutate(example);
                }}
              >
                {text.launchShort}
              </Button>
              <OpenInForm example={example} title={title} />
            </div>
          </li>
        );
      })}
    </ul>
  );
}

function OpenInForm({ example, title }: { example: Example; title: string }) {
  const look = { size: 'xs', variant: 'subtle', color: 'gray' } as const;
  const label = text.openNamed(title);
  if (example.spec === undefined) return null;
  return (
    <ButtonLink to="/new" search={{ spec: example.spec }} {...look} aria-label={label}>
      {text.openInForm}
    </ButtonLink>
  );
}

function useLaunchExample() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: ({ id, spec = {}, sweep }: Example) =>
      launchJob({
        name: text.examples[id].title,
        spec,
        sweep,
        idempotencyKey: newIdempotencyKey(),
      }),
    onSuccess: async ({ id, runs, sweep }) => {
      void queries.invalidateQueries({ queryKey: runKeys.all });
      const [first] = runs;
      if (sweep !== null) await navigate({ to: '/sweeps/$jobId', params: { jobId: id } });
      else if (first !== undefined) {
        await navigate({ to: '/runs/$runId', params: { runId: first.id } });
      }
    },
    onError: (error) => {
      notifications.show({
        color: 'red',
        title: strings.errors.title,
        message: asApiError(error).message,
      });
    },
  });
}
