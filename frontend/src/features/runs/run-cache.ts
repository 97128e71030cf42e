import type { QueryClient } from '@tanstack/react-query';
import { metricNames, runKeys, type RunHistory } from '@/api/runs';
import type { Event, RoundRow, Run, RunFrame } from '@/api/types';

/** The newest events are kept; older ones can be fetched again. */
const MAX_EVENTS = 2_000;

/** Rows in the order of their rounds, each once; a row that came again replaces the first. */
function mergeRounds(rounds: readonly RoundRow[], news: readonly RoundRow[]): readonly RoundRow[] {
  if (news.length === 0) return rounds;
  const last = rounds.at(-1)?.round ?? -1;
  if (news.every((row, index) => row.round > (news[index - 1]?.round ?? last))) {
    return [...rounds, ...news];
  }
  const byRound = new Map([...rounds, ...news].map((row) => [row.round, row]));
  return [...byRound.values()].sort((a, b) => a.round - b.round);
}

/** The history with these events taken in; events that it already contains change nothing. */
function withEvents(history: RunHistory, events: readonly Event[]): RunHistory {
  const fresh = events.filter((event) => event.seq > history.cursor);
  const lastEvent = fresh.at(-1);
  if (lastEvent === undefined) return history;
  const known = history.events.at(-1)?.seq ?? 0;
  const rows = fresh.flatMap((event) => (event.kind === 'round_finished' ? [event.data] : []));
  const rounds = mergeRounds(history.rounds, rows);
  return {
    rounds,
    metrics: metricNames(history.metrics, rows),
    numRounds: history.numRounds + (rounds.length - history.rounds.length),
    events: [...history.events, ...fresh.filter((event) => event.seq > known)].slice(-MAX_EVENTS),
    cursor: lastEvent.seq,
  };
}

/** Put a run into the cache, unless the cache already knows something newer. */
export function cacheRun(queries: QueryClient, run: Run): void {
  queries.setQueryData<Run>(runKeys.detail(run.id), (known) =>
    known !== undefined && known.last_seq > run.last_seq ? known : run,
  );
}

/** What the live connection says goes into the query cache, and nowhere else. */
export function applyFrame(queries: QueryClient, runId: string, frame: RunFrame): void {
  switch (frame.type) {
    case 'snapshot':
    case 'run': {
      const known = queries.getQueryData<Run>(runKeys.detail(runId));
      cacheRun(queries, frame.run);
      if (frame.run.is_final && known?.is_final !== true)
        void queries.invalidateQueries({ queryKey: runKeys.artifacts(runId) });
      return;
    }
    case 'events':
      queries.setQueryData<RunHistory>(runKeys.history(runId), (history) =>
        history === undefined ? history : withEvents(history, frame.events),
      );
      return;
    case 'ping':
      return;
  }
}
