import classes from './chart.module.css';

export interface TooltipRow {
  name: string;
  color: string;
  value: string;
}

/** Built from elements: markup with inline styles would need a laxer content security policy. */
export function tooltipCard(title: string, rows: readonly TooltipRow[]): HTMLElement {
  const box = element('div', 'tooltip');
  box.append(element('div', 'tooltipTitle', title));
  for (const { name, color, value } of rows) {
    const swatch = element('span', 'swatch');
    swatch.style.background = color;
    box.append(swatch, element('span', 'name', name), element('span', 'value', value));
  }
  return box;
}

function element(tag: string, className: string, content = ''): HTMLElement {
  const node = document.createElement(tag);
  node.className = classes[className] ?? '';
  node.textContent = content;
  return node;
}
