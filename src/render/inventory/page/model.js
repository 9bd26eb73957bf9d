// The inventory as rows, what can be filtered by (facets), and what can be shown of a row (columns).

const SEVERITIES = ["high", "medium", "low", "info"];

const OWNERS = {
  project: "this project",
  "other-project": "another project",
  cloudformation: "CloudFormation",
  service: "an AWS service",
  primary: "its primary",
  tag: "nobody (a tag names one)",
  nobody: "nobody",
};

const EXPOSURES = {
  public: "public",
  "other-accounts": "other accounts",
  "same-account": "same account",
  none: "no policy",
  "not-read": "not read",
};

// Ranges of ages: their upper bounds in days, what they are called, and their mark below a chart.
const AGES = [
  [30, "up to 30 days", "30 d"],
  [90, "31 to 90 days", "90 d"],
  [180, "91 to 180 days", "180 d"],
  [365, "181 days to a year", "1 y"],
  [730, "1 to 2 years", "2 y"],
  [Infinity, "more than 2 years", "older"],
];

// Days that the calendar of rotations shows.
const CALENDAR_DAYS = 90;

function bucket(days, absent) {
  return Number.isNaN(days) ? absent : String(AGES.find(([limit]) => days <= limit)[0]);
}

function bucketLabel(value) {
  return AGES.find(([limit]) => String(limit) === value)?.[1];
}

function exposure(policy) {
  if (policy.state === "none") {
    return "none";
  }
  if (policy.state !== "document") {
    return "not-read";
  }
  if (policy.public) {
    return "public";
  }
  return policy.otherAccounts.length > 0 ? "other-accounts" : "same-account";
}

/** What the calendar shows of a rotation: a day, or a word. `next` is how many days the date is past. */
function due(rotation, next, now) {
  if (rotation.state !== "on") {
    return rotation.state;
  }
  if (Number.isNaN(next)) {
    return "no-date";
  }
  // Rotations are carried out within the day; one that is late by less than two is not overdue.
  return -next > CALENDAR_DAYS ? "later" : isoDay(Math.max(now, Date.parse(rotation.next)));
}

/** Puts empty lists where the document leaves out what is empty, and with each finding the checks of its kind, which
 * the document has once. */
function complete(secret, kinds) {
  for (const name of ["versions", "replicas", "links", "otherPolicies", "drifts", "findings"]) {
    secret[name] ??= [];
  }
  for (const name of ["words", "readers", "otherAccounts", "dangling"]) {
    secret.policy[name] ??= [];
  }
  secret.tags ??= {};
  secret.versions.forEach((version) => (version.labels ??= []));
  secret.drifts.forEach((drift) => (drift.hints ??= []));
  secret.findings.forEach((finding) => (finding.checks = kinds.get(finding.kind)?.checks ?? []));
}

function makeRow(secret, target, now) {
  const past = (text) => (text === undefined ? NaN : (now - Date.parse(text)) / DAY);
  const { findings, rotation } = secret;
  const next = past(rotation.next);
  return {
    secret,
    target,
    key: `${target.name} ${secret.arn}`,
    created: past(secret.created),
    changed: past(secret.changed),
    accessed: past(secret.lastAccessed),
    since: past(secret.valueSince),
    rotated: past(rotation.last),
    next,
    due: due(rotation, next, now),
    exposure: exposure(secret.policy),
    // One number in which a severe finding outweighs any number of lesser ones.
    weight: findings.reduce((sum, finding) => sum + 1000 ** (3 - SEVERITIES.indexOf(finding.severity)), 0),
  };
}

// What can be filtered by. The value "" stands for none, and `none` is what that is called. Those without a label are
// set in the charts only.
const FACETS = [
  { id: "target", label: "Target", of: (row) => [row.target.name] },
  { id: "owner", label: "Owner", of: (row) => [row.secret.owner.kind], say: (value) => OWNERS[value] },
  { id: "team", label: "Team", of: (row) => [row.secret.team ?? ""], none: "no team" },
  { id: "severity", label: "Severity", of: (row) => distinct(row.secret.findings, "severity"), none: "no finding" },
  { id: "finding", label: "Finding", of: (row) => distinct(row.secret.findings, "kind"), none: "no finding" },
  { id: "drift", label: "Drift", of: (row) => distinct(row.secret.drifts, "class"), none: "no drift" },
  { id: "rotation", label: "Rotation", of: (row) => [row.secret.rotation.state] },
  { id: "key", label: "Key", of: (row) => [row.secret.kmsKeyId ?? ""], none: "aws/secretsmanager (the default)" },
  { id: "policy", label: "Policy", of: (row) => [row.exposure], say: (value) => EXPOSURES[value] },
  {
    id: "scope",
    label: "Scope",
    of: (row) => [row.secret.inScope ? "in" : "out"],
    say: (value) => (value === "in" ? "in scope" : "outside the scope"),
  },
  { id: "age", chart: "Age of value", of: (row) => [bucket(row.since, "")], say: bucketLabel, none: "not known" },
  {
    id: "access",
    chart: "Last read",
    of: (row) => [bucket(row.accessed, "")],
    say: bucketLabel,
    none: "no read known",
  },
  { id: "due", chart: "Next rotation", of: (row) => [row.due], say: (value) => value.replace("no-date", "no date") },
];

function distinct(findings, member) {
  const values = [...new Set(findings.map((finding) => finding[member]))];
  return values.length > 0 ? values : [""];
}

function facetOf(id) {
  return FACETS.find((facet) => facet.id === id);
}

function facetWord(facet, value) {
  return value === "" ? (facet.none ?? "none") : (facet.say?.(value) ?? value);
}

/** Everything of the document that the page asks for often. */
class Model {
  constructor(inventory) {
    this.inventory = inventory;
    this.now = Date.parse(inventory.started);
    const kinds = new Map(inventory.kinds.map((kind) => [kind.kind, kind]));
    inventory.targets.forEach((target) => target.secrets.forEach((secret) => complete(secret, kinds)));
    this.rows = inventory.targets.flatMap((target) => target.secrets.map((s) => makeRow(s, target, this.now)));
    this.facets = FACETS.map((facet) => this.encode(facet));
    this.texts = new Array(this.rows.length);
    this.orders = new Map();
  }

  /** The values of a facet, and for each row the numbers of its own. */
  encode(facet) {
    const numbers = new Map();
    const numberOf = (value) => {
      if (!numbers.has(value)) {
        numbers.set(value, numbers.size);
      }
      return numbers.get(value);
    };
    const codes = this.rows.map((row) => {
      const values = facet.of(row);
      return values.length === 1 ? numberOf(values[0]) : values.map(numberOf);
    });
    return { ...facet, values: [...numbers.keys()], numbers, codes };
  }

  /** What is searched of a row: everything that can be shown in a cell, in small letters. */
  text(at) {
    return (this.texts[at] ??= searchable(this.rows[at]));
  }

  /** The rows in the order of a column. What is not known comes last, whichever way. */
  order(column, down) {
    const name = `${down ? "-" : ""}${column.id}`;
    if (!this.orders.has(name)) {
      const keys = this.rows.map((row) => column.sort(row));
      const sign = down ? -1 : 1;
      const order = Uint32Array.from(keys.keys()).sort((a, b) => {
        const [x, y] = [keys[a], keys[b]];
        if (x === y) {
          return a - b;
        }
        // NaN, and no text, are neither less nor greater.
        const [noX, noY] = [x !== x || x === "", y !== y || y === ""];
        if (noX || noY) {
          return noX && noY ? a - b : noX ? 1 : -1;
        }
        return x < y ? -sign : sign;
      });
      this.orders.set(name, order);
    }
    return this.orders.get(name);
  }
}

function searchable({ secret, target, exposure }) {
  const { owner, rotation, manifest } = secret;
  const parts = [
    [secret.name, secret.arn, secret.description, target.name, target.account, target.region, secret.team],
    [owner.name, OWNERS[owner.kind], secret.kmsKeyId ?? "aws/secretsmanager", secret.secretType, rotation.state],
    [EXPOSURES[exposure], manifest?.file, secret.error, rotation.schedule, rotation.by],
    Object.entries(secret.tags).map(([key, value]) => `${key}=${value}`),
    secret.findings.flatMap(({ kind, severity, message, checks }) => [
      kind,
      severity,
      message,
      ...checks.map((check) => `${check.tool} ${check.id}`),
    ]),
    secret.versions.flatMap(({ id, labels }) => [id, ...labels]),
    secret.drifts.flatMap((drift) => [drift.class, drift.message, ...drift.hints]),
    secret.replicas.flatMap(({ region, status, message }) => [region, status, message]),
    secret.links.flatMap(({ arn, status, message }) => [arn, status, message]),
    secret.policy.words,
    secret.policy.otherAccounts,
    secret.policy.dangling,
    secret.otherPolicies,
  ];
  return parts.flat().filter(Boolean).join("\n").toLowerCase();
}

function badge(text, tone, title) {
  return el("span", { class: `badge ${tone}`, title }, text);
}

/** One badge for each severity that a secret has findings of. */
function severityBadges(secret) {
  return SEVERITIES.flatMap((severity) => {
    const found = secret.findings.filter((finding) => finding.severity === severity);
    const kinds = [...new Set(found.map((finding) => finding.kind))].join(", ");
    return found.length > 0 ? [badge(`${found.length} ${severity}`, severity, kinds)] : [];
  });
}

const ROTATION_TONES = { on: "good", off: "faint", overdue: "high", stuck: "high" };
const EXPOSURE_TONES = {
  public: "high",
  "other-accounts": "medium",
  "same-account": "good",
  none: "faint",
  "not-read": "faint",
};

function ownerText({ owner: { kind, name } }) {
  const beside = { cloudformation: " (CloudFormation)", tag: " (tag)" }[kind] ?? "";
  return name === undefined ? (OWNERS[kind] ?? kind) : `${name}${beside}`;
}

function tagsText(secret) {
  return Object.entries(secret.tags)
    .map(([key, value]) => `${key}=${value}`)
    .join(", ");
}

function replicaText({ replicas, hasUnreadReplicas, replicaOf, links }) {
  const parts = replicas.map(({ region, status }) => (status === "InSync" ? region : `${region} ${status}`));
  parts.push(...links.map((link) => `${link.other} ${link.target ?? link.arn.split(":")[4] ?? ""} ${link.status}`));
  if (hasUnreadReplicas) {
    parts.push("some, not read");
  }
  return [...(replicaOf ? [`replica of ${replicaOf}`] : []), ...parts].join(", ");
}

function small(text) {
  return (text ?? "").toLowerCase();
}

function placeText(manifest) {
  return manifest ? `${manifest.file}:${manifest.line}` : "";
}

// What a row shows: `text` is also what CSV has, `cell` is drawn in its place where there is one, `sort` is a number or
// text in small letters. `tone` marks what is beyond a threshold.
const COLUMNS = [
  { id: "name", label: "Name", width: 0, text: (row) => row.secret.name, sort: (row) => small(row.secret.name) },
  { id: "target", label: "Target", width: 110, text: (row) => row.target.name, sort: (row) => small(row.target.name) },
  {
    id: "owner",
    label: "Owner",
    width: 150,
    text: (row) => ownerText(row.secret),
    sort: (row) => small(ownerText(row.secret)),
  },
  {
    id: "team",
    label: "Team",
    width: 110,
    text: (row) => row.secret.team ?? "",
    sort: (row) => small(row.secret.team),
  },
  {
    id: "findings",
    label: "Findings",
    width: 216,
    text: (row) => row.secret.findings.map((finding) => `${finding.severity}: ${finding.kind}`).join("; "),
    cell: (row) => severityBadges(row.secret),
    sort: (row) => row.weight,
    worstFirst: true,
  },
  dated("age", "Value age", "valueSince", "since", (days, limits) => days > limits.valueAgeDays),
  dated("accessed", "Last read", "lastAccessed", "accessed", (days, limits) => days > limits.unusedDays),
  {
    id: "rotation",
    label: "Rotation",
    width: 92,
    text: (row) => row.secret.rotation.state,
    cell: (row) => badge(row.secret.rotation.state, ROTATION_TONES[row.secret.rotation.state] ?? "faint"),
    sort: (row) => row.secret.rotation.state,
  },
  {
    ...dated("next", "Next rotation", "", "next"),
    text: (row) => row.secret.rotation.next ?? "",
    title: (row) => row.secret.rotation.next && moment(row.secret.rotation.next),
    cell: (row) => (Number.isNaN(row.next) ? "–" : distance(row.next)),
    sort: (row) => -row.next,
  },
  {
    id: "policy",
    label: "Policy",
    width: 132,
    text: (row) => EXPOSURES[row.exposure],
    cell: (row) => badge(EXPOSURES[row.exposure], EXPOSURE_TONES[row.exposure]),
    sort: (row) => Object.keys(EXPOSURES).indexOf(row.exposure),
  },
  {
    id: "cost",
    label: "Cost a month",
    width: 108,
    number: true,
    text: (row) => (row.secret.monthlyCents / 100).toFixed(2),
    cell: (row) => money(row.secret.monthlyCents),
    sort: (row) => row.secret.monthlyCents,
  },
  {
    id: "description",
    label: "Description",
    width: 240,
    text: (row) => row.secret.description ?? "",
    sort: (row) => small(row.secret.description),
  },
  {
    id: "tags",
    label: "Tags",
    width: 240,
    text: (row) => tagsText(row.secret),
    sort: (row) => small(tagsText(row.secret)),
  },
  {
    id: "key",
    label: "Key",
    width: 180,
    text: (row) => row.secret.kmsKeyId ?? "aws/secretsmanager",
    sort: (row) => small(row.secret.kmsKeyId ?? "aws/secretsmanager"),
  },
  {
    id: "drift",
    label: "Drift",
    width: 150,
    text: (row) => distinct(row.secret.drifts, "class").join(", "),
    sort: (row) => distinct(row.secret.drifts, "class").join(),
  },
  dated("created", "Created", "created", "created"),
  dated("changed", "Changed", "changed", "changed"),
  {
    ...dated("rotated", "Rotated", "", "rotated"),
    text: (row) => row.secret.rotation.last ?? "",
    title: (row) => row.secret.rotation.last && moment(row.secret.rotation.last),
  },
  {
    id: "versions",
    label: "Versions",
    width: 84,
    number: true,
    text: (row) => String(row.secret.versions.length),
    sort: (row) => row.secret.versions.length,
  },
  {
    id: "replicas",
    label: "Replicas",
    width: 190,
    text: (row) => replicaText(row.secret),
    sort: (row) => small(replicaText(row.secret)),
  },
  {
    id: "readers",
    label: "Readers by policy",
    width: 220,
    text: (row) => row.secret.policy.readers.join(", "),
    sort: (row) => small(row.secret.policy.readers.join(", ")),
  },
  {
    id: "deletion",
    label: "Deletion",
    width: 130,
    text: (row) => row.secret.deletion?.scheduled ?? "",
    cell: (row) => (row.secret.deletion ? badge("scheduled", "high", moment(row.secret.deletion.scheduled)) : ""),
    sort: (row) => row.secret.deletion?.scheduled ?? "",
  },
  {
    id: "scope",
    label: "In scope",
    width: 84,
    text: (row) => (row.secret.inScope ? "yes" : "no"),
    sort: (row) => Number(!row.secret.inScope),
  },
  {
    id: "account",
    label: "Account",
    width: 120,
    text: (row) => row.target.account ?? "",
    sort: (row) => row.target.account ?? "",
  },
  { id: "region", label: "Region", width: 120, text: (row) => row.target.region, sort: (row) => row.target.region },
  {
    id: "manifest",
    label: "Manifest",
    width: 220,
    text: (row) => placeText(row.secret.manifest),
    sort: (row) => small(placeText(row.secret.manifest)),
  },
];

const DEFAULT_COLUMNS = [
  "name",
  "target",
  "owner",
  "team",
  "findings",
  "age",
  "accessed",
  "rotation",
  "policy",
  "cost",
];

/** A column of dates: shown as a distance, the date itself on demand and in CSV. */
function dated(id, label, member, days, isBeyond = () => false) {
  return {
    id,
    label,
    width: 100,
    number: true,
    text: (row) => row.secret[member] ?? "",
    title: (row) => (row.secret[member] === undefined ? "not known" : moment(row.secret[member])),
    cell: (row) => (Number.isNaN(row[days]) ? "–" : distance(row[days]).replace(" ago", "")),
    sort: (row) => row[days],
    tone: (row, limits) => (isBeyond(row[days], limits) ? "beyond" : ""),
  };
}

function columnOf(id) {
  return COLUMNS.find((column) => column.id === id);
}
