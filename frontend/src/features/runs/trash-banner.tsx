import { Alert, Button, Group } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { changeRuns, runKeys } from '@/api/runs';
import type { Run } from '@/api/types';
import { strings } from '@/strings';

/** Says that lists leave this run out, and takes it back. */
export function TrashBanner({ run }: { run: Run }) {
  const queries = useQueryClient();
  const restore = useMutation({
    mutationFn: () => changeRuns([run.id], 'restore'),
    onSettled: () => queries.invalidateQueries({ queryKey: runKeys.all }),
  });
  return (
    <Alert color="yellow" variant="light" mb="md" icon={<IconTrash size={18} aria-hidden />}>
      <Group justify="space-between">
        {strings.run.trashed}
        <Button
          size="xs"
          variant="default"
          loading={restore.isPending}
          onClick={() => {
            restore.mutate();
          }}
        >
          {strings.run.restore}
        </Button>
      </Group>
    </Alert>
  );
}
