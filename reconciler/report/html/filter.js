
// Which changes are shown.
const rows = [...document.querySelectorAll("#list > .entry")];
const rowOf = new Map(rows.map((row) => [row.dataset.address, row]));
const search = document.getElementById("search");
let texts = null;

/** All that a row says, in small letters; put together once, when there is time or the first search wants it. */
function prepareSearch() {
  texts ??= rows.map((row) =>
    Array.from(row.querySelectorAll(".t"), (part) => part.textContent).join("\n").toLowerCase());
}

/** A test for texts: every word has to be there. A phone number is found as people write it, too. */
function finder(wanted) {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const digits = /^[\d\s()+./-]+$/.test(wanted) ? wanted.replace(/\D/g, "").replace(/^0+/, "") : "";
  return (text) => words.every((word) => text.includes(word)) || (digits.length > 3 && text.includes(digits));
}

function inFacets(row) {
  const { action, kind, findings, drift } = row.dataset;
  return (!state.action.size || state.action.has(action))
    && (!state.kind.size || state.kind.has(kind))
    && (!state.only.has("findings") || findings !== undefined)
    && (!state.only.has("drift") || drift !== undefined);
}

function shownRows() {
  return rows.filter((row) => !row.hidden);
}

/** Shows what the state lets through, and says how much that is. */
function applyFilter() {
  if (!search) return;
  if (state.text.trim()) prepareSearch();
  const found = state.text.trim() ? finder(state.text) : () => true;
  let hits = 0;
  rows.forEach((row, position) => {
    const shown = inFacets(row) && found(texts?.[position]);
    if (row.hidden === shown) row.hidden = !shown;
    hits += shown;
  });
  if (search.value !== state.text) search.value = state.text;
  for (const button of document.querySelectorAll("[data-facet]")) {
    button.setAttribute("aria-pressed", String(state[button.dataset.facet].has(button.dataset.value)));
  }
  const all = `${rows.length.toLocaleString("en")} change${rows.length === 1 ? "" : "s"}`;
  document.getElementById("hits").textContent = filtered() ? `${hits.toLocaleString("en")} of ${all}` : all;
  document.getElementById("none").hidden = hits > 0;
}

function changeFilter() {
  applyFilter();
  writeFragment(false);
}

function forgetFilter() {
  state.text = "";
  for (const facet of FACETS) state[facet].clear();
  applyFilter();
}

function clearFilter() {
  forgetFilter();
  writeFragment(false);
}

/** Opens the row of a change and brings it into view, out of the filter if need be. */
function reveal(address, focus) {
  const row = rowOf.get(address);
  if (!row) return;
  if (row.hidden) forgetFilter();
  for (const other of rows) {
    if (other === row) other.setAttribute("aria-current", "true");
    else other.removeAttribute("aria-current");
  }
  row.firstElementChild.open = true;
  if (focus) {
    row.querySelector("summary").focus({ preventScroll: true });
    row.scrollIntoView({ block: "start" });
  }
}

function wireFilter() {
  search.addEventListener("input", () => { state.text = search.value; changeFilter(); });
  for (const button of document.querySelectorAll("[data-facet]")) {
    const { facet, value } = button.dataset;
    button.disabled = false;
    button.addEventListener("click", () => {
      if (!state[facet].delete(value)) state[facet].add(value);
      changeFilter();
    });
  }
  for (const id of ["clear", "clear-none"]) {
    document.getElementById(id).addEventListener("click", () => { clearFilter(); search.focus(); });
  }
  const openAll = (open) => { for (const row of shownRows()) row.firstElementChild.open = open; };
  document.getElementById("open-all").addEventListener("click", () => openAll(true));
  document.getElementById("close-all").addEventListener("click", () => openAll(false));
  // The bar stays in view; what is jumped to has to stop below it.
  const bar = document.querySelector(".filters");
  new ResizeObserver(() => document.documentElement.style.setProperty("--bar", `${bar.offsetHeight}px`)).observe(bar);
  (window.requestIdleCallback ?? setTimeout)(prepareSearch);
}
