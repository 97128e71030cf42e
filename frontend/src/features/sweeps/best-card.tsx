import { IconRocket } from '@tabler/icons-react';
import type { Sweep, SweepPoint } from '@/api/types';
import { metricTitle } from '@/components/charts/metric-axes';
import { Card } from '@/components/ui/card';
import { Facts } from '@/components/ui/facts';
import { ButtonLink, TextLink } from '@/components/ui/links';
import { isObject, withValueAt, type Json, type JsonObject } from '@/lib/document-path';
import { settingText, settingTitle } from '@/lib/setting-text';
import { strings } from '@/strings';
import classes from './sweep-page.module.css';
import { formatMean } from './sweep-results';

const text = strings.sweep;

/** The settings of the best point, and a way to go on with them. */
export function BestCard({ sweep }: { sweep: Sweep }) {
  const { best, metric, document } = sweep;
  return (
    <Card
      title={text.bestTitle}
      text={text.bestText}
      aside={
        best !== null && (
          <ButtonLink
            to="/new"
            search={{ spec: specAt(document['base'], best) }}
            size="xs"
            variant="default"
            leftSection={<IconRocket size={14} aria-hidden />}
          >
            {text.openBest}
          </ButtonLink>
        )
      }
    >
      {best === null ? (
        <p className={classes['none']}>{text.noBest}</p>
      ) : (
        <Facts
          facts={[
            { name: metricTitle(metric), value: formatMean(metric, best) },
            ...Object.entries(best.values).map(([path, value]) => ({
              name: settingTitle(path),
              value: settingText(value),
            })),
            { name: text.columns.runs, value: <BestRuns point={best} /> },
          ]}
        />
      )}
    </Card>
  );
}

/** The spec of a point: the shared settings with its own put in. */
function specAt(base: unknown, { values }: SweepPoint): JsonObject {
  const start: Json = isObject(base) ? base : {};
  const spec = Object.entries(values).reduce<Json>(
    (document, [path, value]) => withValueAt(document, path, value as Json),
    start,
  );
  return isObject(spec) ? spec : {};
}

function BestRuns({ point }: { point: SweepPoint }) {
  return (
    <span className={classes['runs']}>
      {point.runs.map(({ id, number }) => (
        <TextLink key={id} to="/runs/$runId" params={{ runId: id }} size="sm">
          {text.bestRun(number)}
        </TextLink>
      ))}
    </span>
  );
}
