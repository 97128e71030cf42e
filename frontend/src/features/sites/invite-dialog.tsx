import { Button, Code, Group, Modal, Select, Stack, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type SubmitEvent } from 'react';
import { inviteSite, SITES } from '@/api/sites';
import type { SiteInvited } from '@/api/types';
import { CopyButton } from '@/components/ui/copy-button';
import { Problem } from '@/components/ui/problem';
import { strings } from '@/strings';

const text = strings.siteInvite;
const DAYS = [1, 7, 30];

interface Project {
  id: string;
  name: string;
}

/** Make a code for a machine that shall take part, and show it once. */
export function InviteDialog({
  projects,
  onClose,
}: {
  projects: readonly Project[];
  onClose: () => void;
}) {
  const [project, setProject] = useState(projects[0]?.id ?? '');
  const [name, setName] = useState('');
  const [days, setDays] = useState(7);
  const queries = useQueryClient();
  const invite = useMutation({
    mutationFn: () => inviteSite(project, name.trim(), days),
    onSuccess: () => queries.invalidateQueries({ queryKey: SITES }),
  });
  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    invite.mutate();
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={text.title}
      centered
      size="lg"
      closeButtonProps={{ 'aria-label': text.close }}
    >
      {invite.data ? (
        <Invited site={invite.data} onClose={onClose} />
      ) : (
        <form onSubmit={submit} aria-label={text.title}>
          <Stack gap="md">
            <Problem error={invite.error} />
            {projects.length > 1 && (
              <Select
                label={text.project}
                allowDeselect={false}
                value={project}
                data={projects.map(({ id, name: label }) => ({ value: id, label }))}
                onChange={(value) => {
                  setProject(value ?? '');
                }}
              />
            )}
            <TextInput
              label={text.name}
              description={text.nameHint}
              value={name}
              maxLength={120}
              required
              withAsterisk={false}
              data-autofocus
              onChange={(event) => {
                setName(event.currentTarget.value);
              }}
            />
            <Select
              label={text.days}
              allowDeselect={false}
              value={String(days)}
              data={DAYS.map((value) => ({ value: String(value), label: text.daysOf(value) }))}
              onChange={(value) => {
                setDays(Number(value));
              }}
            />
            <Group justify="flex-end">
              <Button type="submit" loading={invite.isPending}>
                {text.send}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}

/** The command that a site enrols with; its code cannot be shown a second time. */
export function Invited({ site, onClose }: { site: SiteInvited; onClose: () => void }) {
  const command = `roundhouse site enrol ${site.code} --server ${window.location.origin}`;
  return (
    <Stack gap="sm" role="status" aria-label={text.madeTitle(site.name)}>
      <span>{text.made}</span>
      <Code block aria-label={text.command} style={{ whiteSpace: 'pre-wrap' }}>
        {command}
      </Code>
      <Group>
        <CopyButton value={command} />
      </Group>
      <span>{text.next}</span>
      <Group justify="flex-end">
        <Button onClick={onClose}>{text.done}</Button>
      </Group>
    </Stack>
  );
}
