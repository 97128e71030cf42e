import { Button, CloseButton, Group, Modal, Popover, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { IconChartLine } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type SubmitEvent } from 'react';
import { asApiError } from '@/api/errors';
import { changeRuns, runKeys, type BulkAction } from '@/api/runs';
import type { RunListItem } from '@/api/types';
import { ButtonLink } from '@/components/ui/links';
import { strings } from '@/strings';
import classes from './run-list-page.module.css';

const text = strings.runList.bulk;

interface BulkBarProps {
  runs: readonly RunListItem[];
  isTrash: boolean;
  onClear: () => void;
}

/** What can be done with the selected runs: only what at least one of them allows. */
export function BulkBar({ runs, isTrash, onClear }: BulkBarProps) {
  const ids = runs.map((run) => run.id);
  const change = useBulkChange(ids);
  const [isAsking, question] = useDisclosure(false);
  const allows = (action: string) =>
    runs.some((run) => run.allowed_actions.some((allowed) => allowed === action));
  const button = (action: BulkAction & keyof typeof text) => (
    <Button
      size="compact-sm"
      variant="default"
      onClick={() => {
        change.mutate({ action });
      }}
    >
      {text[action]}
    </Button>
  );
  if (runs.length === 0) return null;
  return (
    <section className={classes['bulk']} aria-label={text.label}>
      <Text size="sm" fw={550} role="status">
        {strings.runList.selected(runs.length)}
      </Text>
      <Group gap={6}>
        <ButtonLink
          to="/compare"
          search={{ runs: ids.join(',') }}
          size="compact-sm"
          leftSection={<IconChartLine size={14} aria-hidden />}
        >
          {text.compare}
        </ButtonLink>
        {(['pause', 'resume', 'retry', 'retry-failed'] as const).map(
          (action) => allows(action) && <span key={action}>{button(action)}</span>,
        )}
        {allows('cancel') && (
          <Button size="compact-sm" variant="default" onClick={question.open}>
            {text.cancel}
          </Button>
        )}
        {button(runs.every((run) => run.is_favourite) ? 'unstar' : 'star')}
        <TagPopover change={change} />
        {isTrash ? button('restore') : runs.some((run) => run.is_final) && button('trash')}
      </Group>
      <CloseButton size="sm" ml="auto" aria-label={text.clear} onClick={onClear} />
      <Modal opened={isAsking} onClose={question.close} title={text.confirmCancel(runs.length)}>
        <Text size="sm">{text.confirmText}</Text>
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={question.close}>
            {text.keep}
          </Button>
          <Button
            color="red"
            onClick={() => {
              question.close();
              change.mutate({ action: 'cancel' });
            }}
          >
            {text.confirm}
          </Button>
        </Group>
      </Modal>
    </section>
  );
}

function useBulkChange(ids: readonly string[]) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ action, tag }: { action: BulkAction; tag?: string }) =>
      changeRuns(ids, action, tag),
    onSuccess: ({ done, refused }) => {
      const first = refused[0];
      notifications.show({
        color: first ? 'yellow' : 'green',
        message: [
          done.length > 0 ? text.done(done.length) : '',
          first ? text.refused(refused.length, first.message) : '',
        ].join(' '),
      });
    },
    onError: (error) => {
      notifications.show({ color: 'red', message: asApiError(error).message });
    },
    onSettled: () => queries.invalidateQueries({ queryKey: runKeys.all }),
  });
}

function TagPopover({ change }: { change: ReturnType<typeof useBulkChange> }) {
  const [tag, setTag] = useState('');
  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    if (tag.trim() !== '') change.mutate({ action: 'tag', tag: tag.trim() });
  }
  return (
    <Popover position="bottom" shadow="md" width={240} trapFocus returnFocus>
      <Popover.Target>
        <Button size="compact-sm" variant="default">
          {text.tag}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={text.tag}>
        <form onSubmit={submit}>
          <TextInput
            size="xs"
            label={text.tagName}
            maxLength={40}
            value={tag}
            onChange={(event) => {
              setTag(event.currentTarget.value);
            }}
          />
          <Group gap={6} mt="xs">
            <Button type="submit" size="compact-sm" disabled={tag.trim() === ''}>
              {text.tag}
            </Button>
            <Button
              size="compact-sm"
              variant="default"
              disabled={tag.trim() === ''}
              onClick={() => {
                change.mutate({ action: 'untag', tag: tag.trim() });
              }}
            >
              {text.untag}
            </Button>
          </Group>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
