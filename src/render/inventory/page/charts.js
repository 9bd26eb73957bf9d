// Charts of what is shown. Each part is a button that filters; arrows walk through the parts of one chart. What is not
// known is said, and is not drawn as nothing.

const BAR_HEIGHT = 96;

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

class Charts {
  /** `toggle(facet, value)` sets or clears a filter. */
  constructor(toggle) {
    this.toggle = toggle;
    this.element = el("section", { class: "charts", "aria-label": "Charts" });
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("click", (event) => this.click(event));
  }

  show(model, choice, seen) {
    Object.assign(this, { model, choice, seen });
    const width = this.cardWidth();
    const held = document.activeElement?.closest?.("[data-part]")?.dataset.part;
    refill(
      this.element,
      this.age(width),
      this.access(width),
      this.calendar(width),
      this.teams(width),
      this.exposure(width),
    );
    for (const card of this.element.children) {
      const parts = [...card.querySelectorAll("[data-part]")];
      const first = parts.find((part) => part.dataset.part === held) ?? parts[0];
      first?.setAttribute("tabindex", "0");
      if (held && first?.dataset.part === held) {
        first.focus({ preventScroll: true });
      }
    }
  }

  /** The width that a chart has within its card. */
  cardWidth() {
    if (view.width < 700) {
      // Side by side, to be pushed with a finger.
      this.element.style.gridTemplateColumns = "repeat(5, 286px)";
      return 260;
    }
    const whole = view.width - 2 * 16;
    const gap = 12;
    const columns = Math.max(1, Math.min(5, Math.floor((whole + gap) / (225 + gap))));
    this.element.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    return Math.floor((whole - gap * (columns - 1)) / columns) - 2 * 13;
  }

  number(facet, value) {
    const { numbers } = this.model.facets.find(({ id }) => id === facet);
    const at = numbers.get(value);
    return at === undefined ? 0 : this.seen.counts.get(facet)[at];
  }

  isChosen(facet, value) {
    return this.choice.filters.get(facet)?.has(value) ?? false;
  }

  /** A part that filters. Parts of a facet of which others are chosen step back. */
  part(facet, value, label, ...children) {
    const chosen = this.isChosen(facet, value);
    const back = !chosen && this.choice.filters.has(facet);
    return svg(
      "g",
      {
        class: `part${chosen ? " chosen" : ""}${back ? " back" : ""}`,
        role: "button",
        tabindex: -1,
        "data-part": `${facet}:${value}`,
        "aria-pressed": String(chosen),
        "aria-label": label,
      },
      svg("title", {}, label),
      children,
    );
  }

  /** A card: heading, drawing, what is to be said, and the same as a table for those who do not see it. */
  card(title, drawing, note, rows, unit = "Secrets") {
    return el(
      "figure",
      { class: "chart" },
      el("figcaption", {}, title),
      drawing,
      note && el("p", { class: "note" }, note),
      el(
        "table",
        { class: "unseen" },
        el("caption", {}, title),
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Part"), el("th", { scope: "col" }, unit))),
        el(
          "tbody",
          {},
          rows.map(([name, number]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, number))),
        ),
      ),
    );
  }

  drawing(width, height, label, ...children) {
    return svg(
      "svg",
      { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": label },
      children,
    );
  }

  /** Columns for ranges of days. `limit` is the threshold beyond which findings begin. */
  histogram(facet, width, limit, absent) {
    const ranges = AGES.map(([bound, label, mark], at) => ({
      value: String(bound),
      label,
      mark,
      number: this.number(facet, String(bound)),
      tone: at > 0 && AGES[at - 1][0] >= limit ? "beyond" : "",
    }));
    ranges.push({
      value: "",
      label: facetOf(facet).none,
      mark: absent,
      number: this.number(facet, ""),
      tone: "unknown",
    });
    const most = Math.max(1, ...ranges.map((range) => range.number));
    const step = width / ranges.length;
    const columns = ranges.map(({ value, label, mark, number, tone }, at) => {
      const height = number === 0 ? 0 : Math.max(2, (number / most) * BAR_HEIGHT);
      const x = at * step;
      return this.part(
        facet,
        value,
        `${label}: ${count(number, "secret")}`,
        svg("rect", { class: "hit", x, y: 0, width: step, height: BAR_HEIGHT + 34 }),
        svg("rect", { class: `bar ${tone}`, x: x + 3, y: BAR_HEIGHT + 14 - height, width: step - 6, height, rx: 2 }),
        svg(
          "text",
          { "aria-hidden": "true", class: "value", x: x + step / 2, y: BAR_HEIGHT + 10 - height },
          shorten(number),
        ),
        svg("text", { "aria-hidden": "true", class: "label", x: x + step / 2, y: BAR_HEIGHT + 29 }, mark),
      );
    });
    return { rows: ranges.map(({ label, number }) => [label, number]), columns };
  }

  age(width) {
    const { audited, thresholds } = this.model.inventory;
    const unknown = this.number("age", "");
    const { rows, columns } = this.histogram("age", width, thresholds.valueAgeDays, "?");
    const known = rows.slice(0, -1).some(([, number]) => number > 0);
    const without = !audited && "Dates of versions are read with --audit.";
    if (!known && unknown > 0) {
      return this.unknown("Age of values", `Not known of ${count(unknown, "secret")}. ${without || ""}`);
    }
    const note =
      unknown > 0
        ? `Not known of ${count(unknown, "secret")}. ${without || ""}`
        : `Old: more than ${count(thresholds.valueAgeDays, "day")}.`;
    return this.card("Age of values", this.drawing(width, BAR_HEIGHT + 34, "Age of values", columns), note, rows);
  }

  access(width) {
    const limit = this.model.inventory.thresholds.unusedDays;
    const { rows, columns } = this.histogram("access", width, limit, "none");
    const drawing = this.drawing(width, BAR_HEIGHT + 34, "Last read", columns);
    const note = `AWS keeps the day. None: no read is known. Unused: more than ${count(limit, "day")}.`;
    return this.card("Last read", drawing, note, rows);
  }

  unknown(title, text) {
    return el("figure", { class: "chart" }, el("figcaption", {}, title), el("p", { class: "nothing" }, text));
  }

  /** Rotations of the next days, a column a week, Monday first. */
  calendar(width) {
    const { now } = this.model;
    const first = Date.parse(isoDay(now));
    const lead = (new Date(first).getUTCDay() + 6) % 7;
    const weeks = Math.ceil((lead + CALENDAR_DAYS + 1) / 7);
    const left = 16;
    const step = Math.min(19, (width - left) / weeks);
    const days = Array.from({ length: CALENDAR_DAYS + 1 }, (_, at) => isoDay(first + at * DAY));
    const numbers = days.map((day) => this.number("due", day));
    const most = Math.max(1, ...numbers);
    const cells = days.map((day, at) => {
      const [x, y] = [left + Math.floor((at + lead) / 7) * step, 14 + ((at + lead) % 7) * (step * 0.86)];
      const cell = { x, y, width: step - 2, height: step * 0.86 - 2, rx: 2 };
      if (numbers[at] === 0) {
        return svg("rect", { class: at === 0 ? "day today" : "day", ...cell });
      }
      const level = Math.ceil((numbers[at] / most) * 4);
      const label = `${day}${at === 0 ? " (today)" : ""}: ${count(numbers[at], "rotation")}`;
      return this.part(
        "due",
        day,
        label,
        svg("rect", { class: `day level-${level}${at === 0 ? " today" : ""}`, ...cell }),
      );
    });
    const months = days.flatMap((day, at) => {
      const isFirst = at === 0 ? Number(day.slice(8)) < 22 : day.endsWith("-01");
      const name = MONTHS[Number(day.slice(5, 7)) - 1];
      return isFirst
        ? [
            svg(
              "text",
              { "aria-hidden": "true", class: "label start", x: left + Math.floor((at + lead) / 7) * step, y: 9 },
              name,
            ),
          ]
        : [];
    });
    const names = ["Mo", "", "We", "", "Fr", "", "Su"].map((name, at) =>
      svg("text", { "aria-hidden": "true", class: "label start", x: 0, y: 14 + (at + 0.72) * step * 0.86 }, name),
    );
    const height = 14 + 7 * step * 0.86;
    const drawing = this.drawing(width, height, "Rotations of the next 90 days", months, names, cells);
    const words = [
      ["overdue", "overdue", "high"],
      ["stuck", "stuck", "high"],
      ["later", "later", "faint"],
      ["no-date", "no date", "faint"],
      ["off", "off", "faint"],
    ].map(([value, label, tone]) => ({ value, label, tone, number: this.number("due", value) }));
    const legend = el(
      "p",
      { class: "legend" },
      words
        .filter(({ number, value }) => number > 0 || this.isChosen("due", value))
        .map((word) => this.word("due", word)),
    );
    // Read aloud, weeks are enough.
    const byWeek = new Map();
    days.forEach((day, at) => {
      const monday = `Week of ${isoDay(Date.parse(day) - ((at + lead) % 7) * DAY)}`;
      byWeek.set(monday, (byWeek.get(monday) ?? 0) + numbers[at]);
    });
    const table = [...byWeek, ...words.map(({ label, number }) => [label, number])];
    const sum = numbers.reduce((all, number) => all + number, 0);
    const title = `Rotation due in 90 days: ${integers.format(sum)}`;
    const card = this.card(
      title,
      drawing,
      "",
      table.filter(([, number]) => number > 0),
    );
    card.insertBefore(legend, card.querySelector("table"));
    return card;
  }

  /** A part of a chart that is a word. */
  word(facet, { value, label, tone, number }) {
    const chosen = this.isChosen(facet, value);
    return el(
      "button",
      {
        type: "button",
        class: `word ${tone}${chosen ? " chosen" : ""}`,
        tabindex: -1,
        "data-part": `${facet}:${value}`,
        "aria-pressed": String(chosen),
      },
      `${label} ${integers.format(number)}`,
    );
  }

  /** Bars that lie, each with its name and number. */
  bars(facet, width, bars, say) {
    const step = 17.5;
    const most = Math.max(1, ...bars.map((bar) => bar.size));
    const [labelWidth, numberWidth] = [Math.min(118, width * 0.42), 74];
    const room = Math.max(20, width - labelWidth - numberWidth);
    return bars.map(({ value, label, size, tone, note }, at) => {
      const y = at * step;
      const long = Math.floor(labelWidth / 6.3);
      const length = size === 0 ? 0 : Math.max(2, (size / most) * room);
      const content = [
        svg("rect", { class: "hit", x: 0, y, width, height: step }),
        svg("text", { "aria-hidden": "true", class: "label start", x: 0, y: y + 12.5 }, cut(label, long)),
        svg("rect", { class: `bar ${tone}`, x: labelWidth, y: y + 3, width: length, height: step - 6, rx: 2 }),
        svg(
          "text",
          { "aria-hidden": "true", class: "value start", x: labelWidth + length + 5, y: y + 12.5 },
          say(size),
        ),
      ];
      const words = `${label}: ${say(size)}${note ?? ""}`;
      return value === undefined
        ? svg("g", {}, svg("title", {}, words), content)
        : this.part(facet, value, words, content);
    });
  }

  teams(width) {
    const facet = this.model.facets.find(({ id }) => id === "team");
    const counts = this.seen.counts.get("team");
    const all = facet.values
      .map((value, at) => ({
        value,
        label: facetWord(facet, value),
        size: this.seen.teamCents[at],
        number: counts[at],
        tone: value === "" ? "unknown" : "",
      }))
      .filter(({ number, value }) => number > 0 || this.isChosen("team", value))
      .sort((a, b) => b.size - a.size);
    const kept = all.length > 8 ? all.slice(0, 7) : all;
    const rest = all.slice(kept.length);
    const bars = kept.map((bar) => ({ ...bar, note: ` a month, ${count(bar.number, "secret")}` }));
    if (rest.length > 0) {
      const size = rest.reduce((sum, bar) => sum + bar.size, 0);
      bars.push({
        label: count(rest.length, "other"),
        size,
        tone: "rest",
        note: " a month; the filter Team has them all",
      });
    }
    const drawing = this.drawing(
      width,
      Math.max(1, bars.length) * 17.5,
      "Cost by team",
      this.bars("team", width, bars, money),
    );
    const rows = all.slice(0, 200).map(({ label, size }) => [label, money(size)]);
    return this.card("Cost a month by team", drawing, "List price, requests apart.", rows, "US dollars a month");
  }

  exposure(width) {
    const tones = {
      public: "bad",
      "other-accounts": "beyond",
      "same-account": "",
      none: "quiet",
      "not-read": "unknown",
    };
    const bars = Object.entries(EXPOSURES).map(([value, label]) => ({
      value,
      label,
      size: this.number("policy", value),
      tone: tones[value],
    }));
    const unread = this.number("policy", "not-read");
    if (unread > 0 && bars.every((bar) => bar.value === "not-read" || bar.size === 0)) {
      const why = this.model.inventory.audited ? "" : " Policies are read with --audit.";
      return this.unknown("Exposure by policy", `Not read of ${count(unread, "secret")}.${why}`);
    }
    const say = (number) => integers.format(number);
    const drawing = this.drawing(
      width,
      bars.length * 17.5,
      "Exposure by policy",
      this.bars("policy", width, bars, say),
    );
    const note = "Whom resource policies let in. What a call may do in the end depends on identity policies too.";
    return this.card(
      "Exposure by policy",
      drawing,
      note,
      bars.map(({ label, size }) => [label, size]),
    );
  }

  choose(part) {
    const [facet, ...value] = part.dataset.part.split(":");
    this.toggle(facet, value.join(":"));
  }

  click(event) {
    const part = event.target.closest("[data-part]");
    if (part) {
      part.focus({ preventScroll: true });
      this.choose(part);
    }
  }

  key(event) {
    const part = event.target.closest("[data-part]");
    if (!part || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) {
      const parts = [...part.closest("figure").querySelectorAll("[data-part]")];
      const next = parts[(parts.indexOf(part) + step + parts.length) % parts.length];
      part.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
      event.preventDefault();
    } else if ((event.key === "Enter" || event.key === " ") && part.tagName === "g") {
      event.preventDefault();
      this.choose(part);
    }
  }
}

/** A number in few characters. */
function shorten(number) {
  return number < 10_000 ? integers.format(number) : `${(number / 1000).toFixed(number < 100_000 ? 1 : 0)}k`;
}

function cut(text, length) {
  const characters = [...visible(text)];
  return characters.length > length ? `${characters.slice(0, length - 1).join("")}…` : characters.join("");
}
