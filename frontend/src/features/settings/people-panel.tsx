import { Badge, Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { peopleQuery, setActive } from '@/api/access';
import { meQuery } from '@/api/session';
import { Card } from '@/components/ui/card';
import { Failure, Loading } from '@/components/ui/feedback';
import { Problem } from '@/components/ui/problem';
import { Row, RowList } from '@/components/ui/row-list';
import { formatAge } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { strings } from '@/strings';

const text = strings.access.people;

interface Person {
  id: string;
  username: string;
  is_active: boolean;
  awaits_approval: boolean;
}

/** Everybody with an account: who waits is approved here, who has left is switched off. */
export function PeoplePanel() {
  const people = useQuery(peopleQuery);
  const { data: me } = useQuery(meQuery);
  const queries = useQueryClient();
  const now = useNow();
  const change = useMutation({
    mutationFn: ({ person, active }: { person: Person; active: boolean }) =>
      setActive(person.id, active),
    onSettled: () => queries.invalidateQueries({ queryKey: peopleQuery.queryKey }),
  });
  if (people.isPending) return <Loading label={strings.access.settings.loading} />;
  if (people.isError) {
    return <Failure error={people.error} onRetry={() => void people.refetch()} />;
  }
  return (
    <Card title={text.title}>
      <Problem error={change.error} />
      <RowList label={text.title} empty="">
        {people.data.map((person) => (
          <Row
            key={person.id}
            title={person.username}
            detail={text.joined(formatAge(person.date_joined, now))}
          >
            <Standing person={person} isOperator={person.is_superuser} />
            {person.id !== me?.user.id && (
              <SwitchButton
                person={person}
                onChange={(active) => {
                  change.mutate({ person, active });
                }}
              />
            )}
          </Row>
        ))}
      </RowList>
    </Card>
  );
}

function Standing({ person, isOperator }: { person: Person; isOperator: boolean }) {
  if (person.awaits_approval) {
    return (
      <Badge variant="light" color="yellow">
        {text.waits}
      </Badge>
    );
  }
  if (!person.is_active) {
    return (
      <Badge variant="light" color="red">
        {text.off}
      </Badge>
    );
  }
  return isOperator ? <Badge variant="light">{text.operator}</Badge> : null;
}

function SwitchButton({
  person,
  onChange,
}: {
  person: Person;
  onChange: (active: boolean) => void;
}) {
  const [label, full] = person.awaits_approval
    ? [text.approve, text.approveThat(person.username)]
    : person.is_active
      ? [text.switchOff, text.switchOffThat(person.username)]
      : [text.switchOn, text.switchOnThat(person.username)];
  return (
    <Button
      size="xs"
      variant={person.awaits_approval ? 'filled' : 'default'}
      aria-label={full}
      onClick={() => {
        onChange(!person.is_active);
      }}
    >
      {label}
    </Button>
  );
}
