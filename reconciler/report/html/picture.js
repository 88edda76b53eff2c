
// Draws the picture, and lights the way through the chosen box.
const LINE = 17;
const SVG = "http://www.w3.org/2000/svg";

const drawing = document.getElementById("drawing");
let drawn = new Map();

function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const ruler = document.createElement("canvas").getContext("2d");
const LABEL = "600 13px system-ui, sans-serif";
const SUB = "11.5px system-ui, sans-serif";

function fits(text, font) {
  ruler.font = font;
  return ruler.measureText(text).width <= boxWidth - 22;
}

/** As much of a text as fits a box. */
function cut(text, font) {
  let shown = text;
  while (shown && !fits(shown === text ? text : `${shown}\u2026`, font)) shown = shown.slice(0, -1);
  return shown === text ? text : `${shown}\u2026`;
}

/** A label in at most two lines that fit a box. */
function wrapped(label) {
  const lines = [""];
  for (const word of label.split(" ")) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (fits(longer, LABEL) || !lines.at(-1)) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  if (lines.length > 2) lines.splice(1, lines.length, lines.slice(1).join(" "));
  return lines.map((line) => cut(line, LABEL));
}

/** Draws the part of the network that belongs to the state. */
function draw() {
  const { nodes, edges } = part();
  if (!nodes.length) {
    drawing.textContent = "Nothing to draw: no change depends on another, and none is reached by a phone number.";
    return;
  }
  boxWidth = Math.max(...layersOf(nodes, edges)) > 5 ? 150 : 184;
  const sized = nodes.map((node) => {
    const lines = [...wrapped(node.label).map((text) => ["label", text]), ...(node.sub ? [node.sub] : node.lines ?? []).map((text) => ["sub", cut(text, SUB)])];
    return { ...node, texts: lines, height: lines.length * LINE + 13 };
  });
  const plan = layout(sized, edges);
  const width = plan.width + 28;
  const height = plan.height + 28;
  const picture = svg("svg", { viewBox: `-14 -14 ${width} ${height}`, role: "group", "aria-label": "What depends on what" });
  picture.style.width = `max(min(100%, ${width}px), ${Math.round(width * 0.72)}px)`;
  drawn = new Map();
  edges.forEach(([from, to], index) => picture.append(...arrow(nodes[from], nodes[to], plan.routes[index])));
  sized.forEach((node, at) => {
    const shown = boxOf(node, plan.boxes[at]);
    if (node.type !== "more") drawn.set(node.address, shown);
    picture.append(shown);
  });
  drawing.replaceChildren(picture);
  tellPart(nodes);
  highlight();
}

function tellPart(nodes) {
  const shown = nodes.filter((node) => node.change).length;
  const alone = network.nodes.filter((node, at) => node.change && !nextOf[at].length && !previousOf[at].length).length;
  const whole = network.nodes.length - alone <= WHOLE;
  document.getElementById("picture-part").textContent = whole
    ? alone ? `${alone.toLocaleString("en")} of the changes ${alone === 1 ? "is" : "are"} connected with nothing else and not drawn.` : ""
    : `The plan is too large for one picture. Drawn is what is around the chosen change: ${shown} of ${rows.length.toLocaleString("en")} changes. Choose another one to move on.`;
}

function arrow(from, to, route) {
  const points = route.flatMap((item, index) => {
    const y = middle(item);
    const ends = item.at < 0 ? [[item.x, y], [item.x + boxWidth, y]] : index ? [[item.x - 7, y]] : [[item.x + boxWidth, y]];
    return ends;
  });
  let line = `M${points[0]}`;
  for (let at = 1; at < points.length; at++) {
    const [x0, y0] = points[at - 1];
    const [x, y] = points[at];
    const bend = Math.abs(x - x0) / 2;
    line += y0 === y ? `L${x},${y}` : `C${x0 + bend},${y0} ${x - bend},${y} ${x},${y}`;
  }
  const [x, y] = points.at(-1);
  const ends = { "data-from": from.address ?? "", "data-to": to.address ?? "" };
  return [
    svg("path", { class: "arrow", d: line, ...ends }),
    svg("path", { class: "tip", d: `M${x + 7},${y}l-9,-4.5v9z`, ...ends }),
  ];
}

function boxOf(node, place) {
  const classes = ["node", node.type, node.action ?? "", node.outside ? "outside" : ""].filter(Boolean).join(" ");
  const made = svg("g", { class: classes, transform: `translate(${place.x},${place.y})` });
  made.append(svg("rect", { width: boxWidth, height: node.height, rx: node.type === "numbers" ? node.height / 2.2 : 7 }));
  node.texts.forEach(([name, text], line) => {
    const label = svg("text", { class: name, x: node.type === "numbers" ? 18 : 11, y: (line + 1) * LINE + 3 });
    label.textContent = text;
    made.append(label);
  });
  if (node.type === "more") return made;
  const full = node.type === "numbers" ? `${node.address}: ${node.lines.join(", ")}` : `${node.address}, ${node.sub}`;
  const title = svg("title", {});
  title.textContent = full;
  made.prepend(title);
  made.setAttribute("role", "button");
  made.setAttribute("tabindex", "-1");
  made.setAttribute("aria-label", full);
  made.dataset.address = node.address;
  return made;
}

/** Marks the chosen box, all that leads to it, and all that it leads to. */
function highlight() {
  const chosen = nodeOf.get(state.chosen);
  const lit = new Set();
  if (chosen !== undefined) {
    lit.add(state.chosen);
    for (const step of [nextOf, previousOf]) for (const at of reachable(chosen, step)) lit.add(network.nodes[at].address);
  }
  drawing.classList.toggle("chosen-one", drawn.has(state.chosen));
  for (const [address, node] of drawn) {
    node.classList.toggle("lit", lit.has(address));
    node.classList.toggle("selected", address === state.chosen);
    node.setAttribute("aria-pressed", String(address === state.chosen));
    node.setAttribute("tabindex", "-1");
  }
  for (const line of drawing.querySelectorAll("[data-from]")) {
    line.classList.toggle("lit", lit.has(line.dataset.from) && (lit.has(line.dataset.to) || !line.dataset.to));
  }
  (drawn.get(state.chosen) ?? drawn.values().next().value)?.setAttribute("tabindex", "0");
  tellChosen(chosen);
}
