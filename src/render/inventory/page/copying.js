// What is copied: the `--select` that names what is shown, and the table as CSV.

// More names than this are a list for a file and no command.
const MOST_NAMES = 200;

/** A word for a POSIX shell. */
function shellWord(text) {
  return /^[A-Za-z0-9_./][A-Za-z0-9_./+=@:,-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A name as a glob that fits it alone: signs that mean something in a glob stand in a class of their own. */
function nameAsGlob(name) {
  return name.replace(/[*?[\]{}\\]/g, "[$&]");
}

function flag(name, value) {
  return value.startsWith("-") ? `--${name}=${shellWord(value)}` : `--${name} ${shellWord(value)}`;
}

/** Globs that fit exactly the chosen names among all: a folder of which everything is chosen is one glob. */
function globsFor(names, others) {
  const folders = (name) => [...name.matchAll(/[/]/g)].map((slash) => name.slice(0, slash.index + 1));
  const blocked = new Set(others.flatMap(folders));
  const sizes = new Map();
  for (const folder of names.flatMap(folders)) {
    sizes.set(folder, (sizes.get(folder) ?? 0) + 1);
  }
  const whole = (name) => folders(name).find((folder) => !blocked.has(folder) && sizes.get(folder) > 1);
  return [...new Set(names.map((name) => (whole(name) ? `${nameAsGlob(whole(name))}*` : nameAsGlob(name))))];
}

/** What selects the rows that are shown: flags for targets, names, globs, and what has to be said of it. */
function selection(model, choice, shown) {
  const rows = shown.map((at) => model.rows[at]);
  const writable = rows.filter((row) => isVisible(row.secret.name));
  const holding = new Set(writable.map((row) => row.target.name));
  const all = model.inventory.targets.map((target) => target.name);
  const targets = all.filter((name) => holding.has(name));
  const fixed = targets.length < all.length || choice.filters.get("target")?.size > 0;
  const names = new Set(writable.map((row) => row.secret.name));
  const chosen = new Set(rows);
  const beside = model.rows.filter((row) => targets.includes(row.target.name) && !chosen.has(row));
  const alike = beside.filter((row) => names.has(row.secret.name)).length;
  const others = beside.map((row) => row.secret.name).filter((name) => !names.has(name));
  const notes = [];
  if (rows.length > writable.length) {
    notes.push(`${count(rows.length - writable.length, "name")} with control or hidden characters left out.`);
  }
  if (alike > 0) {
    notes.push(
      `It also selects ${count(alike, "secret")} of the same name that ${alike === 1 ? "is" : "are"} not shown.`,
    );
  }
  return {
    targets: fixed ? targets.map((target) => flag("target", target)) : [],
    names: [...names],
    globs: globsFor([...names], others),
    notes,
  };
}

function selectFlags({ targets }, patterns) {
  return [...targets, ...patterns.map((pattern) => flag("select", pattern))].join(" ");
}

/** Copies the flags, or offers them where they are too many for a command. */
async function copySelect(model, choice, shown) {
  const made = selection(model, choice, shown);
  if (made.names.length === 0) {
    toast("Nothing is shown that could be selected");
    return;
  }
  const show = () => showSelect(made);
  if (made.names.length > MOST_NAMES) {
    show();
  } else if (await toClipboard(selectFlags(made, made.names.map(nameAsGlob)))) {
    toast([`Copied --select for ${count(made.names.length, "name")}.`, ...made.notes].join(" "), button("Show", show));
  } else {
    show();
  }
}

/** A dialog with the flags: by name, by folder, or the bare names. */
function showSelect(made) {
  const folders = "Folders of which everything is shown are one glob; it also fits what will be there later.";
  const forms = [];
  if (made.names.length <= MOST_NAMES) {
    forms.push({
      label: `${count(made.names.length, "name")}`,
      text: selectFlags(made, made.names.map(nameAsGlob)),
      note: "",
    });
  }
  if (made.globs.length < made.names.length && made.globs.length <= MOST_NAMES) {
    forms.push({ label: `${count(made.globs.length, "glob")}`, text: selectFlags(made, made.globs), note: folders });
  }
  const long =
    made.names.length > MOST_NAMES
      ? `Too many for one command: ${count(made.names.length, "name")}, one a line.`
      : "One a line.";
  forms.push({ label: "list of names", text: `${made.names.join("\n")}\n`, note: long, file: "names.txt" });
  showText(`Select ${count(made.names.length, "name")}`, forms, made.notes);
}

/** A dialog with text in one of several forms, to be copied or saved. */
function showText(title, forms, notes) {
  const area = el("textarea", { readonly: true, rows: 12, spellcheck: "false", "aria-label": title });
  const note = el("p", { class: "faint" });
  const tabs = el("div", { class: "tabs", role: "group", "aria-label": "Form" });
  const save = button("Save as a file", () => saveText(area.value, "names.txt"));
  const choose = (form) => {
    area.value = form.text;
    refill(note, [form.note, ...notes].filter(Boolean).join(" "));
    save.hidden = !form.file;
    for (const tab of tabs.children) {
      tab.setAttribute("aria-pressed", String(tab.textContent === form.label));
    }
  };
  append(
    tabs,
    forms.map((form) => button(form.label, () => choose(form), { class: "small" })),
  );
  const copy = button(
    "Copy",
    async () => toast((await toClipboard(area.value)) ? "Copied" : "The browser does not let this page copy"),
    { class: "main" },
  );
  const dialog = el(
    "dialog",
    { "aria-labelledby": "dialog-title" },
    el("h2", { id: "dialog-title" }, title),
    tabs,
    area,
    note,
    el(
      "div",
      { class: "row" },
      copy,
      save,
      el("span", { class: "grow" }),
      button("Close", () => dialog.close()),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  choose(forms[0]);
  document.body.append(dialog);
  dialog.showModal();
  area.select();
}

/** Hands text to the browser as a file. */
function saveText(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A cell of CSV. Text that a spreadsheet would take for a formula begins with an apostrophe. */
function csvCell(text) {
  const harmless = visible(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
  return /[",]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** What is shown, with the columns that are shown. */
function csv(model, choice, shown) {
  const columns = choice.columns.map(columnOf);
  const lines = [columns.map((column) => csvCell(column.label))];
  for (const at of shown) {
    lines.push(columns.map((column) => csvCell(column.text(model.rows[at]))));
  }
  return lines.map((cells) => `${cells.join(",")}\r\n`).join("");
}

async function copyCsv(model, choice, shown) {
  const text = csv(model, choice, shown);
  if (await toClipboard(text)) {
    toast(`Copied ${count(shown.length, "row")} as CSV`);
  } else {
    showText(`${count(shown.length, "row")} as CSV`, [{ label: "CSV", text }], []);
  }
}
