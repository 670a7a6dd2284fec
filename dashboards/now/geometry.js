// Where things lie on a floor plan.

/** @typedef {[number, number]} Point */

const GRID = 28;

/** The smallest upright box around outlines. */
export function boxOf(polygons) {
  const xs = polygons.flat().map(([x]) => x);
  const ys = polygons.flat().map(([, y]) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}

/** Whether the insides of two boxes touch. */
function overlap(a, b) {
  const across = Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left);
  const along = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top);
  return across > 0 && along > 0;
}

/** Zones by floor: one plan, unless groups lie over each other as the floors of a house do. */
export function floors(zones) {
  const groups = [...new Set(zones.map((zone) => zone.group))];
  const members = groups.map((group) => zones.filter((zone) => zone.group === group));
  const boxes = members.map((group) => boxOf(group.map((zone) => zone.polygon)));
  const stacked = boxes.some((box, i) => boxes.slice(i + 1).some((other) => overlap(box, other) && covers(box, other)));
  return stacked ? members.map((group, i) => ({ name: groups[i], zones: group })) : [{ name: null, zones }];
}

/** Wings share an edge or a corner; floors share most of their ground. */
function covers(a, b) {
  const across = Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left);
  const along = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top);
  return across * along > 0.5 * Math.min(a.width * a.height, b.width * b.height);
}

function crossings(polygon, y) {
  const found = [];
  polygon.forEach(([x1, y1], i) => {
    const [x2, y2] = polygon[(i + 1) % polygon.length];
    if (y1 > y !== y2 > y) found.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1));
  });
  return found.sort((a, b) => a - b);
}

/** Where a zone's words have most room: the middle of its widest line, near its centre. */
export function roomFor(polygon) {
  const box = boxOf([polygon]);
  const middle = box.top + box.height / 2;
  let best = { x: box.left + box.width / 2, y: middle, width: 0, height: box.height, score: -1 };
  for (let row = 1; row < GRID; row += 1) {
    const y = box.top + (box.height * row) / GRID;
    const xs = crossings(polygon, y);
    for (let i = 0; i + 1 < xs.length; i += 2) {
      const width = xs[i + 1] - xs[i];
      const score = width - 0.6 * Math.abs(y - middle);
      if (score > best.score) best = { x: xs[i] + width / 2, y, width, height: box.height, score };
    }
  }
  return best;
}
