import type { ClientList, ClientRow } from '@/api/types';
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

/** Where everybody stands, and who talked to whom in the latest round: a server to all of them. */
export function topologyOf({ clients, links }: ClientList, kind: string): Topology {
  const lastRound = Math.max(-1, ...clients.map((client) => client.last_round ?? -1));
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
