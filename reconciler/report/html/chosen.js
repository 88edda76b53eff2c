
// What is chosen: in words beside the picture, and by mouse or keyboard in it.
const chosenBox = document.getElementById("chosen");

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function linkTo(node) {
  return node.change ? element("a", { href: `#change-${node.change}` }, node.address) : node.address;
}

/** A row of names, the first dozen of them. */
function relation(word, positions) {
  if (!positions.length) return [];
  const names = element("ul", { class: "inline" });
  for (const at of positions.slice(0, 12)) {
    const node = network.nodes[at];
    names.append(element("li", {}, node.type === "numbers" ? node.lines.join(", ") : linkTo(node)));
  }
  if (positions.length > 12) names.append(element("li", {}, `and ${positions.length - 12} more`));
  return [element("div", {}, element("dt", {}, word), element("dd", {}, names))];
}

/** Says in words what the picture shows of the chosen box: the same for those who do not see it. */
function tellChosen(at) {
  if (at === undefined) {
    chosenBox.replaceChildren(element("p", { class: "dim" }, "Choose a box to see what it depends on and what depends on it."));
    return;
  }
  const node = network.nodes[at];
  const boxes = (positions) => positions.filter((position) => network.nodes[position].type !== "numbers");
  const head = element("p", {}, element("strong", {}, node.address), `: ${node.sub ?? node.lines.join(", ")}. `);
  if (node.change) {
    const show = element("button", { type: "button" }, "Show it in the list");
    show.addEventListener("click", () => reveal(node.address, true));
    head.append(show, " ");
  }
  const clear = element("button", { type: "button" }, "Clear the choice");
  clear.addEventListener("click", () => { choose("", true); focusPicture(); });
  head.append(clear);
  const facts = element("dl", { class: "facts" },
    ...relation("Arrows from", boxes(previousOf[at])),
    ...relation("Arrows to", boxes(nextOf[at])),
    ...relation("Numbers reached", [...reachable(at, nextOf)].filter((other) => network.nodes[other].type === "numbers")));
  chosenBox.replaceChildren(head, facts);
}

/** Makes a box the chosen one; "" for none. */
function choose(address, redraw) {
  state.chosen = nodeOf.has(address) ? address : "";
  if (redraw || !drawn.has(address)) draw();
  else highlight();
  if (rowOf.has(address)) reveal(address, false);
  else for (const row of rows) row.removeAttribute("aria-current");
}

function focusPicture() {
  drawing.querySelector("[tabindex='0']")?.focus();
}

/** The nearest box in a direction, for the arrow keys. */
function beside(box, key) {
  const here = box.getBoundingClientRect();
  const along = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  if (!along) return null;
  let best = null;
  let least = Infinity;
  for (const other of drawn.values()) {
    const there = other.getBoundingClientRect();
    const dx = there.x - here.x;
    const dy = there.y + there.height / 2 - here.y - here.height / 2;
    const ahead = dx * along[0] + dy * along[1];
    const aside = Math.abs(dx * along[1] + dy * along[0]);
    if (other === box || ahead < 2 || (along[1] && aside > here.width / 2)) continue;
    if (ahead + 2 * aside < least) [best, least] = [other, ahead + 2 * aside];
  }
  return best;
}

function wirePicture() {
  for (const button of document.querySelectorAll("[data-show]")) {
    const at = nodeOf.get(button.dataset.show);
    button.hidden = !nextOf[at].length && !previousOf[at].length;
  }
  const pick = (box) => {
    const { address } = box.dataset;
    choose(address === state.chosen ? "" : address, network.nodes.length > WHOLE);
    writeFragment(true);
    drawn.get(address)?.focus({ preventScroll: true });
  };
  drawing.addEventListener("click", (event) => {
    const box = event.target.closest("[role='button']");
    if (box) pick(box);
  });
  drawing.addEventListener("keydown", (event) => {
    const box = event.target.closest("[role='button']");
    if (!box) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      pick(box);
      return;
    }
    const other = beside(box, event.key);
    if (!other) return;
    event.preventDefault();
    box.setAttribute("tabindex", "-1");
    other.setAttribute("tabindex", "0");
    other.focus();
  });
}
