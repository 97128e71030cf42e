import type { SocketStatus } from '@/api/run-socket';
import { BehindBanner } from '@/components/ui/behind-banner';
import { strings } from '@/strings';

/** Says that what is on the screen may be behind; nothing when all is well. */
export function ConnectionBanner({ status }: { status: SocketStatus }) {
  if (status !== 'reconnecting' && status !== 'offline') return null;
  return (
    <BehindBanner isOffline={status === 'offline'}>
      {status === 'offline' ? strings.run.offline : strings.run.reconnecting}
    </BehindBanner>
  );
}
