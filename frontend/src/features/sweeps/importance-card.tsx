import { useMemo } from 'react';
import type { Sweep } from '@/api/types';
import { metricTitle } from '@/components/charts/metric-axes';
import { Card } from '@/components/ui/card';
import { importanceOf } from '@/lib/importance';
import { settingTitle } from '@/lib/setting-text';
import { strings } from '@/strings';
import classes from './sweep-page.module.css';
import { rankedPoints } from './sweep-results';

const text = strings.sweep;
/** Correlations weaker than this are left unsaid. */
const CLEAR_TREND = 0.3;

/** Which settings matter for the result, as bars. */
export function ImportanceCard({ sweep }: { sweep: Sweep }) {
  const found = useMemo(
    () => importanceOf(rankedPoints(sweep).map(({ values, mean }) => ({ values, value: mean }))),
    [sweep],
  );
  const trendOf = (trend: number | null): string => {
    if (trend === null || Math.abs(trend) < CLEAR_TREND) return text.trendNone;
    return trend > 0 === sweep.higher_is_better ? text.trendUp : text.trendDown;
  };
  return (
    <Card title={text.importanceTitle} text={text.importanceText(metricTitle(sweep.metric))}>
      {found === null ? (
        <p className={classes['none']}>{text.importanceFew}</p>
      ) : (
        <ul className={classes['bars']}>
          {found.map(({ path, share, trend }) => {
            const percent = `${Math.round(share * 100)} %`;
            return (
              <li key={path} className={classes['bar']}>
                <span>{settingTitle(path)}</span>
                <span className={classes['trend']}>{trendOf(trend)}</span>
                <svg
                  viewBox="0 0 100 8"
                  preserveAspectRatio="none"
                  role="img"
                  aria-label={text.importanceOf(settingTitle(path), percent)}
                >
                  <rect className={classes['track']} width="100" height="8" />
                  <rect className={classes['share']} width={share * 100} height="8" />
                </svg>
                <span className={classes['percent']}>{percent}</span>
              </li>
            );
          })}
        </ul>
      )}
    </Card>
  );
}
