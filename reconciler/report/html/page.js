
// Puts the parts together: links that jump, keys, light and dark, and the state that the address brings.
function wireLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#change-']");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      const row = document.getElementById(link.getAttribute("href").slice(1));
      if (!row) return;
      event.preventDefault();
      choose(row.dataset.address, false);
      reveal(row.dataset.address, true);
      writeFragment(true);
    }
    const show = event.target.closest("[data-show]");
    if (show) {
      choose(show.dataset.show, true);
      writeFragment(true);
      document.getElementById("picture").scrollIntoView({ block: "start" });
      focusPicture();
    }
  });
}

function wireKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !document.getElementById("shortcuts").checked) return;
    const typing = event.target.closest("input[type='search']");
    if (event.key === "Escape") {
      if (filtered()) clearFilter();
      else if (state.chosen) {
        const inPicture = drawing.contains(document.activeElement);
        choose("", true);
        writeFragment(false);
        if (inPicture) focusPicture();
      }
    } else if (event.key === "/" && !typing) {
      event.preventDefault();
      search.focus();
      search.select();
    } else if ((event.key === "j" || event.key === "k") && !typing) {
      step(event.key === "j" ? 1 : -1);
    }
  });
}

/** Puts the focus on the next or the previous change that is shown. */
function step(by) {
  const shown = shownRows();
  const here = shown.indexOf(document.activeElement.closest(".entry"));
  const row = shown[here < 0 ? 0 : Math.min(Math.max(here + by, 0), shown.length - 1)];
  row?.querySelector("summary").focus();
}

function wireTheme() {
  const button = document.getElementById("theme");
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const tell = () => { button.textContent = dark() ? "Light colours" : "Dark colours"; };
  button.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; tell(); });
  system.addEventListener("change", tell);
  tell();
}

/** Shows what the address asks for; also after "back". A plain anchor such as "#drift" asks for nothing. */
function restore() {
  if (!readFragment()) return;
  applyFilter();
  draw();
  // A link may hold a filter and a change that it hides: then the filter was made last.
  if (rowOf.get(state.chosen)?.hidden === false) reveal(state.chosen, true);
}

/** On paper everything is open; browsers that need no help with that have it in the style. */
function wirePrinting() {
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("main details:not([open])")];
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of closed) one.open = false; });
}

document.documentElement.dataset.script = "";
wireTheme();
wirePrinting();
if (rows.length) {
  wireFilter();
  wirePicture();
  wireLinks();
  wireKeys();
  applyFilter();
  draw();
  restore();
  addEventListener("hashchange", restore);
}
