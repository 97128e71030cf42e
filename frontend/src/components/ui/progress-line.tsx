import classes from './progress-line.module.css';

interface ProgressLineProps {
  done: number;
  total: number;
  /** What is being counted, for screen readers: "3 of 20 rounds". */
  label: string;
  tone?: 'brand' | 'muted' | 'bad';
}

/** A thin bar. Drawn by SVG attributes, so that it needs no inline style. */
export function ProgressLine({ done, total, label, tone = 'brand' }: ProgressLineProps) {
  const share = total === 0 ? 0 : Math.min(1, done / total);
  return (
    <svg
      className={classes['line']}
      data-tone={tone}
      viewBox="0 0 100 6"
      preserveAspectRatio="none"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={done}
    >
      <rect className={classes['track']} width="100" height="6" />
      <rect className={classes['bar']} width={share * 100} height="6" />
    </svg>
  );
}
