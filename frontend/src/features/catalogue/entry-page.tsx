import { Anchor, Code } from '@mantine/core';
import { IconArrowLeft, IconRocket } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { catalogueQuery } from '@/api/spec';
import type { CatalogueEntry } from '@/api/types';
import { Card } from '@/components/ui/card';
import { CopyButton } from '@/components/ui/copy-button';
import { Empty, Failure, Loading } from '@/components/ui/feedback';
import { Facts } from '@/components/ui/facts';
import { ButtonLink, TextLink } from '@/components/ui/links';
import { PageHeader } from '@/components/ui/page-header';
import { ScrollRegion } from '@/components/ui/scroll-region';
import type { JsonObject } from '@/lib/document-path';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import { sectionTitle } from './catalogue-page';
import classes from './entry-page.module.css';
import { settingsOfEntry } from './entry-settings';

const text = strings.catalogue;
const route = getRouteApi('/member/catalogue/$section/$kind');

/** One kind: what it does, where it comes from, what can be set, and how to try it. */
export function EntryPage() {
  const { section, kind } = route.useParams();
  const catalogue = useQuery(catalogueQuery);
  const entry = catalogue.data?.find((known) => known.section === section && known.kind === kind);
  usePageTitle(entry?.title ?? text.title);
  if (catalogue.isPending) return <Loading label={text.loading} rows={5} />;
  if (catalogue.isError) {
    return <Failure error={catalogue.error} onRetry={() => void catalogue.refetch()} />;
  }
  if (entry === undefined) {
    return (
      <Empty
        title={text.unknownTitle}
        text={text.unknownText(kind)}
        action={
          <ButtonLink to="/catalogue" variant="default">
            {text.back}
          </ButtonLink>
        }
      />
    );
  }
  return <Entry entry={entry} />;
}

function Entry({ entry }: { entry: CatalogueEntry }) {
  const document = entry.example as JsonObject;
  const source = JSON.stringify(document, null, 2);
  return (
    <article aria-label={entry.title}>
      <TextLink
        to="/catalogue"
        search={{ section: entry.section }}
        size="sm"
        className={classes['back']}
      >
        <IconArrowLeft size={14} aria-hidden /> {sectionTitle(entry.section)}
      </TextLink>
      <PageHeader
        title={entry.title}
        lead={entry.summary}
        actions={
          <ButtonLink
            to="/new"
            search={{ spec: document }}
            leftSection={<IconRocket size={16} aria-hidden />}
          >
            {text.open}
          </ButtonLink>
        }
      />
      <div className={classes['parts']}>
        <Card title={text.idea}>
          {entry.description !== '' && <p className={classes['idea']}>{entry.description}</p>}
          <Facts
            facts={[
              { name: text.kind, value: <Code>{`${entry.section}: ${entry.kind}`}</Code> },
              ...(entry.paper === null
                ? []
                : [{ name: text.paper, value: <Paper paper={entry.paper} /> }]),
              ...(entry.constraints.length === 0
                ? []
                : [{ name: text.needs, value: <Needs needs={entry.constraints} /> }]),
              ...(entry.synonyms.length === 0
                ? []
                : [{ name: text.synonyms, value: entry.synonyms.join(', ') }]),
            ]}
          />
        </Card>
        <Card title={text.example} aside={<CopyButton value={source} />}>
          <p className={classes['idea']}>{text.exampleText}</p>
          <ScrollRegion label={text.example}>
            <Code block className={classes['code'] ?? ''}>
              {source}
            </Code>
          </ScrollRegion>
        </Card>
      </div>
      <Settings entry={entry} />
    </article>
  );
}

function Needs({ needs }: { needs: readonly string[] }) {
  return (
    <ul className={classes['needs']}>
      {needs.map((need) => (
        <li key={need}>{need}</li>
      ))}
    </ul>
  );
}

/** A source, with a link where it names one that has an address. */
function Paper({ paper }: { paper: string }) {
  const id = /arXiv:(\d{4}\.\d{4,5})/.exec(paper)?.[1];
  if (id === undefined) return paper;
  return (
    <Anchor href={`https://arxiv.org/abs/${id}`} rel="noreferrer" target="_blank" size="sm">
      {paper}
    </Anchor>
  );
}

function Settings({ entry }: { entry: CatalogueEntry }) {
  const settings = settingsOfEntry(entry);
  return (
    <Card title={text.settings}>
      {settings.length === 0 ? (
        <p className={classes['idea']}>{text.noSettings}</p>
      ) : (
        <ScrollRegion label={text.settings}>
          <table className={classes['table']}>
            <thead>
              <tr>
                {Object.values(text.columns).map((column) => (
                  <th key={column} scope="col">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {settings.map(({ name, title, unit, usual, limits, meaning }) => (
                <tr key={name}>
                  <th scope="row">
                    {unit === undefined ? title : `${title} (${unit})`}
                    <Code className={classes['name'] ?? ''}>{name}</Code>
                  </th>
                  <td>{usual}</td>
                  <td>{limits}</td>
                  <td>{meaning}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollRegion>
      )}
    </Card>
  );
}
