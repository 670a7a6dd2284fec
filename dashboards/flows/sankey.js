// The busiest paths as ribbons: from where on the left, to where on the right. A flow goes both ways between most
// zones, so there are two columns and no order of zones is made up.

import { words } from "../words.js";
import { html, svg } from "../markup.js";
import { rove } from "../rove.js";

/** The most ribbons that are drawn. */
export const RIBBONS_MAX = 24;
const NODE = 10;
const GAP = 10;
const LINE = 18;

/** What a column's nodes hold, in the order of their size, and where each lies. */
function stacked(ribbons, side, scale, height) {
  const sums = new Map();
  for (const ribbon of ribbons) sums.set(ribbon[side], (sums.get(ribbon[side]) ?? 0) + ribbon.value);
  const nodes = [...sums].sort((a, b) => b[1] - a[1]).map(([zone, value]) => ({ zone, value, size: Math.max(2, value * scale) }));
  const used = nodes.reduce((all, node) => all + Math.max(node.size, LINE) + GAP, -GAP);
  let y = Math.max(0, (height - used) / 2);
  for (const node of nodes) {
    node.y = y + Math.max(0, (LINE - node.size) / 2);
    node.next = node.y;
    y += Math.max(node.size, LINE) + GAP;
  }
  return new Map(nodes.map((node) => [node.zone, node]));
}

function ribbonPath(x0, x1, y0, y1) {
  const middle = (x0 + x1) / 2;
  return `M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}`;
}

/**
 * Draws the busiest flows into a place, as wide as it is, and again when it is wider.
 * @param {HTMLElement} host
 * @param {{ from: ?string, to: ?string, value: number, text: string }[]} flows
 * @param {(zone: ?string) => string} nameFor
 * @param {(text: string) => void} tell
 */
export function sankeyIn(host, flows, nameFor, tell) {
  const ribbons = [...flows].sort((a, b) => b.value - a.value).slice(0, RIBBONS_MAX);
  let width = 0;
  const draw = () => {
    if (host.clientWidth === width || !host.clientWidth) return;
    width = host.clientWidth;
    host.replaceChildren(drawing(ribbons, width, nameFor, tell));
  };
  if (!ribbons.length) {
    host.replaceChildren(html("p", { class: "empty" }, words.nothingThere));
    return;
  }
  draw();
  const observer = new ResizeObserver(() => (host.isConnected ? draw() : observer.disconnect()));
  observer.observe(host);
  tell(words.flows.hint);
}

function drawing(ribbons, width, nameFor, tell) {
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const side = Math.min(12 * rem, width * 0.3);
  const sum = ribbons.reduce((all, ribbon) => all + ribbon.value, 0);
  const many = Math.max(new Set(ribbons.map(({ from }) => from)).size, new Set(ribbons.map(({ to }) => to)).size);
  const height = Math.max(14 * rem, many * 2.6 * rem);
  const scale = (height - many * (GAP + 6)) / sum;
  const [left, right] = [stacked(ribbons, "from", scale, height), stacked(ribbons, "to", scale, height)];
  const order = (nodes, zone) => [...nodes.keys()].indexOf(zone);
  // Ribbons leave and arrive in the order of the other side, so that they cross as little as they can.
  for (const ribbon of [...ribbons].sort((a, b) => order(right, a.to) - order(right, b.to))) {
    const node = left.get(ribbon.from);
    ribbon.y0 = node.next + (ribbon.value * scale) / 2;
    node.next += ribbon.value * scale;
  }
  for (const ribbon of [...ribbons].sort((a, b) => order(left, a.from) - order(left, b.from))) {
    const node = right.get(ribbon.to);
    ribbon.y1 = node.next + (ribbon.value * scale) / 2;
    node.next += ribbon.value * scale;
  }
  const paths = ribbons.map((ribbon) => {
    const path = svg("path", { class: "ribbon", d: ribbonPath(side + NODE, width - side - NODE, ribbon.y0, ribbon.y1), "stroke-width": Math.max(1, ribbon.value * scale), role: "img", "aria-label": ribbon.text });
    for (const event of ["pointerenter", "focus"]) path.addEventListener(event, () => tell(ribbon.text));
    return path;
  });
  rove(paths);
  const bars = [[left, side, "end", side - 6], [right, width - side - NODE, "start", width - side + 6]].flatMap(([nodes, x, anchor, at]) => [...nodes.values()].flatMap((node) => [
    svg("rect", { class: "node", x, y: node.y, width: NODE, height: node.size }),
    svg("text", { class: "node-name", x: at, y: node.y + node.size / 2, "text-anchor": anchor, "dominant-baseline": "central" }, shortened(nameFor(node.zone), side - 8, rem)),
  ]));
  return svg("svg", { class: "sankey", viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": words.pathsTitle }, ...paths, ...bars);
}

/** A name as far as it has room; whole in the readout and in the tables. */
function shortened(name, room, rem) {
  const most = Math.max(3, Math.floor(room / (rem * 0.46)));
  return name.length <= most ? name : `${name.slice(0, most - 1)}…`;
}
