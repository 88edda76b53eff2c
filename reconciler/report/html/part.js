
// What the picture shows: all of a small plan, or what is around one box of a large one.
const WHOLE = 45;
const AT_A_TIME = 8;
const AROUND = 70;
const DEPTH = 6;

const network = JSON.parse(document.getElementById("network").textContent);
const nodeOf = new Map(network.nodes.map((node, at) => [node.address, at]));
const { next: nextOf, previous: previousOf } = neighbours(network.nodes.length, network.edges);

/** Everything that can be come to from a node in one direction, without the node. */
function reachable(start, step) {
  const seen = new Set();
  const pending = [start];
  while (pending.length) {
    for (const other of step[pending.pop()]) {
      if (other !== start && !seen.has(other)) {
        seen.add(other);
        pending.push(other);
      }
    }
  }
  return seen;
}

/** Which nodes are drawn: `{nodes: [positions], more: [{label, …}], edges}`. */
function part() {
  const connected = network.nodes.map((_, at) => at).filter((at) => nextOf[at].length || previousOf[at].length);
  if (connected.length <= WHOLE) return induced(connected, [], []);
  const chosen = nodeOf.get(state.chosen) ?? busiest();
  const kept = new Set([chosen]);
  const more = [];
  const ties = [];
  for (const [step, forwards] of [[nextOf, true], [previousOf, false]]) {
    let frontier = [chosen];
    for (let depth = 0; depth < DEPTH && frontier.length && kept.size < AROUND; depth++) {
      const found = [...new Set(frontier.flatMap((at) => step[at]))].filter((at) => !kept.has(at));
      found.sort((a, b) => step[b].length - step[a].length || a - b);
      const shown = found.slice(0, found.length === AT_A_TIME + 1 ? AT_A_TIME + 1 : AT_A_TIME);
      const rest = new Set(found.slice(shown.length));
      if (rest.size) {
        for (const at of frontier) if (step[at].some((other) => rest.has(other))) ties.push([at, more.length, forwards]);
        more.push(rest.size);
      }
      for (const at of shown) kept.add(at);
      frontier = shown;
    }
  }
  return induced([...kept].sort((a, b) => a - b), more, ties);
}

function induced(kept, more, ties) {
  const place = new Map(kept.map((at, index) => [at, index]));
  const nodes = kept.map((at) => network.nodes[at]);
  const edges = kept.flatMap((from) => nextOf[from].filter((to) => place.has(to)).map((to) => [place.get(from), place.get(to)]));
  for (const [at, index, forwards] of ties) {
    const rest = kept.length + index;
    edges.push(forwards ? [place.get(at), rest] : [rest, place.get(at)]);
  }
  for (const count of more) nodes.push({ type: "more", label: `${count.toLocaleString("en")} more`, sub: "see the list of changes" });
  return { nodes, edges };
}

/** The change that most others wait for: a good place to begin. */
function busiest() {
  let best = 0;
  nextOf.forEach((after, at) => { if (after.length > nextOf[best].length) best = at; });
  return best;
}
