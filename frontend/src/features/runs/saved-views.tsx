import { Button, Divider, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconBookmark } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { defaultParseSearch, defaultStringifySearch, getRouteApi } from '@tanstack/react-router';
import { useState, type SubmitEvent } from 'react';
import { asApiError } from '@/api/errors';
import { deleteView, savedViewsQuery, saveView } from '@/api/runs';
import { TextLink } from '@/components/ui/links';
import { SavedPopover, SavedRow } from '@/components/ui/saved-popover';
import { readRunListSearch } from '@/lib/url-state';
import { strings } from '@/strings';

const text = strings.runList.views;
const route = getRouteApi('/member/runs');

/** Views of this list that the user has given names. */
export function SavedViews() {
  const [isOpen, popover] = useDisclosure(false);
  const { data: views } = useQuery(savedViewsQuery);
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: deleteView,
    onSettled: () => queries.invalidateQueries({ queryKey: savedViewsQuery.queryKey }),
  });
  return (
    <SavedPopover
      label={text.button}
      title={text.title}
      icon={IconBookmark}
      position="bottom-end"
      width={280}
      isOpen={isOpen}
      onToggle={popover.toggle}
    >
      <Stack gap={6}>
        {(views ?? []).length === 0 && (
          <Text size="xs" c="dimmed">
            {text.empty}
          </Text>
        )}
        {views?.map((view) => (
          <SavedRow
            key={view.id}
            label={text.delete(view.name)}
            onDelete={() => {
              remove.mutate(view.id);
            }}
          >
            <TextLink
              to="/runs"
              search={readRunListSearch(defaultParseSearch(view.query ?? ''))}
              size="sm"
              onClick={popover.close}
            >
              {view.name}
            </TextLink>
          </SavedRow>
        ))}
      </Stack>
      <Divider my="sm" />
      <SaveForm />
    </SavedPopover>
  );
}

function SaveForm() {
  const view = route.useSearch();
  const [name, setName] = useState('');
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: () => saveView(name.trim(), defaultStringifySearch(view)),
    onSuccess: () => {
      setName('');
      return queries.invalidateQueries({ queryKey: savedViewsQuery.queryKey });
    },
  });
  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    if (name.trim() !== '') save.mutate();
  }
  return (
    <form onSubmit={submit}>
      <Stack gap="xs">
        <TextInput
          size="xs"
          label={text.name}
          maxLength={80}
          value={name}
          error={save.error ? asApiError(save.error).message : undefined}
          onChange={(event) => {
            setName(event.currentTarget.value);
          }}
        />
        <Button type="submit" size="xs" variant="light" loading={save.isPending}>
          {text.save}
        </Button>
      </Stack>
    </form>
  );
}
