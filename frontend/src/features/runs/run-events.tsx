import { Button, SegmentedControl } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { fetchEvents, runKeys, type RunHistory } from '@/api/runs';
import type { Event } from '@/api/types';
import { Card } from '@/components/ui/card';
import { formatDateTime, formatTimeOfDay } from '@/lib/format';
import { strings } from '@/strings';
import { describeEvent, isMilestone } from './event-text';
import { withEarlierEvents } from './run-cache';
import classes from './run-events.module.css';

const text = strings.run.events;
const PAGE_SIZE = 200;

/** Newest first. */
export function EventList({ events }: { events: readonly Event[] }) {
  if (events.length === 0) return <p className={classes['empty']}>{text.empty}</p>;
  return (
    <ol className={classes['list']} reversed>
      {events.toReversed().map((event) => {
        const { title, detail, tone } = describeEvent(event);
        return (
          <li key={event.seq} className={classes['event']} data-tone={tone}>
            <time dateTime={event.at} title={formatDateTime(event.at)} className={classes['time']}>
              {formatTimeOfDay(event.at)}
            </time>
            <span className={classes['mark']} aria-hidden />
            <span className={classes['title']}>{title}</span>
            {detail && <span className={classes['detail']}>{detail}</span>}
          </li>
        );
      })}
    </ol>
  );
}

/** All events of a run, with the older ones on demand. */
export function RunEvents({ runId, history }: { runId: string; history: RunHistory }) {
  const [show, setShow] = useState<'everything' | 'milestones'>('everything');
  const queries = useQueryClient();
  const first = history.events[0]?.seq ?? 1;
  const earlier = useMutation({
    mutationFn: () => {
      const after = Math.max(0, first - 1 - PAGE_SIZE);
      return fetchEvents(runId, after, first - 1 - after);
    },
    onSuccess: (page) => {
      queries.setQueryData<RunHistory>(runKeys.history(runId), (known) =>
        known === undefined ? known : withEarlierEvents(known, page.events),
      );
    },
  });
  const events = show === 'everything' ? history.events : history.events.filter(isMilestone);
  return (
    <Card
      title={text.title}
      aside={
        <SegmentedControl
          size="xs"
          aria-label={text.filter}
          value={show}
          onChange={setShow}
          data={[
            { value: 'everything', label: text.everything },
            { value: 'milestones', label: text.milestones },
          ]}
        />
      }
    >
      <EventList events={events} />
      {first > 1 && (
        <Button
          mt="md"
          size="xs"
          variant="default"
          loading={earlier.isPending}
          onClick={() => {
            earlier.mutate();
          }}
        >
          {text.earlier}
        </Button>
      )}
    </Card>
  );
}
