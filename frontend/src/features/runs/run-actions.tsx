import { Button, Group, Modal } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import {
  IconCopy,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
  IconRefresh,
  IconUserExclamation,
} from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { asApiError } from '@/api/errors';
import { controlRun, runKeys, type RunVerb } from '@/api/runs';
import type { Run } from '@/api/types';
import { ButtonLink } from '@/components/ui/links';
import { strings } from '@/strings';
import { cacheRun } from './run-cache';
import { RunMenu } from './run-menu';

const text = strings.run;

/** What can be done with a run now; the server decides what that is. */
export function RunActions({ run }: { run: Run }) {
  const queries = useQueryClient();
  const [isAsking, question] = useDisclosure(false);
  const control = useMutation({
    mutationFn: (verb: RunVerb) => controlRun(run.id, verb),
    onSuccess: (changed) => {
      cacheRun(queries, changed);
    },
    onError: (error) => {
      notifications.show({
        color: 'red',
        title: strings.errors.title,
        message: asApiError(error).message,
      });
    },
    onSettled: () => queries.invalidateQueries({ queryKey: runKeys.lists() }),
  });
  const button = (verb: RunVerb, icon: ReactNode, onClick?: () => void) =>
    run.allowed_actions.includes(verb) && (
      <Button
        variant="default"
        leftSection={icon}
        loading={control.isPending && control.variables === verb}
        onClick={
          onClick ??
          (() => {
            control.mutate(verb);
          })
        }
      >
        {text.actions[verb]}
      </Button>
    );

  return (
    <Group gap={8}>
      {button('pause', <IconPlayerPause size={16} aria-hidden />)}
      {button('resume', <IconPlayerPlay size={16} aria-hidden />)}
      {button('cancel', <IconPlayerStop size={16} aria-hidden />, question.open)}
      {button('retry', <IconRefresh size={16} aria-hidden />)}
      {button('retry-failed', <IconUserExclamation size={16} aria-hidden />)}
      {run.allowed_actions.includes('clone') && (
        <ButtonLink
          to="/new"
          search={{ clone: run.id }}
          variant="default"
          leftSection={<IconCopy size={16} aria-hidden />}
        >
          {text.actions.clone}
        </ButtonLink>
      )}
      <RunMenu run={run} />
      <Modal opened={isAsking} onClose={question.close} title={text.cancelTitle} centered>
        <p>{text.cancelText(run.name)}</p>
        <Group justify="flex-end" mt="lg" gap="xs">
          <Button variant="default" data-autofocus onClick={question.close}>
            {text.cancelKeep}
          </Button>
          <Button
            color="red"
            onClick={() => {
              question.close();
              control.mutate('cancel');
            }}
          >
            {text.cancelConfirm}
          </Button>
        </Group>
      </Modal>
    </Group>
  );
}
