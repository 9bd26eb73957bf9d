// The page: puts its parts together, holds the choice, and asks for news where it is served live.

// Rows that are printed at most.
const MOST_PRINTED = 2000;

// Milliseconds between two looks for news.
const RENEW = 60_000;

class Page {
  constructor(inventory, live) {
    this.live = live;
    this.choice = readHash(location.hash);
    this.written = location.hash;
    this.model = new Model(inventory);
    this.table = new Table({ open: (at, focus) => this.openRow(at, focus), sort: (id) => this.sortBy(id) });
    this.charts = new Charts((facet, value) => this.toggleFilter(facet, value));
    this.panel = new Panel({ close: () => this.closePanel(), step: (by) => this.step(by) });
    this.controls = new Controls(this);
    this.header = el("header", { class: "head" });
    this.figures = el("div", { class: "figures", role: "group", "aria-label": "What is shown, in numbers" });
    this.groups = el("section", { class: "groups" });
    this.leftOut = el("p", { class: "print-only" });
    this.empty = el("p", { class: "empty", hidden: true });
    this.news = el("span", { class: "news", role: "status" });
    const keys = "Keys: / searches, arrows walk, Enter opens a secret, Esc closes it.";
    refill(
      document.getElementById("page"),
      this.header,
      this.controls.element,
      el(
        "main",
        {},
        el("div", { class: "lead" }, this.figures, this.charts.element),
        this.table.element,
        this.empty,
        this.leftOut,
      ),
      el(
        "footer",
        { class: "lead" },
        this.groups,
        el("p", { id: "keys", class: "no-print" }, keys),
        el(
          "p",
          {},
          "Written by keywright. No value of a secret is in here. Costs are by the list price, requests apart.",
        ),
      ),
      this.panel.element,
      el("div", { id: "toast", role: "status", hidden: true }),
    );
    this.listen();
    this.measure();
    this.drawHead();
    this.redraw();
    this.openKey(this.choice.open);
    this.prepareSearch();
    if (live) {
      this.renewed = new Date();
      this.sayNews();
      setInterval(() => this.renew(), RENEW);
    }
  }

  listen() {
    addEventListener("hashchange", () => {
      if (location.hash !== this.written) {
        this.written = location.hash;
        this.choice = readHash(location.hash);
        this.redraw();
        this.openKey(this.choice.open);
      }
    });
    addEventListener("keydown", (event) => this.key(event));
    addEventListener("resize", () => {
      cancelAnimationFrame(this.resizing);
      this.resizing = requestAnimationFrame(() => {
        this.measure();
        this.redraw();
      });
    });
    addEventListener("beforeprint", () => {
      const left = this.table.beginPrint(MOST_PRINTED);
      const words = `${count(left, "more row")} left out: at most ${integers.format(MOST_PRINTED)} are printed.`;
      refill(this.leftOut, left > 0 && words);
    });
    addEventListener("afterprint", () => this.table.endPrint());
    new ResizeObserver(() => this.measure()).observe(this.controls.element);
  }

  /** Tells the style what only the browser knows: the width without the scroll bar, and where the table's head is. */
  measure() {
    const { style } = document.documentElement;
    measureView();
    style.setProperty("--view", `${view.width}px`);
    style.setProperty("--bar", `${this.controls.element.offsetHeight}px`);
  }

  /** Changes the choice. `toTop` brings the first row into view, where other rows are shown than before. */
  change(change, toTop = false) {
    Object.assign(this.choice, change);
    this.redraw();
    if (toTop) {
      this.table.toTop();
    }
    this.remember();
  }

  redraw() {
    const { model, choice } = this;
    this.paint();
    this.seen = look(model, choice);
    this.controls.show(model, choice, this.seen);
    this.drawFigures();
    this.charts.element.hidden = !choice.charts;
    if (choice.charts) {
      this.charts.show(model, choice, this.seen);
    }
    this.table.show(model, choice, this.seen.shown);
    this.empty.hidden = this.seen.shown.length > 0;
    refill(
      this.empty,
      model.rows.length > 0 ? "No secret fits the search and the filters." : "There is no secret here.",
    );
  }

  /** Light or dark, as chosen, else as the system has it. */
  paint() {
    document.documentElement.dataset.theme = this.choice.theme;
  }

  /** Writes the choice into the hash, not more often than browsers take it. */
  remember() {
    clearTimeout(this.remembering);
    this.remembering = setTimeout(() => {
      // Unless somebody has gone to another link meanwhile.
      if (location.hash === this.written) {
        history.replaceState(null, "", `#${writeHash(this.choice)}`);
        this.written = location.hash;
      }
    }, 150);
  }

  toggleFilter(id, value) {
    const filters = new Map(this.choice.filters);
    const values = new Set(filters.get(id));
    values[values.has(value) ? "delete" : "add"](value);
    filters[values.size > 0 ? "set" : "delete"](id, values);
    this.change({ filters }, true);
  }

  sortBy(id) {
    const again = this.choice.sort === id;
    this.change({ sort: id, down: again ? !this.choice.down : columnOf(id).worstFirst === true });
  }

  openRow(at, focus) {
    const row = this.model.rows[this.seen.shown[at]];
    if (!row) {
      return;
    }
    this.table.active = at;
    this.choice.open = row.key;
    this.panel.show(row, this.model);
    this.table.markOpen();
    if (focus) {
      this.panel.title.focus();
    }
    this.remember();
  }

  openKey(key) {
    const row = key && this.model.rows.find((one) => one.key === key);
    if (!row) {
      this.panel.hide();
      return;
    }
    const at = this.seen.shown.findIndex((shown) => this.model.rows[shown] === row);
    if (at >= 0) {
      this.openRow(at, false);
      this.table.move(at, false);
    } else {
      this.panel.show(row, this.model);
    }
  }

  closePanel() {
    this.choice.open = "";
    this.panel.hide();
    this.table.markOpen();
    this.table.element.focus({ preventScroll: true });
    this.remember();
  }

  step(by) {
    const at = this.table.active + by;
    if (at >= 0 && at < this.seen.shown.length) {
      this.table.move(at, false);
      this.openRow(at, false);
    }
  }

  key(event) {
    const inText = event.target.closest?.("input, textarea, select, dialog");
    if (event.key === "Escape" && this.panel.isOpen && !inText) {
      this.closePanel();
    } else if (event.key === "/" && !inText && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      this.controls.search.focus();
      this.controls.search.select();
    }
  }

  drawHead() {
    const { inventory } = this.model;
    const { project, started, wholeAccount, audited, targets } = inventory;
    const facts = [
      moment(started),
      count(targets.length, "target"),
      wholeAccount ? "the whole accounts" : "the scope",
      audited ? "audited" : "not audited",
    ];
    const excused = targets.reduce((sum, target) => sum + target.ignored, 0);
    if (excused > 0) {
      facts.push(`${count(excused, "finding")} excused`);
    }
    const places = new Set(targets.map((target) => target.endpoint).filter(Boolean));
    const dark = () => {
      const isDark = this.choice.theme
        ? this.choice.theme === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;
      this.choice.theme = isDark ? "light" : "dark";
      this.paint();
      this.remember();
    };
    const shown = () => this.seen.shown;
    refill(
      this.header,
      el(
        "div",
        { class: "title" },
        el("h1", {}, "Inventory of ", el("bdi", {}, project)),
        el(
          "p",
          { class: "faint" },
          facts.join(" · "),
          [...places].map((place) => [" · ", el("b", {}, place)]),
          " ",
          this.news,
        ),
      ),
      el(
        "div",
        { class: "actions" },
        button("Copy --select", () => copySelect(this.model, this.choice, shown()), {
          title: "Flags that name what is shown",
        }),
        button("Copy CSV", () => copyCsv(this.model, this.choice, shown()), {
          title: "The rows and columns that are shown",
        }),
        button("Charts", () => this.change({ charts: !this.choice.charts }), { title: "Show or hide the charts" }),
        button("Print", () => print()),
        button("Light / dark", dark),
      ),
      targets
        .filter((target) => target.error)
        .map((target) => el("p", { class: "banner high" }, `${target.name} could not be looked at: ${target.error}`)),
      !audited &&
        el(
          "p",
          { class: "banner quiet" },
          "Policies, replicas, links and dates of versions were read only where manifests need them: ",
          el("code", {}, "--audit"),
          " reads them all.",
        ),
    );
    this.drawGroups(inventory.groups);
  }

  drawFigures() {
    const { model, choice, seen } = this;
    const sum = totals(model, seen.shown);
    const chosen = (id, values) => values.every((value) => choice.filters.get(id)?.has(value));
    const figure = (number, words, tone, id, values) => {
      const content = [el("b", { class: tone }, number), el("span", {}, words)];
      if (!id) {
        return el("div", { class: "figure" }, content);
      }
      const set = () => {
        const filters = new Map(this.choice.filters);
        if (chosen(id, values)) {
          filters.delete(id);
        } else {
          filters.set(id, new Set(values));
        }
        this.change({ filters }, true);
      };
      return button(content, set, {
        class: "figure",
        "aria-pressed": String(chosen(id, values)),
        "data-figure": words,
      });
    };
    const held = document.activeElement?.dataset?.figure;
    const unused = ["unused", "never-read"];
    refill(
      this.figures,
      figure(integers.format(sum.secrets), "secrets"),
      figure(money(sum.cents), "a month"),
      figure(integers.format(sum.secretsWith.high), "with a high finding", sum.secretsWith.high && "high", "severity", [
        "high",
      ]),
      figure(
        integers.format(sum.secretsWith.medium),
        "with a medium one",
        sum.secretsWith.medium && "medium",
        "severity",
        ["medium"],
      ),
      this.knowsDrift() && figure(integers.format(sum.drifted), "drifted", sum.drifted && "medium"),
      figure(integers.format(sum.late), "overdue or stuck", sum.late && "high", "rotation", ["overdue", "stuck"]),
      figure(integers.format(sum.unused), `unused: ${money(sum.unusedCents)} a year`, "", "finding", unused),
    );
    if (held) {
      [...this.figures.children].find((one) => one.dataset.figure?.slice(0, 6) === held.slice(0, 6))?.focus();
    }
  }

  /** Whether the document says of any secret how it differs from git. */
  knowsDrift() {
    return this.model.facets.find(({ id }) => id === "drift").values.some(Boolean);
  }

  /** The totals of the document, which are of all secrets whatever is shown. */
  drawGroups(groups) {
    const rows = (grouping) =>
      grouping.groups
        .slice(0, 500)
        .map((group) => [
          group.name ?? el("span", { class: "faint" }, "none"),
          integers.format(group.secrets),
          money(group.monthlyCents),
          integers.format(group.unused),
          money(group.unusedYearlyCents),
          ...SEVERITIES.slice(0, 3).map((severity) => integers.format(group.findings[severity] ?? 0)),
        ]);
    const heads = ["", "Secrets", "A month", "Unused", "They cost a year", "High", "Medium", "Low"];
    refill(
      this.groups,
      groups.map((grouping) =>
        el(
          "details",
          {},
          el("summary", {}, `All secrets by ${grouping.by} (${integers.format(grouping.groups.length)})`),
          grid(heads, rows(grouping)),
          grouping.groups.length > 500 &&
            el("p", { class: "faint" }, `${count(grouping.groups.length - 500, "more group")} in the JSON document.`),
        ),
      ),
    );
  }

  /** Makes the text that is searched while nothing else is to be done. */
  prepareSearch() {
    const { model } = this;
    let at = 0;
    const some = () => {
      const end = performance.now() + 8;
      while (at < model.rows.length && performance.now() < end) {
        model.text(at);
        at += 1;
      }
      if (at < model.rows.length && model === this.model) {
        setTimeout(some, 4);
      }
    };
    setTimeout(some, 50);
  }

  async renew() {
    try {
      const answer = await fetch("/inventory.json", { cache: "no-store", signal: AbortSignal.timeout(RENEW / 2) });
      if (!answer.ok) {
        throw new Error(`status ${answer.status}`);
      }
      this.model = new Model(await answer.json());
      this.renewed = new Date();
      this.failed = false;
      this.drawHead();
      this.redraw();
      this.renewPanel();
      this.prepareSearch();
    } catch {
      this.failed = true;
    }
    this.sayNews();
  }

  /** The panel shows the renewed secret, at the place where somebody reads. */
  renewPanel() {
    const row = this.model.rows.find((one) => one.key === this.choice.open);
    if (!this.panel.isOpen) {
      return;
    }
    if (!row) {
      this.closePanel();
      toast("The secret that was open is no longer there");
      return;
    }
    const { scrollTop } = this.panel.element;
    this.panel.show(row, this.model);
    this.panel.element.scrollTop = scrollTop;
  }

  sayNews() {
    const time = this.renewed.toTimeString().slice(0, 8);
    this.news.classList.toggle("high", this.failed === true);
    refill(
      this.news,
      this.failed ? `· not reached; as of ${time}, asked again every minute` : `· live, renewed at ${time}`,
    );
  }
}

const carrier = document.getElementById("inventory");
const inventory = JSON.parse(carrier.textContent);
new Page(inventory, carrier.dataset.live === "yes" || inventory.live === true);
