import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { jobQuery } from '@/api/jobs';
import { runQuery } from '@/api/runs';
import { catalogueQuery, specSchemaQuery } from '@/api/spec';
import { Failure, Loading } from '@/components/ui/feedback';
import { PageHeader } from '@/components/ui/page-header';
import { asDocument, type JsonObject } from '@/lib/document-path';
import type { NewRunSearch } from '@/lib/url-state';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import { RunForm } from './run-form';

const text = strings.newRun;
const route = getRouteApi('/member/new');

interface Origin {
  lead: string;
  initial: { name: string; document: JsonObject } | undefined;
}

/** What the form is filled with: another run, a template, or what the address names. */
function useOrigin({ clone, template, spec: named }: NewRunSearch) {
  const run = useQuery({ ...runQuery(clone ?? ''), enabled: clone !== undefined });
  const job = useQuery({ ...jobQuery(template ?? ''), enabled: template !== undefined });
  const origin: Origin = {
    lead: text.lead,
    initial: named && { name: '', document: named },
  };
  if (run.data && clone !== undefined) {
    const { name, spec } = run.data;
    origin.lead = text.cloneLead(name);
    origin.initial = { name: strings.run.cloneSuffix(name), document: asDocument(spec) };
  } else if (job.data && template !== undefined) {
    const { name, spec } = job.data;
    origin.lead = text.templateLead(name);
    origin.initial = { name: '', document: asDocument(spec) };
  }
  const needed = [...(clone === undefined ? [] : [run]), ...(template === undefined ? [] : [job])];
  return { origin, needed };
}

/** A form for a new run, empty or filled with the settings of another. */
export function NewRunPage() {
  const search = route.useSearch();
  const { clone, template, spec, view = 'form' } = search;
  const navigate = route.useNavigate();
  usePageTitle(text.title);
  const schema = useQuery(specSchemaQuery);
  const catalogue = useQuery(catalogueQuery);
  const { origin, needed: originals } = useOrigin(search);

  const needed = [schema, catalogue, ...originals];
  const failed = needed.find((query) => query.isError);
  const isPending = needed.some((query) => query.isPending);
  return (
    <>
      <PageHeader title={text.title} lead={origin.lead} />
      {failed && <Failure error={failed.error} onRetry={() => void failed.refetch()} />}
      {isPending && !failed && <Loading label={text.loading} rows={6} />}
      {schema.data && catalogue.data && !isPending && !failed && (
        <RunForm
          // Another original is another form.
          key={JSON.stringify([clone, template, spec])}
          root={schema.data}
          catalogue={catalogue.data}
          initial={origin.initial}
          view={view}
          onView={(chosen) => {
            const shown = chosen === 'form' ? {} : { view: chosen };
            void navigate({
              search: ({ view: _, ...old }) => ({ ...old, ...shown }),
              replace: true,
              resetScroll: false,
            });
          }}
        />
      )}
    </>
  );
}
