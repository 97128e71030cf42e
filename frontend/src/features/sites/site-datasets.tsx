import type { Site } from '@/api/types';
import { Card } from '@/components/ui/card';
import { PlainTable } from '@/components/ui/plain-table';
import { formatInteger, formatReal } from '@/lib/format';
import { strings } from '@/strings';
import classes from './site-page.module.css';

const text = strings.site;

type Declaration = Site['datasets'][number]['declaration'];
type Column = Declaration['columns'][number];

/** What a site has declared of its data. */
export function DatasetsCard({ site }: { site: Site }) {
  return (
    <Card title={text.datasets} text={text.datasetsText}>
      {site.datasets.length === 0 ? (
        <p className={classes['none']}>{text.noDatasets}</p>
      ) : (
        site.datasets.map(({ name, declaration }) => (
          <Dataset key={name} declaration={declaration} />
        ))
      )}
    </Card>
  );
}

function Dataset({ declaration }: { declaration: Declaration }) {
  const { name, title, columns, class_counts: counts } = declaration;
  return (
    <section className={classes['dataset']} aria-label={name}>
      <h3 className={classes['title']}>{title ? `${name}: ${title}` : name}</h3>
      <p className={classes['none']}>
        {text.examples(formatInteger(declaration.num_train), formatInteger(declaration.num_test))}
      </p>
      {counts && (
        <p className={classes['none']}>
          {text.classes}:{' '}
          {Object.entries(counts)
            .map(([label, count]) => `${label} ${formatInteger(count)}`)
            .join(', ')}
        </p>
      )}
      {columns.length > 0 && (
        <PlainTable
          label={`${text.columns}: ${name}`}
          head={[text.column, text.kind, text.known]}
          maxHeight={360}
        >
          {columns.map((column) => (
            <tr key={column.name}>
              <th scope="row">{column.name}</th>
              <td>{text.kinds[column.kind] ?? column.kind}</td>
              <td>{describe(column)}</td>
            </tr>
          ))}
        </PlainTable>
      )}
    </section>
  );
}

function describe({ values, mean, std, has_missing: hasGaps }: Column): string {
  const parts = [];
  if (values.length > 0) parts.push(values.join(', '));
  if (mean !== null && std !== null) parts.push(text.scale(formatReal(mean), formatReal(std)));
  if (hasGaps) parts.push(text.gaps);
  return parts.join('; ');
}
