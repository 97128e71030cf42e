import { Button, Group, Stack, TagsInput, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { asApiError } from '@/api/errors';
import { describeRun, runFacetsQuery, runKeys } from '@/api/runs';
import type { Run } from '@/api/types';
import { Card } from '@/components/ui/card';
import { isEqual } from '@/lib/document-path';
import { strings } from '@/strings';
import { cacheRun } from './run-cache';

const text = strings.run.notes;
const MAX_TAGS = 12;

/** What people write on a run, for themselves and for others. */
export function RunNotes({ run }: { run: Run }) {
  const [notes, setNotes] = useState(run.notes);
  const [tags, setTags] = useState([...run.tags]);
  const queries = useQueryClient();
  const { data: facets } = useQuery(runFacetsQuery);
  const mayWrite = run.allowed_actions.includes('clone');
  const save = useMutation({
    mutationFn: () => describeRun(run.id, { notes, tags }),
    onSuccess: (changed) => {
      cacheRun(queries, changed);
      void queries.invalidateQueries({ queryKey: runKeys.lists() });
      void queries.invalidateQueries({ queryKey: runKeys.facets() });
    },
  });
  const isChanged = notes !== run.notes || !isEqual(tags, [...run.tags]);
  return (
    <Card title={text.title}>
      <Stack gap="sm">
        <TagsInput
          size="xs"
          label={text.tags}
          description={text.tagsHint}
          data={facets?.tags.map(({ value }) => value) ?? []}
          value={tags}
          onChange={setTags}
          maxTags={MAX_TAGS}
          maxLength={40}
          readOnly={!mayWrite}
        />
        <Textarea
          size="xs"
          label={text.notes}
          placeholder={text.placeholder}
          autosize
          minRows={3}
          maxRows={12}
          value={notes}
          readOnly={!mayWrite}
          error={save.error ? asApiError(save.error).message : undefined}
          onChange={(event) => {
            setNotes(event.currentTarget.value);
          }}
        />
        {isChanged && (
          <Group justify="flex-end">
            <Button
              size="xs"
              loading={save.isPending}
              onClick={() => {
                save.mutate();
              }}
            >
              {text.save}
            </Button>
          </Group>
        )}
      </Stack>
    </Card>
  );
}
