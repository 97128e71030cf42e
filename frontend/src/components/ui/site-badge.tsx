import type { RunState, Site } from '@/api/types';
import { StateBadge } from './state-badge';
import { strings } from '@/strings';

const text = strings.sites;

/** A site as one word: how far it has come, and for approved ones whether it is there. */
export function SiteBadge({ state, presence }: Pick<Site, 'state' | 'presence'>) {
  if (state !== 'approved') {
    const looks: Record<typeof state, RunState> = {
      invited: 'queued',
      pending: 'paused',
      revoked: 'failed',
    };
    return <StateBadge state={looks[state]} label={text.states[state]} />;
  }
  return (
    <StateBadge
      state={presence === 'online' ? 'succeeded' : 'cancelled'}
      label={text.presence[presence]}
    />
  );
}
