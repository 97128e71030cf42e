import { notifyManager, onlineManager, useQueryClient, type Query } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { asApiError } from '@/api/errors';
import { BehindBanner } from '@/components/ui/behind-banner';
import { strings } from '@/strings';

/** Whether a query shows what it knew before it could not reach the server. */
function isBehind(query: Query): boolean {
  const { fetchFailureReason: reason, data } = query.state;
  if (reason === null || data === undefined) return false;
  const { status } = asApiError(reason);
  return query.observers.length > 0 && (status === 0 || status >= 500);
}

/** Says that what is on the screen may be old; nothing when all is well. */
export function ReachBanner() {
  const queries = useQueryClient();
  const cache = queries.getQueryCache();
  const isOnline = useSyncExternalStore(
    (notify) => onlineManager.subscribe(notify),
    () => onlineManager.isOnline(),
  );
  const hasFailed = useSyncExternalStore(
    (notify) => cache.subscribe(notifyManager.batchCalls(notify)),
    () => cache.getAll().some(isBehind),
  );
  if (isOnline && !hasFailed) return null;
  return (
    <BehindBanner isOffline={!isOnline}>
      {isOnline ? strings.app.unreachable : strings.app.offline}
    </BehindBanner>
  );
}
