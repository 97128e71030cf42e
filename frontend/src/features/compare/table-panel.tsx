import { Button, Code, Group, SegmentedControl } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import type { Comparison } from '@/api/types';
import { Card } from '@/components/ui/card';
import { CopyButton } from '@/components/ui/copy-button';
import { ScrollRegion } from '@/components/ui/scroll-region';
import { downloadFile } from '@/lib/download';
import { strings } from '@/strings';
import classes from './compare-page.module.css';
import { cellText, paperTable, printTable, type TableFormat } from './paper-table';
import { GroupSelect, MetricSelect, useChosenView } from './view-tools';

const text = strings.compare;
const FORMATS = Object.keys(text.tableFormats) as TableFormat[];
const ENDINGS: Record<TableFormat, string> = { markdown: 'md', latex: 'tex', csv: 'csv' };

/** What was set, reached and spent, ready to be pasted into a paper. */
export function TablePanel({ comparison }: { comparison: Comparison }) {
  const { metric, group } = useChosenView(comparison);
  const [format, setFormat] = useState<TableFormat>('markdown');
  const table = paperTable(comparison, metric, group);
  const source = printTable(table, format);
  return (
    <div className={classes['panel']}>
      <Card title={text.tableTitle}>
        <div className={classes['tools']}>
          <MetricSelect comparison={comparison} />
          <GroupSelect comparison={comparison} />
        </div>
        <ScrollRegion label={text.tableTitle}>
          <table className={classes['table']}>
            <thead>
              <tr>
                {table.head.map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {table.rows.map((row, index) => (
                <tr key={index}>
                  {row.map((cell, column) => (
                    <td
                      key={column}
                      className={typeof cell === 'object' ? classes['number'] : undefined}
                    >
                      {cellText(cell)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollRegion>
      </Card>
      <Card
        title={text.tableFormats[format]}
        aside={
          <Group gap="xs">
            <SegmentedControl
              size="xs"
              aria-label={text.format}
              value={format}
              onChange={setFormat}
              data={FORMATS.map((value) => ({ value, label: text.tableFormats[value] }))}
            />
            <CopyButton value={source} />
            <Button
              size="xs"
              variant="default"
              leftSection={<IconDownload size={14} aria-hidden />}
              onClick={() => {
                downloadFile(`comparison.${ENDINGS[format]}`, new Blob([source]));
              }}
            >
              {text.download}
            </Button>
          </Group>
        }
      >
        <Code block className={classes['code'] ?? ''} tabIndex={0}>
          {source}
        </Code>
      </Card>
    </div>
  );
}
