import { Button, Divider, Group, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconTemplate } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { asApiError } from '@/api/errors';
import { deleteTemplate, saveTemplate, templatesQuery } from '@/api/jobs';
import { Failure } from '@/components/ui/feedback';
import { TextLink } from '@/components/ui/links';
import { SavedPopover, SavedRow } from '@/components/ui/saved-popover';
import { strings } from '@/strings';
import type { SpecForm } from './use-spec-form';

const text = strings.newRun.templates;

/** Settings that were kept to start from. */
export function TemplatesPopover({ form, name }: { form: SpecForm; name: string }) {
  const [isOpen, popover] = useDisclosure(false);
  return (
    <SavedPopover
      label={text.button}
      title={text.title}
      icon={IconTemplate}
      position="bottom-start"
      width={300}
      isOpen={isOpen}
      onToggle={popover.toggle}
    >
      <TemplateList onChoose={popover.close} />
      <Divider my="sm" />
      <SaveTemplate form={form} name={name} />
    </SavedPopover>
  );
}

function TemplateList({ onChoose }: { onChoose: () => void }) {
  const templates = useQuery(templatesQuery);
  if (templates.isError) {
    return <Failure error={templates.error} onRetry={() => void templates.refetch()} />;
  }
  const rows = templates.data?.results ?? [];
  return (
    <Stack gap={6}>
      {rows.length === 0 && (
        <Text size="xs" c="dimmed">
          {templates.isPending ? text.loading : text.empty}
        </Text>
      )}
      {rows.map(({ id, name }) => (
        <TemplateRow key={id} id={id} name={name} onChoose={onChoose} />
      ))}
    </Stack>
  );
}

interface TemplateRowProps {
  id: string;
  name: string;
  onChoose: () => void;
}

/** Deleting cannot be undone, so it takes two clicks. */
function TemplateRow({ id, name, onChoose }: TemplateRowProps) {
  const [isAsking, asking] = useDisclosure(false);
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteTemplate(id),
    onSuccess: () => queries.invalidateQueries({ queryKey: templatesQuery.queryKey }),
  });
  if (isAsking) {
    return (
      <Stack gap={4}>
        <Text size="sm">{text.confirm(name)}</Text>
        {remove.isError && (
          <Text size="xs" c="red" role="alert">
            {asApiError(remove.error).message}
          </Text>
        )}
        <Group gap="xs">
          <Button
            size="compact-xs"
            color="red"
            loading={remove.isPending}
            onClick={() => {
              remove.mutate();
            }}
          >
            {text.remove}
          </Button>
          <Button size="compact-xs" variant="default" onClick={asking.close}>
            {text.keep}
          </Button>
        </Group>
      </Stack>
    );
  }
  return (
    <SavedRow label={text.delete(name)} onDelete={asking.open}>
      <TextLink to="/new" search={{ template: id }} size="sm" onClick={onChoose}>
        {name}
      </TextLink>
    </SavedRow>
  );
}

function SaveTemplate({ form, name: suggestion }: { form: SpecForm; name: string }) {
  const [name, setName] = useState('');
  const queries = useQueryClient();
  const chosen = name.trim() === '' ? suggestion : name.trim();
  const save = useMutation({
    mutationFn: () => saveTemplate(chosen, form.document),
    onSuccess: () => {
      setName('');
      return queries.invalidateQueries({ queryKey: templatesQuery.queryKey });
    },
  });
  const isWrong = form.problems.length > 0 || (form.draft?.fault ?? null) !== null;
  return (
    <Stack gap="xs">
      <TextInput
        size="xs"
        label={text.name}
        placeholder={suggestion}
        maxLength={120}
        value={name}
        error={save.error ? asApiError(save.error).message : undefined}
        onChange={(event) => {
          setName(event.currentTarget.value);
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return;
          // Enter would launch the run, whose form this is part of.
          event.preventDefault();
          if (!isWrong) save.mutate();
        }}
      />
      <Button
        size="xs"
        variant="light"
        loading={save.isPending}
        disabled={isWrong}
        onClick={() => {
          save.mutate();
        }}
      >
        {text.save}
      </Button>
      <Text size="xs" c="dimmed" aria-live="polite">
        {isWrong ? text.wrong : save.isSuccess ? text.saved(save.data.name) : ''}
      </Text>
    </Stack>
  );
}
