import type { Event } from '@/api/types';
import { formatBytes, formatDuration, formatMetric } from '@/lib/format';
import { strings } from '@/strings';

const text = strings.run.events;

interface EventText {
  title: string;
  detail?: string;
  tone: 'plain' | 'good' | 'warning' | 'bad';
}

function roundDetail(event: Extract<Event, { kind: 'round_finished' }>): string {
  const { metrics, participants, seconds } = event.data;
  const accuracy = metrics['accuracy'];
  return [
    ...(accuracy == null ? [] : [formatMetric('accuracy', accuracy)]),
    text.participants(participants),
    formatDuration(seconds),
  ].join(' · ');
}

function stateTone(state: string): EventText['tone'] {
  if (state === 'succeeded') return 'good';
  return state === 'failed' ? 'bad' : 'plain';
}

function stateText({ data }: Extract<Event, { kind: 'state_changed' }>): EventText {
  const { from, to, reason } = data;
  const after = strings.states[to];
  const title = from === null ? after : text.stateChanged(strings.states[from], after);
  return { title, tone: stateTone(to), ...(reason && { detail: reason }) };
}

function siteText({ data }: Extract<Event, { kind: 'site_changed' }>): EventText {
  const { site, what, round_index: round, reason } = data;
  const isGood = what === 'joined' || what === 'returned';
  return {
    title: text.site(site, what, round),
    detail: reason,
    tone: isGood ? 'plain' : 'warning',
  };
}

/** One event in words. */
export function describeEvent(event: Event): EventText {
  switch (event.kind) {
    case 'state_changed':
      return stateText(event);
    case 'round_finished':
      return {
        title: text.roundFinished(event.data.round),
        detail: roundDetail(event),
        tone: 'plain',
      };
    case 'checkpoint_saved': {
      const { round_index: rounds, size_bytes: size } = event.data;
      return { title: text.checkpoint(rounds), detail: formatBytes(size), tone: 'plain' };
    }
    case 'recovered': {
      const { from_round: round, reason } = event.data;
      return { title: text.recovered(round), detail: reason, tone: 'warning' };
    }
    case 'client_refused': {
      const { client_id: client, round_index: round, reason } = event.data;
      return { title: text.refused(String(client), round), detail: reason, tone: 'warning' };
    }
    case 'site_changed':
      return siteText(event);
    case 'artifact_created': {
      const { kind, size_bytes: size } = event.data;
      return { title: text.artifact(kind), detail: formatBytes(size), tone: 'plain' };
    }
    case 'log': {
      const { level, message } = event.data;
      return {
        title: message,
        tone: level === 'error' ? 'bad' : level === 'warning' ? 'warning' : 'plain',
      };
    }
  }
}
