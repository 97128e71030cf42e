import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { runQuery } from '@/api/runs';
import { catalogueQuery, specSchemaQuery, validationQuery } from '@/api/spec';
import { Failure, Loading } from '@/components/ui/feedback';
import { PageHeader } from '@/components/ui/page-header';
import { asDocument, type JsonObject } from '@/lib/document-path';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import { RunForm } from './run-form';

const text = strings.newRun;
const route = getRouteApi('/member/new');

/** A form for a new run, empty or filled with the settings of another. */
export function NewRunPage() {
  const { clone, spec } = route.useSearch();
  usePageTitle(text.title);
  const schema = useQuery(specSchemaQuery);
  const catalogue = useQuery(catalogueQuery);
  const original = useQuery({ ...runQuery(clone ?? ''), enabled: clone !== undefined });
  const initial = useInitial(spec);

  const needed = [schema, catalogue, ...(clone === undefined ? [] : [original]), ...initial.needed];
  const failed = needed.find((query) => query.isError);
  const isPending = needed.some((query) => query.isPending);
  return (
    <>
      <PageHeader
        title={text.title}
        lead={original.data ? text.cloneLead(original.data.name) : text.lead}
      />
      {failed && <Failure error={failed.error} onRetry={() => void failed.refetch()} />}
      {isPending && !failed && <Loading label={text.loading} rows={6} />}
      {schema.data && catalogue.data && !isPending && (
        <RunForm
          // Another original is another form.
          key={clone ?? JSON.stringify(spec)}
          root={schema.data}
          catalogue={catalogue.data}
          original={original.data}
          initial={initial.document}
        />
      )}
    </>
  );
}

/** The settings that an address names in part, completed by the server. */
function useInitial(spec: JsonObject | undefined) {
  const given = useQuery({ ...validationQuery(spec ?? {}), enabled: spec !== undefined });
  return {
    needed: spec === undefined ? [] : [given],
    document: given.data?.spec ? asDocument(given.data.spec) : spec,
  };
}
