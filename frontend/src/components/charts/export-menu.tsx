import { ActionIcon, Menu } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { toCsv, type CsvCell } from '@/lib/csv';
import { downloadFile, fileName } from '@/lib/download';
import { strings } from '@/strings';
import type { Caption } from './paper-option';
import type { DrawChart } from './types';

const text = strings.charts;

interface ExportMenuProps {
  /** What the files are called. */
  name: string;
  draw: DrawChart;
  /** What the page says around the chart. */
  caption: Caption;
  /** The numbers behind the chart, with a row of headings. */
  rows: () => readonly (readonly CsvCell[])[];
}

/** A chart as a picture or as numbers. */
export function ExportMenu({ name, draw, caption, rows }: ExportMenuProps) {
  const base = fileName(name);
  const save = async (kind: 'png' | 'svg') => {
    const { saveChart } = await import('./save-chart');
    saveChart(draw, caption, base, kind);
  };
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="sm" aria-label={text.exportOf(name)}>
          <IconDownload size={15} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void save('png')}>{text.png}</Menu.Item>
        <Menu.Item onClick={() => void save('svg')}>{text.svg}</Menu.Item>
        <Menu.Item
          onClick={() => {
            downloadFile(`${base}.csv`, new Blob([toCsv(rows())], { type: 'text/csv' }));
          }}
        >
          {text.csv}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
