import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef } from 'react';
import { ApiError, asApiError } from '@/api/errors';
import { launchJob, newIdempotencyKey } from '@/api/jobs';
import { runKeys } from '@/api/runs';
import type { FieldProblem } from '@/components/schema-form/form-context';

/** Where the name's own problems belong; it is no part of the document. */
export const NAME_PATH = 'name';

export function problemsIn(error: unknown): FieldProblem[] {
  if (!(error instanceof ApiError)) return [];
  return Object.entries(error.fields).flatMap(([path, messages]) =>
    messages.map((message) => ({ path, message, fix: '' })),
  );
}

/** Launches once, shows the run or the sweep, and gives the server's objections to their fields. */
export function useLaunch(setRefused: (problems: readonly FieldProblem[]) => void) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  // One key per attempt of the user: the same request sent again must not launch again.
  const key = useRef(newIdempotencyKey());
  return useMutation({
    mutationFn: (job: Omit<Parameters<typeof launchJob>[0], 'idempotencyKey'>) =>
      launchJob({ ...job, idempotencyKey: key.current }),
    onSuccess: (job, { sweep }) => {
      void queries.invalidateQueries({ queryKey: runKeys.lists() });
      if (sweep !== undefined) {
        void navigate({ to: '/sweeps/$jobId', params: { jobId: job.id } });
        return;
      }
      const run = job.runs[0];
      if (run !== undefined) void navigate({ to: '/runs/$runId', params: { runId: run.id } });
    },
    onError: (error) => {
      if (asApiError(error).isTransient) return;
      key.current = newIdempotencyKey();
      setRefused(problemsIn(error).filter((problem) => problem.path !== NAME_PATH));
    },
  });
}
