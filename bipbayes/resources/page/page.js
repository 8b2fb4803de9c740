"use strict";
(() => {
  const outcome = document.getElementById("outcome");
  const estimand = document.getElementById("estimand");
  const number = (text) => {
    const found = text.replace(/\u2212/g, "-").replace(",", ".").match(/-?\d+(\.\d+)?/);
    return found ? Number(found[0]) : NaN;
  };
  const searchOf = (table) => document.querySelector(`[data-search="${table.id}"]`);

  const filter = (table) => {
    const words = searchOf(table).value.toLowerCase().split(/\s+/).filter(Boolean);
    const picks = table.id === "estimates-table";
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      const picked = !picks || ((!outcome.value || row.dataset.outcome === outcome.value)
        && row.dataset.estimand === estimand.value);
      row.hidden = !(picked && words.every((word) => text.includes(word)));
      shown += row.hidden ? 0 : 1;
    }
    document.querySelector(`[data-count="${table.id}"]`).textContent = shown;
  };

  const pick = () => {
    for (const figure of document.querySelectorAll("figure.outcome")) {
      figure.hidden = figure.dataset.outcome !== outcome.value
        || figure.dataset.estimand !== estimand.value;
    }
    filter(document.getElementById("estimates-table"));
  };

  const sort = (table, header, index) => {
    const down = header.getAttribute("aria-sort") === "ascending";
    for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows];
    const text = (row) => row.cells[index].textContent;
    const numeric = header.classList.contains("r");
    const compare = (a, b) => {
      if (!numeric) return text(a).localeCompare(text(b), document.documentElement.lang, {numeric: true});
      const [x, y] = [number(text(a)), number(text(b))];
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y) || 0;
      return x - y;
    };
    rows.sort((a, b) => (down && !(numeric && (text(a) === "" || text(b) === "")) ? -1 : 1) * compare(a, b));
    table.tBodies[0].append(...rows);
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    searchOf(table).addEventListener("input", () => filter(table));
    const headers = table.tHead.rows[table.tHead.rows.length - 1].cells;
    [...headers].forEach((header, index) =>
      header.querySelector("button").addEventListener("click", () => sort(table, header, index)));
    filter(table);
  }
  for (const button of document.querySelectorAll(".picture button")) {
    button.addEventListener("click", () =>
      button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true"));
  }
  outcome.addEventListener("change", pick);
  estimand.addEventListener("change", pick);
  pick();
  window.addEventListener("beforeprint", () => {
    for (const fold of document.querySelectorAll("details")) fold.open = true;
  });
})();
