// Score tables that sort by a click on a heading.

class ScoreTableView {
  constructor(table, store) {
    Object.assign(this, { table, store });
    this.sorted = { column: -1, ascending: true };
    this.body = el("tbody");
    this.headings = ["", ...table.columns.map((column) => column.name)].map((name, k) =>
      el("th", { scope: "col", title: k ? table.columns[k - 1].help : null },
        el("button", { type: "button", onclick: () => this.sortBy(k - 1) }, name || "name")));
    this.node = el("div", { class: "table-panel" }, el("h3", {}, table.title),
      el("div", { class: "table-scroll", tabindex: "0" },
        el("table", { "aria-label": table.title }, el("thead", {}, el("tr", {}, ...this.headings)), this.body)));
    this.rows = table.rows.map((row) => ({ row, node: this.makeRow(row) }));
    this.show();
    store.on(["video"], () => this.markVideo());
    this.markVideo();
  }

  makeRow(row) {
    const open = () => this.store.set({ video: row.video });
    const name = row.video === null
      ? row.name : el("button", { type: "button", onclick: open, title: "show this video" }, row.name);
    const node = el("tr", { class: row.total ? "total" : null }, el("td", { title: row.name }, name));
    row.values.forEach((value, k) => {
      const column = this.table.columns[k];
      const cell = el("td", { "data-value": value, title: value }, formatValue(value, column));
      // a share or a score between 0 and 1
      if (column.digits > 0 && column.better === "high" && value !== null && value <= 1) {
        cell.className = "bar";
        cell.style.setProperty("--share", `${100 * Math.max(0, Math.min(1, value))}%`);
      }
      node.append(cell);
    });
    return node;
  }

  /** Sort by a column, -1 for the names; once more turns the order around. */
  sortBy(column) {
    const first = column < 0 || this.table.columns[column].better === "low";
    const ascending = this.sorted.column === column && this.sorted.touched ? !this.sorted.ascending : first;
    this.sorted = { column, ascending, touched: true };
    const value = ({ row }) => (column < 0 ? row.name : row.values[column]);
    this.rows.sort((a, b) => {
      if (a.row.total !== b.row.total) return a.row.total ? 1 : -1; // the total stays below
      const [x, y] = [value(a), value(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      const order = column < 0 ? x.localeCompare(y, undefined, { numeric: true }) : x - y;
      return ascending ? order : -order;
    });
    this.headings.forEach((heading, k) => {
      if (k - 1 === column) heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      else heading.removeAttribute("aria-sort");
    });
    this.show();
  }

  show() {
    this.body.replaceChildren(...this.rows.map(({ node }) => node));
  }

  markVideo() {
    for (const { row, node } of this.rows) {
      node.classList.toggle("current", row.video !== null && row.video === this.store.state.video);
    }
  }
}
