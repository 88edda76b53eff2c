
// Where boxes and arrows go: layers from left to right, long arrows on tracks of their own between the boxes.
const GAP_X = 44;
const GAP_Y = 14;
const TRACK = 6;

let boxWidth = 184;

/** Neighbours of each of `count` nodes, forwards and backwards. */
function neighbours(count, edges) {
  const next = Array.from({ length: count }, () => []);
  const previous = Array.from({ length: count }, () => []);
  for (const [from, to] of edges) {
    next[from].push(to);
    previous[to].push(from);
  }
  return { next, previous };
}

/** The layer of each node: behind all that leads to it, as near as may be to what it leads to. */
function layersOf(nodes, edges) {
  const { next, previous } = neighbours(nodes.length, edges);
  const layer = nodes.map(() => 0);
  const waiting = previous.map((before) => before.length);
  const ready = nodes.map((_, node) => node).filter((node) => !waiting[node]);
  const order = [];
  for (const node of ready) {
    order.push(node);
    for (const to of next[node]) {
      layer[to] = Math.max(layer[to], layer[node] + 1);
      if (--waiting[to] === 0) ready.push(to);
    }
  }
  // IVRs stand in one column at the end and the numbers behind them, unless something comes after an IVR.
  const last = nodes.map((node, at) => node.type === "numbers"
    || (node.type === "ivr" && next[at].every((to) => nodes[to].type === "numbers")));
  const end = Math.max(0, ...layer.filter((_, at) => !last[at]).map((depth) => depth + 1));
  nodes.forEach((node, at) => {
    if (last[at]) layer[at] = node.type === "numbers" ? Math.max(layer[at], end + 1) : Math.max(layer[at], end);
  });
  for (const node of order.reverse()) {
    const after = next[node].map((to) => layer[to]).filter((depth) => depth > layer[node]);
    if (after.length && !last[node]) layer[node] = Math.min(...after) - 1;
  }
  const used = [...new Set(layer)].sort((a, b) => a - b);
  return layer.map((depth) => used.indexOf(depth));
}

/** Points on a long arrow are nodes as well, so that they find a place between the boxes. */
function withTracks(nodes, edges, layer) {
  const items = nodes.map((node, at) => ({ at, layer: layer[at], height: node.height, next: [], previous: [] }));
  const routes = [];
  for (const [from, to] of edges) {
    const route = [items[from]];
    for (let depth = layer[from] + 1; depth < layer[to]; depth++) {
      const point = { at: -1, layer: depth, height: TRACK, next: [], previous: [] };
      items.push(point);
      route.push(point);
    }
    route.push(items[to]);
    routes.push(route);
    for (let step = 1; step < route.length && layer[from] < layer[to]; step++) {
      route[step - 1].next.push(route[step]);
      route[step].previous.push(route[step - 1]);
    }
  }
  return { items, routes };
}

const middle = (item) => item.y + item.height / 2;
const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

/** Puts the items of a layer below each other, each as near as may be to the middle of its neighbours. */
function settle(column, side) {
  const wish = (item) => (item[side].length ? mean(item[side].map(middle)) : middle(item));
  const wishes = new Map(column.map((item) => [item, wish(item)]));
  column.sort((a, b) => wishes.get(a) - wishes.get(b));
  let bottom = -Infinity;
  for (const item of column) {
    item.y = Math.max(wishes.get(item) - item.height / 2, bottom);
    bottom = item.y + item.height + GAP_Y;
  }
  const shift = mean(column.map((item) => wishes.get(item) - middle(item)));
  for (const item of column) item.y += shift;
}

/** Places nodes that have a height; gives `{boxes: [{x, y}], routes: [[{x, y}]], width, height}`. */
function layout(nodes, edges) {
  const layer = layersOf(nodes, edges);
  const { items, routes } = withTracks(nodes, edges, layer);
  const columns = [];
  for (const item of items) (columns[item.layer] ??= []).push(item);
  for (const column of columns) {
    let bottom = 0;
    for (const item of column) {
      item.y = bottom;
      bottom += item.height + GAP_Y;
    }
  }
  for (let sweep = 0; sweep < 8; sweep++) {
    for (const column of columns.slice(1)) settle(column, "previous");
    for (const column of columns.slice(0, -1).reverse()) settle(column, "next");
  }
  const top = Math.min(...items.map((item) => item.y));
  const height = Math.max(...items.map((item) => item.y + item.height)) - top;
  for (const item of items) {
    item.x = item.layer * (boxWidth + GAP_X);
    item.y -= top;
  }
  return { boxes: items.slice(0, nodes.length), routes, width: columns.length * (boxWidth + GAP_X) - GAP_X, height };
}
