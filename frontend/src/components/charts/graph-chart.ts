import { pageFont, textStyle, tooltipBox } from './axes';
import { tooltipCard } from './tooltip-card';
import type { DrawChart } from './types';

export interface GraphNode {
  id: string;
  label: string;
  /** Between 0 and 1: how large it is drawn. */
  size: number;
  tone: 'server' | 'active' | 'waiting' | 'idle' | 'gone' | 'bad';
  /** What stands beside it, instead of its id. */
  mark?: string;
  /** Names and values that are shown when it is pointed at. */
  facts: readonly { name: string; value: string }[];
  x: number;
  y: number;
}

interface GraphDrawing {
  nodes: readonly GraphNode[];
  links: readonly { source: string; target: string; isActive: boolean }[];
  showLabels: boolean;
}

const TONES: Record<GraphNode['tone'], string> = {
  server: '--rh-logo-table',
  active: '--rh-brand',
  waiting: '--rh-state-amber',
  idle: '--rh-border-strong',
  gone: '--rh-state-grey',
  bad: '--rh-state-red',
};

/** Where a name has room: away from the middle, where the links are. */
function sideOf({ x, y }: GraphNode): 'top' | 'right' | 'bottom' | 'left' {
  if (Math.abs(x) > Math.abs(y)) return x > 0 ? 'right' : 'left';
  return y < 0 ? 'top' : 'bottom';
}

/** Who talks to whom, at given places. */
export function drawGraph({ nodes, links, showLabels }: GraphDrawing): DrawChart {
  const isDense = links.length > nodes.length;
  return (color) => ({
    textStyle: pageFont(),
    tooltip: {
      ...tooltipBox(color),
      trigger: 'item',
      formatter: (entry: unknown) => {
        const { dataIndex, dataType } = entry as { dataIndex: number; dataType: string };
        const node = nodes[dataIndex];
        if (dataType !== 'node' || node === undefined) return '';
        return tooltipCard(
          node.label,
          node.facts.map((fact) => ({ ...fact, color: color(TONES[node.tone]) })),
        );
      },
    },
    series: [
      {
        type: 'graph',
        layout: 'none',
        roam: true,
        preserveAspect: 'contain',
        left: 36,
        right: 36,
        top: 30,
        bottom: 30,
        data: nodes.map((node) => ({
          id: node.id,
          name: node.label,
          x: node.x,
          y: node.y,
          symbol: node.tone === 'server' ? 'roundRect' : 'circle',
          symbolSize: 8 + 22 * node.size,
          itemStyle:
            node.tone === 'gone'
              ? { color: color('--rh-surface'), borderColor: color(TONES.gone), borderWidth: 2 }
              : { color: color(TONES[node.tone]) },
          label: {
            ...textStyle(color),
            show: showLabels || node.tone === 'server',
            position: sideOf(node),
            // A number is enough beside a client; its tooltip has the rest.
            formatter: node.tone === 'server' ? node.label : (node.mark ?? node.id),
          },
        })),
        links: links.map(({ source, target, isActive }) => ({
          source,
          target,
          lineStyle: {
            color: color(isActive ? '--rh-brand' : '--rh-border'),
            width: isActive ? (isDense ? 1.2 : 2) : 1,
            opacity: isActive && !isDense ? 0.9 : 0.6,
          },
        })),
        emphasis: { disabled: true },
      },
    ],
  });
}
