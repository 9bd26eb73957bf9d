// What is chosen (search, filters, order, columns, one secret) and what is shown for it. All of it lives in the URL's
// hash, so that a link shows the same, and nothing is stored anywhere.

const NO_CHOICE = () => ({
  search: "",
  filters: new Map(),
  sort: "name",
  down: false,
  columns: [...DEFAULT_COLUMNS],
  open: "",
  theme: "",
  charts: true,
});

/** The choice that a hash writes down; whatever it has that is not known is passed over. */
function readHash(hash) {
  const choice = NO_CHOICE();
  const parameters = new URLSearchParams(hash.replace(/^#/, ""));
  for (const [name, value] of parameters) {
    if (name === "q") {
      choice.search = value;
    } else if (name === "sort" && columnOf(value.replace(/^-/, ""))) {
      choice.sort = value.replace(/^-/, "");
      choice.down = value.startsWith("-");
    } else if (name === "columns") {
      const columns = value.split(",").filter((id) => id !== "name" && columnOf(id));
      choice.columns = ["name", ...new Set(columns)];
    } else if (name === "open") {
      choice.open = value;
    } else if (name === "theme" && ["light", "dark"].includes(value)) {
      choice.theme = value;
    } else if (name === "charts") {
      choice.charts = value !== "no";
    } else if (facetOf(name)) {
      choice.filters.set(name, (choice.filters.get(name) ?? new Set()).add(value));
    }
  }
  return choice;
}

function writeHash(choice) {
  const parameters = new URLSearchParams();
  if (choice.search) {
    parameters.set("q", choice.search);
  }
  for (const [id, values] of choice.filters) {
    for (const value of values) {
      parameters.append(id, value);
    }
  }
  if (choice.sort !== "name" || choice.down) {
    parameters.set("sort", `${choice.down ? "-" : ""}${choice.sort}`);
  }
  if (choice.columns.join() !== DEFAULT_COLUMNS.join()) {
    parameters.set("columns", choice.columns.join());
  }
  if (!choice.charts) {
    parameters.set("charts", "no");
  }
  if (choice.theme) {
    parameters.set("theme", choice.theme);
  }
  if (choice.open) {
    parameters.set("open", choice.open);
  }
  return parameters.toString();
}

/** The words of a search; what stands between quotation marks is one. */
function searchWords(search) {
  const words = search.toLowerCase().match(/"[^"]*"?|\S+/g) ?? [];
  return words.map((word) => word.replace(/^"|"$/g, "")).filter(Boolean);
}

/** The rows that are shown, in their order, and for each value of each facet how many rows there are with it when every
 * filter but those of the facet itself holds. */
function look(model, choice) {
  const words = searchWords(choice.search);
  const active = [];
  model.facets.forEach((facet, at) => {
    const values = choice.filters.get(facet.id);
    if (values?.size > 0) {
      const allowed = new Uint8Array(facet.values.length);
      for (const value of values) {
        const number = facet.numbers.get(value);
        if (number !== undefined) {
          allowed[number] = 1;
        }
      }
      active.push({ at, codes: facet.codes, allowed });
    }
  });
  const counts = model.facets.map((facet) => new Uint32Array(facet.values.length));
  const team = model.facets.findIndex((facet) => facet.id === "team");
  const teamCents = new Float64Array(model.facets[team].values.length);
  const add = (facet, row) => {
    const code = model.facets[facet].codes[row];
    if (typeof code === "number") {
      counts[facet][code] += 1;
    } else {
      for (const one of code) {
        counts[facet][one] += 1;
      }
    }
    if (facet === team) {
      teamCents[code] += model.rows[row].secret.monthlyCents;
    }
  };
  const shown = [];
  for (const row of model.order(columnOf(choice.sort), choice.down)) {
    if (words.length > 0 && !words.every((word) => model.text(row).includes(word))) {
      continue;
    }
    const failed = active.filter(({ codes, allowed }) => {
      const code = codes[row];
      return typeof code === "number" ? !allowed[code] : !code.some((one) => allowed[one]);
    });
    if (failed.length === 0) {
      shown.push(row);
      for (let facet = 0; facet < counts.length; facet += 1) {
        add(facet, row);
      }
    } else if (failed.length === 1) {
      add(failed[0].at, row);
    }
  }
  return { shown, teamCents, counts: new Map(model.facets.map((facet, at) => [facet.id, counts[at]])) };
}

/** What the rows come to. */
function totals(model, shown) {
  const sum = {
    secrets: shown.length,
    cents: 0,
    unused: 0,
    unusedCents: 0,
    late: 0,
    drifted: 0,
    findings: {},
    secretsWith: {},
  };
  for (const severity of SEVERITIES) {
    sum.findings[severity] = 0;
    sum.secretsWith[severity] = 0;
  }
  for (const at of shown) {
    const { secret } = model.rows[at];
    sum.cents += secret.monthlyCents;
    sum.late += secret.rotation.state === "overdue" || secret.rotation.state === "stuck" ? 1 : 0;
    sum.drifted += secret.drifts.length > 0 ? 1 : 0;
    const severities = new Set();
    let unused = false;
    for (const { kind, severity } of secret.findings) {
      sum.findings[severity] += 1;
      severities.add(severity);
      unused ||= kind === "unused" || kind === "never-read";
    }
    for (const severity of severities) {
      sum.secretsWith[severity] += 1;
    }
    if (unused) {
      sum.unused += 1;
      sum.unusedCents += secret.monthlyCents * 12;
    }
  }
  return sum;
}
