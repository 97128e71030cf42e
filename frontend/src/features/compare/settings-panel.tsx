import type { Comparison } from '@/api/types';
import { Card } from '@/components/ui/card';
import { ScrollRegion } from '@/components/ui/scroll-region';
import { settingText, settingTitle } from '@/lib/setting-text';
import { strings } from '@/strings';
import classes from './compare-page.module.css';
import { groupsOf } from './groups';

const text = strings.compare;

/** The settings at which the runs differ, and nothing else. */
export function SettingsPanel({ comparison }: { comparison: Comparison }) {
  const { differences } = comparison;
  return (
    <Card title={text.settingsTitle}>
      {differences.length === 0 ? (
        <p className={classes['note']}>{text.same}</p>
      ) : (
        <ScrollRegion label={text.settingsTitle}>
          <table className={classes['table']}>
            <thead>
              <tr>
                <th scope="col">{text.setting}</th>
                {groupsOf(comparison, undefined).map(({ name }) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {differences.map(({ path, values }) => (
                <tr key={path}>
                  <th scope="row" title={path}>
                    {settingTitle(path)}
                  </th>
                  {comparison.runs.map(({ run }, index) => (
                    <td key={run.id}>{settingText(values[index])}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollRegion>
      )}
    </Card>
  );
}
