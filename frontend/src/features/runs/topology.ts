import type { ClientRow } from '@/api/types';
import type { GraphNode } from '@/components/charts/graph-chart';
import { formatInteger, formatMetric } from '@/lib/format';
import { strings } from '@/strings';

const text = strings.topology;
const SERVER = 'server';
const RADIUS = 100;
/** A circle of this many is as dense as can be read; more go onto circles around it. */
const PER_CIRCLE = 60;

interface Topology {
  nodes: GraphNode[];
  links: { source: string; target: string; isActive: boolean }[];
}

/** Complete graphs of more clients than this are a black disc. */
const MAX_COMPLETE = 24;

/** Where everybody stands, and who is linked to whom, as far as the kind alone says so. */
export function topologyOf(
  clients: readonly ClientRow[],
  kind: string,
  lastRound: number,
): Topology {
  const largest = Math.max(1, ...clients.map((client) => client.num_samples));
  const nodes = clients.map((client, index) =>
    nodeOf(client, placeOf(index, clients.length), largest, lastRound),
  );
  const isActive = (node: GraphNode | undefined) => node !== undefined && node.tone !== 'idle';
  if (kind === 'star') {
    const server: GraphNode = {
      id: SERVER,
      label: text.server,
      size: 1,
      tone: 'server',
      facts: [{ name: text.clients, value: formatInteger(clients.length) }],
      x: 0,
      y: 0,
    };
    return {
      nodes: [server, ...nodes],
      links: nodes.map((node) => ({ source: SERVER, target: node.id, isActive: isActive(node) })),
    };
  }
  return {
    nodes,
    links: pairsOf(kind, nodes).map(([one, other]) => ({
      source: one.id,
      target: other.id,
      isActive: isActive(one) && isActive(other),
    })),
  };
}

/** Whether the links of such a graph are drawn; a torus and a random graph depend on more. */
export function showsLinks(kind: string, numClients: number): boolean {
  return kind === 'star' || kind === 'ring' || (kind === 'complete' && numClients <= MAX_COMPLETE);
}

function pairsOf(kind: string, nodes: readonly GraphNode[]): [GraphNode, GraphNode][] {
  if (!showsLinks(kind, nodes.length)) return [];
  return nodes.flatMap((node, index) => {
    const later = nodes.slice(index + 1);
    if (kind === 'complete') return later.map((other): [GraphNode, GraphNode] => [node, other]);
    const next = later[0] ?? (nodes.length > 2 ? nodes[0] : undefined);
    return next === undefined ? [] : [[node, next] as [GraphNode, GraphNode]];
  });
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
