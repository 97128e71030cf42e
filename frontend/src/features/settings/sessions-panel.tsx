import { Badge, Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { endOtherSessions, endSession, sessionsQuery } from '@/api/access';
import { Card } from '@/components/ui/card';
import { Failure, Loading } from '@/components/ui/feedback';
import { Problem } from '@/components/ui/problem';
import { Row, RowList } from '@/components/ui/row-list';
import { browserName } from '@/lib/browser-name';
import { formatAge } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { strings } from '@/strings';

const text = strings.access.sessions;

/** The browsers in which the user is signed in. */
export function SessionsPanel() {
  const sessions = useQuery(sessionsQuery);
  const queries = useQueryClient();
  const now = useNow();
  const again = {
    onSettled: () => queries.invalidateQueries({ queryKey: sessionsQuery.queryKey }),
  };
  const end = useMutation({ mutationFn: endSession, ...again });
  const endOthers = useMutation({ mutationFn: endOtherSessions, ...again });
  if (sessions.isPending) return <Loading label={strings.access.settings.loading} />;
  if (sessions.isError) {
    return <Failure error={sessions.error} onRetry={() => void sessions.refetch()} />;
  }
  return (
    <Card
      title={text.title}
      aside={
        sessions.data.length > 1 && (
          <Button
            size="xs"
            variant="default"
            loading={endOthers.isPending}
            onClick={() => {
              endOthers.mutate();
            }}
          >
            {text.endOthers}
          </Button>
        )
      }
    >
      <Problem error={end.error ?? endOthers.error} />
      <RowList label={text.title} empty="">
        {sessions.data.map((session) => (
          <Row
            key={session.id}
            title={browserName(session.browser)}
            detail={`${session.address} · ${text.seen(formatAge(session.last_seen_at, now))}`}
          >
            {session.is_this ? (
              <Badge variant="light">{text.this}</Badge>
            ) : (
              <Button
                size="xs"
                variant="default"
                aria-label={text.endThat(browserName(session.browser))}
                onClick={() => {
                  end.mutate(session.id);
                }}
              >
                {text.end}
              </Button>
            )}
          </Row>
        ))}
      </RowList>
    </Card>
  );
}
