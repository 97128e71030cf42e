import classes from './stat-tile.module.css';

interface Stat {
  label: string;
  value: string;
  detail?: string | undefined;
}

/** A few numbers that matter most, side by side. */
export function StatTiles({ stats }: { stats: readonly Stat[] }) {
  return (
    <dl className={classes['tiles']}>
      {stats.map(({ label, value, detail }) => (
        <div key={label} className={classes['tile']}>
          <dt className={classes['label']}>{label}</dt>
          <dd className={classes['value']}>{value}</dd>
          <dd className={classes['detail']}>{detail ?? '\u00a0'}</dd>
        </div>
      ))}
    </dl>
  );
}
