import type { ClientList, ClientRow, RunSite } from '@/api/types';
import type { GraphNode } from '@/components/charts/graph-chart';
import { formatInteger, formatMetric, withRule } from '@/lib/format';
import { strings } from '@/strings';

const text = strings.topology;
const SERVER = 'server';
const RADIUS = 100;
/** A circle of this many is as dense as can be read; more go onto circles around it. */
const PER_CIRCLE = 60;

export interface Topology {
  nodes: GraphNode[];
  links: { source: string; target: string; isActive: boolean }[];
}

/** Where everybody stands, and who talked to whom in the latest round: a server to all of them. */
export function topologyOf({ clients, links }: ClientList, kind: string): Topology {
  const lastRound = Math.max(-1, ...clients.map((client) => client.last_round ?? -1));
  const largest = Math.max(1, ...clients.map((client) => client.num_samples));
  const nodes = clients.map((client, index) =>
    nodeOf(client, placeOf(index, clients.length), largest, lastRound),
  );
  const isActive = (node: GraphNode | undefined) => node !== undefined && node.tone !== 'idle';
  if (kind === 'star') {
    return aroundServer(nodes, isActive);
  }
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return {
    nodes,
    links: links.map(([one, other]) => {
      const [source, target] = [String(one), String(other)];
      const ends = [byId.get(source), byId.get(target)];
      return { source, target, isActive: ends.every(isActive) };
    }),
  };
}

/** Real sites around their server: what each is at now, not what it was at in a round. */
export function siteTopologyOf(sites: readonly RunSite[]): Topology {
  const largest = Math.max(1, ...sites.map((site) => site.num_train));
  const nodes = sites.map((site, index): GraphNode => {
    const { client_id: id, name, num_train: train, num_test: test } = site;
    return {
      id: String(id),
      label: name,
      mark: name,
      size: 0.25 + 0.5 * Math.sqrt(train / largest),
      tone: siteTone(site),
      facts: [
        { name: text.examples, value: `${formatInteger(train)} + ${formatInteger(test)}` },
        { name: strings.runSites.now, value: describeSite(site) },
      ],
      ...placeOf(index, sites.length),
    };
  });
  return aroundServer(nodes, (node) => node.tone === 'active');
}

function siteTone({ state, presence, out_reason: outReason, task }: RunSite): GraphNode['tone'] {
  if (outReason !== '' || task?.state === 'refused' || task?.state === 'failed') return 'bad';
  if (state === 'revoked' || presence !== 'online') return 'gone';
  if (task?.state === 'waiting') return 'waiting';
  return task?.state === 'accepted' ? 'active' : 'idle';
}

/** What a site is at, or why it takes no part: the rule of its policy, the failure, the deadline. */
export function describeSite(site: RunSite): string {
  const words = strings.runSites;
  if (site.out_reason !== '') return `${words.out}: ${withRule(site.out_rule, site.out_reason)}`;
  const { task } = site;
  if (task === null) return site.has_joined ? words.idle : words.notJoined;
  const what = `${strings.site.tasks[task.kind]}: ${strings.site.taskStates[task.state]}`;
  if (task.reason !== '') return `${what}. ${withRule(task.rule, task.reason)}`;
  if (task.state !== 'accepted' || task.stage === '') return what;
  const share = task.fraction === null ? '' : ` ${String(Math.round(task.fraction * 100))}%`;
  return `${what}, ${task.stage}${share}`;
}

function aroundServer(
  nodes: readonly GraphNode[],
  isActive: (node: GraphNode) => boolean,
): Topology {
  const server: GraphNode = {
    id: SERVER,
    label: text.server,
    size: 1,
    tone: 'server',
    facts: [{ name: text.clients, value: formatInteger(nodes.length) }],
    x: 0,
    y: 0,
  };
  return {
    nodes: [server, ...nodes],
    links: nodes.map((node) => ({ source: SERVER, target: node.id, isActive: isActive(node) })),
  };
}

function placeOf(index: number, count: number): { x: number; y: number } {
  const circle = Math.floor(index / PER_CIRCLE);
  const onCircle = Math.min(PER_CIRCLE, count - circle * PER_CIRCLE);
  const angle = ((index % PER_CIRCLE) / onCircle) * 2 * Math.PI - Math.PI / 2;
  const radius = RADIUS * (1 + 0.35 * circle);
  return { x: radius * Math.cos(angle), y: radius * Math.sin(angle) };
}

function nodeOf(
  client: ClientRow,
  place: { x: number; y: number },
  largest: number,
  lastRound: number,
): GraphNode {
  const tookPart = lastRound >= 0 && client.last_round === lastRound;
  const isBad = tookPart && client.last_reason !== null;
  return {
    id: String(client.client_id),
    label: `${text.client} ${String(client.client_id)}`,
    size: 0.25 + 0.5 * Math.sqrt(client.num_samples / largest),
    tone: isBad ? 'bad' : tookPart ? 'active' : 'idle',
    facts: [
      { name: text.examples, value: formatInteger(client.num_samples) },
      { name: text.rounds, value: formatInteger(client.rounds) },
      { name: text.loss, value: formatMetric('loss', client.last_loss) },
    ],
    ...place,
  };
}
