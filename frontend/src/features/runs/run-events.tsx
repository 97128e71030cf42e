import type { Event } from '@/api/types';
import { formatDateTime, formatTimeOfDay } from '@/lib/format';
import { strings } from '@/strings';
import { describeEvent } from './event-text';
import classes from './run-events.module.css';

const text = strings.run.events;

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
