import { ActionIcon, Menu } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconDots, IconStar, IconStarOff, IconTemplate, IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { asApiError } from '@/api/errors';
import { saveTemplate, templatesQuery } from '@/api/jobs';
import { changeRuns, runKeys } from '@/api/runs';
import type { Run } from '@/api/types';
import { asDocument } from '@/lib/document-path';
import { strings } from '@/strings';

const text = strings.run;

function showError(error: unknown): void {
  notifications.show({ color: 'red', message: asApiError(error).message });
}

/** What is done with a run now and then. */
export function RunMenu({ run }: { run: Run }) {
  const queries = useQueryClient();
  const mayWrite = run.allowed_actions.includes('clone');
  const change = useMutation({
    mutationFn: async (action: 'star' | 'unstar' | 'trash') => {
      const { refused } = await changeRuns([run.id], action);
      const [first] = refused;
      if (first !== undefined) notifications.show({ color: 'yellow', message: first.message });
    },
    onError: showError,
    onSettled: () => queries.invalidateQueries({ queryKey: runKeys.all }),
  });
  const template = useMutation({
    mutationFn: () => saveTemplate(run.name, asDocument(run.spec)),
    onSuccess: () => {
      notifications.show({ color: 'green', message: text.templateSaved(run.name) });
      return queries.invalidateQueries({ queryKey: templatesQuery.queryKey });
    },
    onError: showError,
  });
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <ActionIcon variant="default" size={36} aria-label={text.more}>
          <IconDots size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={
            run.is_favourite ? (
              <IconStarOff size={16} aria-hidden />
            ) : (
              <IconStar size={16} aria-hidden />
            )
          }
          onClick={() => {
            change.mutate(run.is_favourite ? 'unstar' : 'star');
          }}
        >
          {run.is_favourite ? text.unstar : text.star}
        </Menu.Item>
        {mayWrite && (
          <Menu.Item
            leftSection={<IconTemplate size={16} aria-hidden />}
            onClick={() => {
              template.mutate();
            }}
          >
            {text.asTemplate}
          </Menu.Item>
        )}
        {mayWrite && run.is_final && run.trashed_at === null && (
          <Menu.Item
            leftSection={<IconTrash size={16} aria-hidden />}
            onClick={() => {
              change.mutate('trash');
            }}
          >
            {text.trash}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
