// The table. Only the rows that are on the screen are in the document: the rest is two spacers. The table keeps the
// focus and names its active row (aria-activedescendant), so that rows may come and go while somebody walks through
// them.

const ROW = 34;
const CARD = 66;
const OVERSCAN = 8;

class Table {
  /** `open(at)` opens a row, `sort(id)` chooses the order. */
  constructor({ open, sort }) {
    this.open = open;
    this.active = -1;
    this.drawn = "";
    this.sort = sort;
    this.groups = el("colgroup");
    this.header = el("tr", { "aria-rowindex": 1 });
    this.above = el("tbody", { class: "space", role: "presentation" });
    this.body = el("tbody");
    this.below = el("tbody", { class: "space", role: "presentation" });
    this.element = el(
      "table",
      {
        role: "grid",
        tabindex: 0,
        id: "grid",
        "aria-label": "Secrets",
        "aria-describedby": "keys",
        "aria-readonly": "true",
      },
      this.groups,
      el("thead", {}, this.header),
      this.above,
      this.body,
      this.below,
    );
    this.body.addEventListener("click", (event) => this.click(event));
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("focus", () => this.enter());
    addEventListener("scroll", () => this.draw(), { passive: true });
  }

  get rowHeight() {
    return this.compact ? CARD : ROW;
  }

  /** Takes what is to be shown. */
  show(model, choice, shown) {
    Object.assign(this, { model, choice, shown });
    this.compact = view.width < 700;
    this.columns = choice.columns.map(columnOf);
    this.active = Math.min(this.active, shown.length - 1);
    this.drawHeader();
    this.draw(true);
  }

  drawHeader() {
    const { columns, choice, compact } = this;
    this.element.classList.toggle("compact", compact);
    // What is left over goes to all columns, so that the name does not stand far away from the rest.
    const sum = columns.reduce((all, column) => all + column.width, 0);
    const stretch = Math.max(1, view.width / (sum + 480));
    const widths = columns.map((column) => Math.floor(column.width * stretch));
    // The page is as wide as the table, so that what is beside it can stay where it is when the table moves sideways.
    const width = compact ? "" : `${widths.reduce((sum, one) => sum + one, 260)}px`;
    this.element.closest("#page")?.style.setProperty("min-width", width);
    this.element.setAttribute("aria-colcount", columns.length);
    const whole = widths.reduce((sum, one) => sum + (one || 260), 0);
    const colOf = (width) => {
      const col = el("col");
      // Paper has no room to be moved over.
      col.style.width = this.printing ? `${((width || 260) / whole) * 100}%` : width ? `${width}px` : "";
      return col;
    };
    refill(this.groups, compact ? [] : widths.map(colOf));
    const held = document.activeElement?.dataset?.sort;
    refill(
      this.header,
      columns.map((column) => {
        const chosen = column.id === choice.sort;
        const arrow = chosen ? (choice.down ? " ▼" : " ▲") : "";
        const label = [column.label, el("span", { class: "arrow", "aria-hidden": "true" }, arrow)];
        const attributes = { type: "button", "data-sort": column.id, onclick: () => this.sort(column.id) };
        return el(
          "th",
          {
            scope: "col",
            class: column.number && "number",
            "aria-sort": chosen ? (choice.down ? "descending" : "ascending") : "none",
          },
          el("button", attributes, label),
        );
      }),
    );
    if (held) {
      this.header.querySelector(`[data-sort="${held}"]`)?.focus();
    }
  }

  /** Which rows are on the screen. */
  window() {
    const height = this.rowHeight;
    const top = this.bodyTop();
    const first = Math.max(0, Math.floor(-top / height) - OVERSCAN);
    const last = Math.ceil((innerHeight - top) / height) + OVERSCAN;
    return [Math.min(first, this.shown.length), Math.max(0, Math.min(this.shown.length, last))];
  }

  draw(anew = false) {
    if (!this.shown || this.printing) {
      return;
    }
    const [first, last] = this.window();
    const drawn = `${first} ${last}`;
    if (!anew && drawn === this.drawn) {
      return;
    }
    this.drawn = drawn;
    this.element.setAttribute("aria-rowcount", this.shown.length + 1);
    this.space(this.above, first);
    this.space(this.below, this.shown.length - last);
    if (anew) {
      this.body.replaceChildren();
    }
    this.drawRows(first, last);
    this.mark();
  }

  /** Leaves the rows that stay where they are, and adds what is missing before and behind them. */
  drawRows(first, last) {
    const at = (row) => Number(row.dataset.at);
    for (const row of [...this.body.children]) {
      if (at(row) < first || at(row) >= last) {
        row.remove();
      }
    }
    const make = (from, to) =>
      this.shown.slice(from, Math.max(from, to)).map((row, step) => this.row(row, from + step));
    const { firstElementChild: top, lastElementChild: bottom } = this.body;
    if (top) {
      this.body.prepend(...make(first, at(top)));
      this.body.append(...make(at(bottom) + 1, last));
    } else {
      this.body.append(...make(first, last));
    }
  }

  space(place, rows) {
    const cell = el("td", { colspan: this.columns.length });
    cell.style.height = `${rows * this.rowHeight}px`;
    refill(place, rows > 0 ? el("tr", { role: "presentation" }, cell) : "");
  }

  row(number, at) {
    const row = this.model.rows[number];
    const attributes = { "aria-rowindex": at + 2, id: `row-${at}`, "data-at": at, "aria-selected": "false" };
    if (row.key === this.choice.open) {
      attributes["aria-current"] = "true";
    }
    if (this.compact) {
      return el("tr", attributes, this.card(row));
    }
    const limits = this.model.inventory.thresholds;
    const cells = this.columns.map((column) => {
      const text = column.text(row);
      const content = column.cell ? column.cell(row) : text.slice(0, 300);
      const title = column.title?.(row) ?? (column.cell ? undefined : text.slice(0, 1000));
      const tone = [column.number && "number", column.tone?.(row, limits)].filter(Boolean).join(" ");
      const head = column.id === "name";
      const more = head && !row.secret.inScope && " outside";
      return el(head ? "th" : "td", { scope: head && "row", class: tone + (more || ""), title }, content);
    });
    return el("tr", attributes, cells);
  }

  /** A row on a narrow screen. */
  card(row) {
    const { secret, target } = row;
    const facts = [target.name, secret.team, this.columns.some((c) => c.id === "cost") && money(secret.monthlyCents)];
    return el(
      "th",
      { scope: "row", colspan: this.columns.length },
      el("div", { class: "card-name" }, secret.name),
      el("div", { class: "card-facts" }, el("span", {}, facts.filter(Boolean).join(" · ")), severityBadges(secret)),
    );
  }

  click(event) {
    const row = event.target.closest("tr[data-at]");
    // Text that somebody marks is no click.
    if (row && getSelection().isCollapsed) {
      this.active = Number(row.dataset.at);
      this.element.focus({ preventScroll: true });
      this.mark();
      this.open(this.active, false);
    }
  }

  key(event) {
    if (event.target !== this.element || event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    const page = Math.max(1, Math.floor((innerHeight - 160) / this.rowHeight));
    const last = this.shown.length - 1;
    const to = {
      ArrowDown: this.active + 1,
      ArrowUp: this.active - 1,
      PageDown: this.active + page,
      PageUp: this.active - page,
      Home: 0,
      End: last,
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.move(Math.max(0, Math.min(last, to)), true);
    } else if (event.key === "Enter" && this.active >= 0) {
      event.preventDefault();
      this.open(this.active, true);
    }
  }

  /** Somebody came here with the keyboard: the active row, else the first one on the screen. */
  enter() {
    if (this.element.matches(":focus-visible")) {
      const first = Math.ceil((this.ceiling() - this.bodyTop()) / this.rowHeight);
      this.move(this.active >= 0 ? this.active : Math.max(0, first), false);
    }
  }

  /** Where rows begin to be seen: below the head, which stays; where there is none, below the bar. */
  ceiling() {
    const bar = () => document.querySelector(".toolbar").getBoundingClientRect().bottom;
    return this.header.firstElementChild.getBoundingClientRect().bottom || bar();
  }

  /** Where the first of all rows is on the screen, or would be. */
  bodyTop() {
    return this.above.getBoundingClientRect().top;
  }

  /** Makes a row the active one and brings it into view. */
  move(at, follow) {
    if (this.shown.length === 0) {
      return;
    }
    this.active = at;
    const top = this.bodyTop() + at * this.rowHeight;
    const ceiling = this.ceiling();
    if (top < ceiling) {
      scrollBy(0, top - ceiling);
    } else if (top + this.rowHeight > innerHeight - 8) {
      scrollBy(0, top + this.rowHeight - innerHeight + 8);
    }
    this.draw();
    this.mark();
    if (follow && this.choice.open) {
      this.open(at, false);
    }
  }

  mark() {
    for (const row of this.body.querySelectorAll(".active")) {
      row.classList.remove("active");
      row.setAttribute("aria-selected", "false");
    }
    const row = document.getElementById(`row-${this.active}`);
    if (row) {
      row.classList.add("active");
      row.setAttribute("aria-selected", "true");
      this.element.setAttribute("aria-activedescendant", row.id);
    } else {
      this.element.removeAttribute("aria-activedescendant");
    }
  }

  /** Marks the row that is open. */
  markOpen() {
    for (const row of this.body.querySelectorAll("[aria-current]")) {
      row.removeAttribute("aria-current");
    }
    for (const row of this.body.querySelectorAll("tr[data-at]")) {
      if (this.model.rows[this.shown[row.dataset.at]].key === this.choice.open) {
        row.setAttribute("aria-current", "true");
      }
    }
  }

  /** Brings the first row into view when the screen stands below it. */
  toTop() {
    const top = this.bodyTop() - this.ceiling();
    if (top < 0) {
      scrollBy(0, top);
    }
  }

  /** Puts as many rows as are printed into the document, and says how many are left out. */
  beginPrint(most) {
    this.printing = true;
    this.compact = false;
    this.drawHeader();
    this.space(this.above, 0);
    this.space(this.below, 0);
    refill(
      this.body,
      this.shown.slice(0, most).map((row, at) => this.row(row, at)),
    );
    return Math.max(0, this.shown.length - most);
  }

  endPrint() {
    this.printing = false;
    this.show(this.model, this.choice, this.shown);
  }
}
