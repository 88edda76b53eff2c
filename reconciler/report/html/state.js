
// What the reader chose. It stands in the fragment of the address, so that a link shows the same.
const FACETS = ["action", "kind", "only"];
const state = { text: "", action: new Set(), kind: new Set(), only: new Set(), chosen: "" };

/** Takes the state from the fragment; false for a plain anchor such as "#drift", which leaves it as it is. */
function readFragment() {
  const fragment = location.hash.slice(1);
  const anchor = /^change-(\d+)$/.exec(fragment);
  if (anchor) {
    const row = document.getElementById(fragment);
    if (row) state.chosen = row.dataset.address;
    return row !== null;
  }
  if (fragment && !fragment.includes("=")) return false;
  const fields = new URLSearchParams(fragment);
  state.text = fields.get("search") ?? "";
  for (const facet of FACETS) state[facet] = new Set((fields.get(facet) ?? "").split(",").filter(Boolean));
  state.chosen = fields.get("chosen") ?? "";
  return true;
}

/** Puts the state into the fragment: as a step that "back" undoes, or in place of the present one. */
function writeFragment(step) {
  const fields = new URLSearchParams();
  if (state.text) fields.set("search", state.text);
  for (const facet of FACETS) if (state[facet].size) fields.set(facet, [...state[facet]].join(","));
  if (state.chosen) fields.set("chosen", state.chosen);
  const address = location.href.split("#")[0] + (fields.size ? `#${fields}` : "");
  if (address !== location.href) history[step ? "pushState" : "replaceState"](null, "", address);
}

function filtered() {
  return state.text !== "" || FACETS.some((facet) => state[facet].size > 0);
}
