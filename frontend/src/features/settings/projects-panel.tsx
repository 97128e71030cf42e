import { Badge, Button, Group, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type SubmitEvent } from 'react';
import { createProject } from '@/api/access';
import { meQuery } from '@/api/session';
import { Card } from '@/components/ui/card';
import { ButtonLink } from '@/components/ui/links';
import { Problem } from '@/components/ui/problem';
import { Row, RowList } from '@/components/ui/row-list';
import { strings } from '@/strings';

const text = strings.access.projects;

export function ProjectsPanel() {
  const { data: me } = useQuery(meQuery);
  if (me === undefined) return null;
  return (
    <Card title={text.mine}>
      <Stack gap="md">
        <RowList label={text.mine} empty={text.none}>
          {me.projects.map((project) => (
            <Row key={project.id} title={project.name}>
              <Badge variant="light" color="gray">
                {strings.access.roles[project.role]}
              </Badge>
              <ButtonLink
                to="/projects/$projectId"
                params={{ projectId: project.id }}
                size="xs"
                variant="default"
                aria-label={`${text.open} ${project.name}`}
              >
                {text.open}
              </ButtonLink>
            </Row>
          ))}
        </RowList>
        {me.user.is_superuser && <NewProjectForm />}
      </Stack>
    </Card>
  );
}

function NewProjectForm() {
  const [name, setName] = useState('');
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: createProject,
    onSuccess: () => {
      setName('');
      return queries.invalidateQueries({ queryKey: meQuery.queryKey });
    },
  });
  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    create.mutate(name.trim());
  }
  return (
    <form onSubmit={submit} aria-label={text.create}>
      <Stack gap="sm">
        <Problem error={create.error} />
        <Group gap="sm" align="flex-end">
          <TextInput
            label={text.name}
            value={name}
            maxLength={120}
            required
            withAsterisk={false}
            onChange={(event) => {
              setName(event.currentTarget.value);
            }}
          />
          <Button type="submit" loading={create.isPending}>
            {text.create}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
