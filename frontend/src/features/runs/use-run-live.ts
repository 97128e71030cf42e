import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { RunSocket, runSocketUrl, type SocketStatus } from '@/api/run-socket';
import { runHistoryQuery, runKeys, runQuery, type RunHistory } from '@/api/runs';
import { meQuery } from '@/api/session';
import { applyFrame } from './run-cache';

/** Keep a run and its history current while its page is open; says how the connection is doing. */
export function useRunLive(runId: string): SocketStatus {
  const queries = useQueryClient();
  const [status, setStatus] = useState<SocketStatus>('connecting');
  // The connection continues the history, so it waits for one.
  const { isSuccess: hasHistory } = useQuery(runHistoryQuery(runId));

  useEffect(() => {
    if (!hasHistory) return;
    const socket = new RunSocket({
      url: (after) => runSocketUrl(runId, after),
      cursor: () => queries.getQueryData<RunHistory>(runKeys.history(runId))?.cursor ?? 0,
      onFrame: (frame) => {
        applyFrame(queries, runId, frame);
      },
      onStatus: setStatus,
      onRefused: () => {
        // These answer with the reason, and send a signed-out user to the sign-in page.
        void queries.invalidateQueries({ queryKey: meQuery.queryKey });
        void queries.invalidateQueries({ queryKey: runQuery(runId).queryKey });
      },
    });
    socket.start();
    return () => {
      socket.stop();
    };
  }, [queries, runId, hasHistory]);

  return status;
}
