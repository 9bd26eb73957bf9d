// The bar above everything: search, filters with their lists, columns, and what is chosen.

// A list of values shows this many; a search in it finds the others.
const MOST_VALUES = 150;

/** A button with a list below it, of which one is open at a time. */
class Dropdown {
  static open = null;

  /** `fill()` gives what is in the list. */
  constructor(label, fill) {
    this.fill = fill;
    this.list = el("div", { class: "dropdown", role: "dialog", "aria-label": label, hidden: true });
    this.label = el("span", {}, label);
    this.button = button("", () => this.toggle(), { "aria-haspopup": "dialog", "aria-expanded": "false" });
    this.button.append(this.label);
    this.element = el("span", { class: "drop" }, this.button, this.list);
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.list.hidden) {
        event.stopPropagation();
        this.close();
        this.button.focus();
      }
    });
  }

  toggle() {
    if (!this.list.hidden) {
      this.close();
      return;
    }
    Dropdown.open?.close();
    Dropdown.open = this;
    refill(this.list, this.fill());
    this.list.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.list.style.left = "0px";
    const { left, right, width } = this.list.getBoundingClientRect();
    const over = right - view.width + 8;
    this.list.style.left = `${-Math.max(0, Math.min(over, left - 8, width))}px`;
    this.list.querySelector("input, button")?.focus();
  }

  close() {
    this.list.hidden = true;
    this.list.replaceChildren();
    this.button.setAttribute("aria-expanded", "false");
    Dropdown.open = null;
  }
}

addEventListener("pointerdown", (event) => {
  if (Dropdown.open && !Dropdown.open.element.contains(event.target)) {
    Dropdown.open.close();
  }
});

/** The list of the values of a facet. */
function valueList(facet, page) {
  const counts = () => page.seen.counts.get(facet.id);
  const chosen = () => page.choice.filters.get(facet.id) ?? new Set();
  const values = facet.values.map((value, at) => ({ value, at, word: facetWord(facet, value) }));
  for (const value of chosen()) {
    if (!facet.numbers.has(value)) {
      values.push({ value, at: -1, word: facetWord(facet, value) });
    }
  }
  const ranks = { severity: SEVERITIES, policy: Object.keys(EXPOSURES) }[facet.id];
  values.sort((a, b) => {
    const byChoice = chosen().has(b.value) - chosen().has(a.value);
    const byRank = ranks ? ranks.indexOf(a.value) - ranks.indexOf(b.value) : 0;
    return byChoice || byRank || counts()[b.at] - counts()[a.at] || (a.word < b.word ? -1 : 1);
  });
  const list = el("div", { class: "values" });
  const draw = (search) => {
    const found = values.filter(({ word }) => word.toLowerCase().includes(search.toLowerCase()));
    const rows = found.slice(0, MOST_VALUES).map(({ value, at, word }) => {
      const number = el("span", { class: "number" }, integers.format(counts()[at] ?? 0));
      const box = el("input", { type: "checkbox", checked: chosen().has(value) });
      box.addEventListener("change", () => {
        page.toggleFilter(facet.id, value);
        for (const refresh of refreshers) {
          refresh();
        }
      });
      refreshers.push(() => refill(number, integers.format(counts()[at] ?? 0)));
      return el("label", {}, box, el("span", { class: "word", title: word }, word), number);
    });
    const more = found.length - rows.length;
    refill(list, rows, more > 0 && el("p", { class: "faint" }, `${integers.format(more)} more: type to find them`));
  };
  const refreshers = [];
  const find = el("input", { type: "search", placeholder: "Find", "aria-label": `Find in ${facet.label}` });
  find.addEventListener("input", () => {
    refreshers.length = 0;
    draw(find.value);
  });
  draw("");
  return [values.length > 10 && find, list];
}

/** The list of columns. The name is always there. */
function columnList(page) {
  const boxes = COLUMNS.filter(({ id }) => id !== "name").map(({ id, label }) => {
    const box = el("input", { type: "checkbox", checked: page.choice.columns.includes(id) });
    box.addEventListener("change", () => {
      const chosen = new Set(page.choice.columns);
      chosen[box.checked ? "add" : "delete"](id);
      // In the order of the list, so that a column has its place.
      page.change({ columns: COLUMNS.map((column) => column.id).filter((column) => chosen.has(column)) });
    });
    return el("label", {}, box, el("span", { class: "word" }, label));
  });
  const usual = button("The usual ones", () => {
    page.change({ columns: [...DEFAULT_COLUMNS] });
    Dropdown.open?.close();
  });
  return [el("div", { class: "values" }, boxes), usual];
}

class Controls {
  constructor(page) {
    this.page = page;
    this.search = el("input", {
      type: "search",
      id: "search",
      placeholder: "Search everything  ( / )",
      "aria-label": "Search everything that is shown",
      "aria-controls": "grid",
      autocomplete: "off",
      spellcheck: "false",
    });
    this.search.addEventListener("input", () => page.change({ search: this.search.value }, true));
    this.search.addEventListener("keydown", (event) => this.searchKey(event));
    this.filters = FACETS.filter((facet) => facet.label).map((facet) => {
      const encoded = () => page.model.facets.find(({ id }) => id === facet.id);
      return { facet, dropdown: new Dropdown(facet.label, () => valueList(encoded(), page)) };
    });
    this.columns = new Dropdown("Columns", () => columnList(page));
    const orders = COLUMNS.flatMap(({ id, label }) => [
      el("option", { value: id }, `${label} ▲`),
      el("option", { value: `-${id}` }, `${label} ▼`),
    ]);
    this.order = el("select", { "aria-label": "Order", class: "narrow-only" }, orders);
    this.order.addEventListener("change", () => {
      const { value } = this.order;
      page.change({ sort: value.replace(/^-/, ""), down: value.startsWith("-") }, true);
    });
    this.chips = el("div", { class: "chosen-filters" });
    this.count = el("p", { class: "count", role: "status", "aria-live": "polite" });
    this.element = el(
      "div",
      { class: "toolbar", role: "search" },
      el(
        "div",
        { class: "tools" },
        el("div", { class: "search" }, this.search, this.count),
        el(
          "div",
          { class: "filters" },
          this.filters.map(({ dropdown }) => dropdown.element),
          this.columns.element,
          this.order,
        ),
      ),
      this.chips,
    );
  }

  show(model, choice, seen) {
    if (this.search.value !== choice.search) {
      this.search.value = choice.search;
    }
    this.order.value = `${choice.down ? "-" : ""}${choice.sort}`;
    for (const { facet, dropdown } of this.filters) {
      const number = choice.filters.get(facet.id)?.size ?? 0;
      dropdown.button.classList.toggle("chosen", number > 0);
      if (facet.id === "drift") {
        dropdown.element.hidden = number === 0 && !this.page.knowsDrift();
      }
      refill(dropdown.label, number > 0 ? `${facet.label} (${number})` : facet.label);
    }
    const [all, shown] = [model.rows.length, seen.shown.length];
    refill(this.count, shown === all ? count(all, "secret") : `${integers.format(shown)} of ${count(all, "secret")}`);
    this.showChips(choice);
  }

  showChips(choice) {
    const { page } = this;
    const chips = [...choice.filters].flatMap(([id, values]) => {
      const facet = facetOf(id);
      return [...values].map((value) => {
        const word = `${facet.label ?? facet.chart}: ${facetWord(facet, value)}`;
        return button([word, el("span", { "aria-hidden": "true" }, " ×")], () => page.toggleFilter(id, value), {
          class: "chip",
          "aria-label": `Remove the filter ${word}`,
        });
      });
    });
    const printed = choice.search && el("span", { class: "print-only" }, `Search: ${choice.search}`);
    const clear =
      (chips.length > 1 || (chips.length > 0 && choice.search)) &&
      button("Clear all", () => page.change({ filters: new Map(), search: "" }, true), { class: "link" });
    const held = this.chips.contains(document.activeElement);
    refill(this.chips, printed, chips, clear);
    if (held) {
      (this.chips.querySelector("button") ?? this.search).focus();
    }
  }

  searchKey(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      if (this.search.value) {
        this.page.change({ search: "" }, true);
      } else {
        this.page.table.element.focus({ preventScroll: true });
      }
    } else if (event.key === "ArrowDown" || event.key === "Enter") {
      event.preventDefault();
      this.page.table.element.focus({ preventScroll: true });
    }
  }
}
