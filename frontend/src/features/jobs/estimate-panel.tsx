import { IconAlertTriangle } from '@tabler/icons-react';
import type { Estimate } from '@/api/types';
import { Facts } from '@/components/ui/facts';
import { formatBytes, formatCount, formatDuration, formatInteger, formatReal } from '@/lib/format';
import { strings } from '@/strings';
import classes from './launch-panel.module.css';

const text = strings.newRun;
const names = text.estimate;

function orUnknown(value: number | null, format: (value: number) => string): string {
  return value === null ? text.unknown : format(value);
}

function timesOf({ seconds_per_round: round, seconds_total: total }: Estimate) {
  if (round === null || total === null) return [{ name: names.time, value: names.notMeasured }];
  return [
    { name: names.round, value: formatDuration(round) },
    { name: names.time, value: formatDuration(total) },
  ];
}

/** What is promised about the clients' data; nothing without differential privacy. */
function promisesOf({ epsilon, delta, noise_multiplier: noise }: Estimate) {
  if (delta === null) return [];
  const value =
    epsilon === null ? text.unknown : names.atMost(formatReal(epsilon), formatReal(delta));
  return [
    { name: names.epsilon, value },
    { name: names.noise, value: orUnknown(noise, formatReal) },
  ];
}

/** What a run will send, hold and take, as far as it is known before it starts. */
export function EstimatePanel({ estimate }: { estimate: Estimate }) {
  return (
    <>
      <Facts
        facts={[
          { name: names.cohort, value: formatInteger(estimate.cohort) },
          { name: names.parameters, value: orUnknown(estimate.model_parameters, formatCount) },
          { name: names.up, value: orUnknown(estimate.bytes_up_per_round, formatBytes) },
          { name: names.down, value: orUnknown(estimate.bytes_down_per_round, formatBytes) },
          { name: names.total, value: orUnknown(estimate.bytes_total, formatBytes) },
          { name: names.memory, value: orUnknown(estimate.memory_bytes, formatBytes) },
          ...timesOf(estimate),
          ...promisesOf(estimate),
        ]}
      />
      {estimate.fits === false && (
        <p className={classes['bad']} role="status">
          <IconAlertTriangle size={16} aria-hidden />
          <span>{names.tooLarge}</span>
        </p>
      )}
    </>
  );
}
