import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Sweep, SweepPoint } from '@/api/types';
import { metricTitle } from '@/components/charts/metric-axes';
import { Card } from '@/components/ui/card';
import { TextLink } from '@/components/ui/links';
import { ScrollRegion } from '@/components/ui/scroll-region';
import { StateBadge } from '@/components/ui/state-badge';
import { settingText, settingTitle } from '@/lib/setting-text';
import { strings } from '@/strings';
import classes from './sweep-page.module.css';
import { formatMean, isSamePoint, pathsOf, rankedPoints } from './sweep-results';

const text = strings.sweep;
/** A longer table is drawn only when it is asked for. */
const SHOWN = 50;

/** Every point with its result and its runs. */
export function PointsCard({ sweep }: { sweep: Sweep }) {
  const [isWhole, setWhole] = useState(false);
  const paths = pathsOf(sweep);
  const points = [...rankedPoints(sweep), ...sweep.points.filter(({ mean }) => mean === null)];
  return (
    <Card title={text.pointsTitle} text={text.pointsText}>
      {points.length === 0 ? (
        <p className={classes['none']}>{text.noPoints}</p>
      ) : (
        <ScrollRegion label={text.pointsTitle}>
          <table className={classes['table']}>
            <thead>
              <tr>
                <th scope="col">{text.columns.point}</th>
                {paths.map((path) => (
                  <th key={path} scope="col" title={path}>
                    {settingTitle(path)}
                  </th>
                ))}
                <th scope="col">{metricTitle(sweep.metric)}</th>
                <th scope="col">{text.columns.runs}</th>
              </tr>
            </thead>
            <tbody>
              {points.slice(0, isWhole ? undefined : SHOWN).map((point) => (
                <tr key={point.index} data-best={isSamePoint(point, sweep.best)}>
                  <th scope="row">{point.index + 1}</th>
                  {paths.map((path) => (
                    <td key={path}>{settingText(point.values[path])}</td>
                  ))}
                  <td>{formatMean(sweep.metric, point)}</td>
                  <td>
                    <Runs point={point} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollRegion>
      )}
      {!isWhole && points.length > SHOWN && (
        <Button
          variant="default"
          size="xs"
          mt="sm"
          onClick={() => {
            setWhole(true);
          }}
        >
          {text.showAll(points.length)}
        </Button>
      )}
    </Card>
  );
}

function Runs({ point }: { point: SweepPoint }) {
  if (point.problems.length > 0) return text.notRun(point.problems.join(' '));
  return (
    <span className={classes['runs']}>
      {point.runs.map(({ id, number, state }) => (
        <span key={id} className={classes['run']}>
          <TextLink to="/runs/$runId" params={{ runId: id }} size="sm">
            {strings.run.number(number)}
          </TextLink>
          <StateBadge state={state} />
        </span>
      ))}
    </span>
  );
}
