// Everything that the document says of one secret.

class Panel {
  /** `close()` closes it, `step(by)` goes to another row. */
  constructor({ close, step }) {
    this.title = el("h2", { id: "panel-title", tabindex: -1 });
    this.where = el("p", { class: "where" });
    this.body = el("div", { class: "panel-body" });
    this.element = el(
      "div",
      { class: "panel", role: "dialog", "aria-labelledby": "panel-title", hidden: true },
      el(
        "div",
        { class: "panel-bar" },
        button("↑", () => step(-1), { "aria-label": "Previous secret", title: "Previous secret" }),
        button("↓", () => step(1), { "aria-label": "Next secret", title: "Next secret" }),
        el("span", { class: "grow" }),
        button("Close", close, { title: "Close (Esc)" }),
      ),
      this.title,
      this.where,
      this.body,
    );
  }

  get isOpen() {
    return !this.element.hidden;
  }

  show(row, model) {
    const { secret, target } = row;
    const { inventory } = model;
    const place = [target.name, target.account ?? "account not checked", target.region, target.endpoint];
    refill(this.title, secret.name);
    refill(this.where, place.filter(Boolean).join(" · "));
    refill(
      this.body,
      this.badges(row),
      secret.error && el("p", { class: "banner high" }, `It could not be read whole: ${secret.error}`),
      section("Drift", this.drift(secret)),
      section("Findings", this.findings(secret)),
      section("Facts", this.facts(row)),
      section("Versions", this.versions(row, model)),
      section("Rotation", this.rotation(row)),
      section("Replicas and links", this.replicas(secret)),
      section("Policy", this.policy(secret, inventory)),
      section("Tags", this.tags(secret)),
    );
    this.element.hidden = false;
    this.element.scrollTop = 0;
  }

  hide() {
    this.element.hidden = true;
    this.body.replaceChildren();
  }

  badges(row) {
    const { secret } = row;
    const { state } = secret.rotation;
    return el(
      "p",
      { class: "badges" },
      severityBadges(secret),
      badge(`rotation ${state}`, ROTATION_TONES[state] ?? "faint"),
      badge(
        EXPOSURES[row.exposure] === "not read" ? "policy not read" : EXPOSURES[row.exposure],
        EXPOSURE_TONES[row.exposure],
      ),
      secret.deletion && badge("scheduled for deletion", "high"),
      !secret.inScope && badge("outside the scope", "faint"),
      secret.replicaOf && badge(`replica of ${secret.replicaOf}`, "move"),
    );
  }

  drift(secret) {
    return secret.drifts.map((drift) =>
      el(
        "div",
        { class: "finding medium" },
        el("p", {}, el("b", {}, drift.class), drift.since && ` since ${moment(drift.since)}`),
        el("p", {}, withCommands(drift.message)),
        whoLines(drift.who),
        drift.hints.map((hint) => el("p", { class: "faint" }, hint)),
        drift.help && el("p", { class: "faint" }, withCommands(drift.help)),
      ),
    );
  }

  findings({ findings }) {
    return findings.map(({ kind, severity, message, checks, fix, who }) =>
      el(
        "div",
        { class: `finding ${severity}` },
        el("p", {}, el("b", {}, kind), " ", badge(severity, severity)),
        el("p", {}, withCommands(message)),
        whoLines(who),
        checks.length > 0 &&
          el(
            "p",
            { class: "checks" },
            checks.map(({ tool, id }) => el("span", {}, el("i", {}, tool), " ", id)),
          ),
        fix && el("div", { class: "fix" }, el("p", {}, preformatted(fix, withCommands)), copyButton(fix, "the fix")),
      ),
    );
  }

  facts(row) {
    const { secret } = row;
    const { manifest, deletion } = secret;
    const when = (text, days, absent) => (text === undefined ? absent : `${moment(text)} (${distance(days)})`);
    return list([
      ["Description", secret.description],
      ["ARN", el("span", { class: "with-copy" }, el("code", {}, secret.arn), copyButton(secret.arn, "the ARN"))],
      [
        "Manifest",
        manifest &&
          el(
            "span",
            { class: "with-copy" },
            el("code", {}, `${manifest.file}:${manifest.line}:${manifest.column}`),
            copyButton(`${manifest.file}:${manifest.line}`, "the manifest's line"),
          ),
      ],
      [
        "Managed by",
        `${OWNERS[secret.owner.kind] ?? secret.owner.kind}${secret.owner.name ? `: ${secret.owner.name}` : ""}`,
      ],
      ["Team", secret.team ?? "none"],
      ["Type", secret.secretType],
      ["Key", secret.kmsKeyId ?? "aws/secretsmanager (the account's default)"],
      ["Created", when(secret.created, row.created, "not known")],
      ["Changed", when(secret.changed, row.changed, "not known")],
      ["Value since", when(secret.valueSince, row.since, "not known")],
      ["Last read", secret.lastAccessed === undefined ? "no read is known" : when(secret.lastAccessed, row.accessed)],
      ["Deletion", deletion && deletionText(deletion)],
      ["Cost", `${money(secret.monthlyCents)} a month by the list price (${count(secret.billed, "secret")} billed)`],
    ]);
  }

  versions({ secret }, model) {
    const { versions } = secret;
    if (versions.length === 0) {
      return [el("p", { class: "faint" }, "No version is known.")];
    }
    const dated = versions.filter((version) => !Number.isNaN(Date.parse(version.created)));
    const note =
      !model.inventory.audited && "Without --audit only versions with a label are listed, and without their dates.";
    return [
      dated.length > 0 ? timeline(dated, model.now) : el("p", { class: "faint" }, "Dates of versions were not read."),
      grid(
        ["Labels", "Version", "Created", "Last read"],
        versions.map(({ id, labels, created, lastAccessed }) => [
          labels.length > 0
            ? labels.map((label) => badge(label, LABEL_TONES[label] ?? "move"))
            : el("span", { class: "faint" }, "deprecated"),
          el("code", {}, id),
          el("span", { class: "nowrap" }, created ? moment(created) : "–"),
          el("span", { class: "nowrap" }, lastAccessed ? moment(lastAccessed) : "–"),
        ]),
      ),
      note && el("p", { class: "faint" }, note),
    ];
  }

  rotation({ secret, rotated, next }) {
    const { state, schedule, by, last, next: date } = secret.rotation;
    const words = {
      off: "off",
      on: "on",
      overdue: "overdue: the date passed more than two days ago",
      stuck: "stuck: AWSPENDING is on another version than AWSCURRENT",
    };
    return list([
      ["State", words[state] ?? state],
      ["Schedule", schedule],
      ["By", by && el("code", {}, by)],
      ["Last", last ? `${moment(last)} (${distance(rotated)})` : state !== "off" && "never, or not known"],
      ["Next", date && `by ${moment(date)} (${distance(next)})`],
    ]);
  }

  replicas({ replicaOf, replicas, links, hasUnreadReplicas }) {
    return [
      replicaOf && el("p", {}, `This is a replica; its primary is in ${replicaOf}.`),
      replicas.length > 0 &&
        grid(
          ["Region", "State", ""],
          replicas.map(({ region, status, message }) => [
            region,
            badge(status, STATUS_TONES[status] ?? "medium"),
            message ?? "",
          ]),
        ),
      hasUnreadReplicas &&
        el("p", { class: "faint" }, "It has replicas that were not read: --audit reads where they are."),
      links.length > 0 &&
        grid(
          ["Other account", "State", ""],
          links.map(({ other, arn, target, status, message }) => [
            [`${other}${target ? ` in ${target}` : ""} `, el("code", {}, arn)],
            badge(status, STATUS_TONES[status] ?? "medium"),
            message ?? "",
          ]),
        ),
    ].filter(Boolean);
  }

  policy({ policy, otherPolicies }, { audited }) {
    const states = {
      "not-read": `It was not read.${audited ? "" : " Policies are read with --audit."}`,
      none: "It has no resource policy.",
      "not-readable": "It cannot be read: the secret is scheduled for deletion.",
      "not-json": "It is no JSON, and was not understood.",
    };
    const names = (values) =>
      values.length > 0 &&
      el(
        "ul",
        { class: "names" },
        values.map((value) => el("li", {}, el("code", {}, value))),
      );
    return [
      states[policy.state] && el("p", { class: "faint" }, states[policy.state]),
      policy.public && el("p", { class: "banner high" }, "It gives broad access, by the rules of BlockPublicPolicy."),
      policy.words.length > 0 &&
        el(
          "ul",
          { class: "words" },
          policy.words.map((words) => el("li", {}, withCommands(words))),
        ),
      list([
        ["May read", names(policy.readers)],
        ["Other accounts", names(policy.otherAccounts)],
        ["Deleted principals", names(policy.dangling)],
        ["Further policies", names(otherPolicies)],
      ]),
      policy.document !== undefined &&
        el(
          "details",
          {},
          el("summary", {}, "The document"),
          el("pre", {}, preformatted(JSON.stringify(policy.document, null, 2))),
          copyButton(JSON.stringify(policy.document, null, 2), "the policy"),
        ),
    ].filter(Boolean);
  }

  tags({ tags }) {
    const entries = Object.entries(tags);
    return entries.length > 0 ? grid(["Key", "Value"], entries) : [el("p", { class: "faint" }, "None.")];
  }
}

const STATUS_TONES = { InSync: "good", InProgress: "medium", Failed: "high" };
const LABEL_TONES = { AWSCURRENT: "good", AWSPENDING: "medium", AWSPREVIOUS: "faint" };

function section(title, content) {
  const filled = [content].flat().filter(Boolean);
  return filled.length > 0 && el("section", {}, el("h3", {}, title), filled);
}

/** Names and what belongs to them; those that have nothing are left out. */
function list(entries) {
  const there = entries.filter(
    ([, content]) => content !== undefined && content !== false && content !== null && content !== "",
  );
  return (
    there.length > 0 &&
    el(
      "dl",
      {},
      there.map(([name, content]) => [el("dt", {}, name), el("dd", {}, content)]),
    )
  );
}

function grid(heads, rows) {
  return el(
    "div",
    { class: "wide" },
    el(
      "table",
      { class: "plain" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          heads.map((head) => el("th", { scope: "col" }, head)),
        ),
      ),
      el(
        "tbody",
        {},
        rows.map((cells) =>
          el(
            "tr",
            {},
            cells.map((cell) => el("td", {}, cell)),
          ),
        ),
      ),
    ),
  );
}

/** Lines that stay lines; all else becomes visible. */
function preformatted(text, say = (line) => line) {
  return text.split("\n").map((line, at) => [at > 0 && document.createTextNode("\n"), say(line)]);
}

/** Versions as points on a line from the oldest to the time of the inventory. */
function timeline(versions, now) {
  const [width, y, left, right] = [480, 42, 10, 470];
  const times = versions.map((version) => Date.parse(version.created));
  const first = Math.min(...times);
  const reach = Math.max(now - first, DAY);
  const x = (time) => left + ((time - first) / reach) * (right - left);
  const words = versions.map(({ labels, created }) => `${labels.join(", ") || "deprecated"} of ${moment(created)}`);
  let end = -Infinity;
  const marks = versions
    .map(({ labels }, at) => ({ labels, at, x: x(times[at]) }))
    .sort((a, b) => a.x - b.x)
    .map(({ labels, at, x: middle }) => {
      const main = labels.find((label) => LABEL_TONES[label]) ?? labels[0];
      const point = svg(
        "circle",
        { class: `point ${main ? (LABEL_TONES[main] ?? "move") : "old"}`, cx: middle, cy: y, r: main ? 6 : 4 },
        svg("title", {}, words[at]),
      );
      const text = cut(main ?? "", 24);
      const half = text.length * 3.9;
      const place = Math.min(Math.max(middle, left + half), right - half);
      // A label that would lie over the one before goes below the line.
      const below = place - half < end;
      end = below ? end : place + half + 6;
      return [point, text && svg("text", { class: "label", x: place, y: below ? y + 21 : y - 13 }, text)];
    });
  return svg(
    "svg",
    {
      class: "timeline",
      viewBox: `0 0 ${width} 84`,
      role: "img",
      "aria-label": `Versions, the newest first: ${words.join("; ")}`,
    },
    svg("line", { class: "axis", x1: left, y1: y, x2: right, y2: y }),
    svg("text", { class: "label start", x: left, y: 80 }, isoDay(first)),
    svg("text", { class: "label end", x: right, y: 80 }, isoDay(now)),
    marks,
  );
}

/** AWS does not tell the recovery window: it is known within bounds. */
function deletionText({ scheduled, restorableUntil, goneBy }) {
  const [least, most] = [restorableUntil, goneBy].map(moment);
  return `scheduled on ${moment(scheduled)}; can be restored until ${least} for certain, and is gone by ${most}`;
}

/** Who did it, as far as CloudTrail knows; nothing where nobody was looked for. */
function whoLines(who) {
  if (who === undefined) {
    return [];
  }
  const lines = who.events.map(({ by, eventName, time, source, userAgent, eventId, isOwn }) =>
    [
      `${by}${isOwn ? " (the user or role of this run)" : ""}, ${eventName}, ${moment(time)}`,
      source && `from ${source}`,
      userAgent && `with ${userAgent}`,
      `event ${eventId}`,
    ]
      .filter(Boolean)
      .join(", "),
  );
  if (who.more > 0) {
    lines.push(`and ${who.more} more before`);
  }
  if (lines.length === 0) {
    lines.push(who.complete ? "nobody was found in CloudTrail" : "nobody was found before the budget was used up");
  }
  return lines.map((line) => el("p", { class: "faint" }, `Who: ${line}`));
}
