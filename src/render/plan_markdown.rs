//! A plan as Markdown, made for a comment on a pull request.
//!
//! It begins with a marker, an HTML comment, by which a workflow finds its own comment again, and it stays below the
//! size that GitHub takes. What is live or written by people stands in code spans and code blocks, which is the only
//! place where GitHub reads neither mentions nor references.

use super::entry::{Entry, entries};
use super::escape::{self, Escaped, Markdown, Terminal};
use super::finding::fold_unread;
use super::finding::{finding_help, finding_text};
use super::graph::{Graph, mermaid};
use super::paint::Paint;
use super::plan_text::Extent;
use super::plan_view::{PlanView, PlannedView, TargetView};
use super::rehearsal;
use super::rows::{Row, Tone, place, refusal};
use super::{awaiting, escaped, plan_text, rows, words};
use crate::origin::Origin;
use crate::plan::{Finding, Severity};
use crate::rehearse::Rehearsed;

/// The most bytes of a document. GitHub takes 65,536 characters in a comment; the rest is left for what a workflow
/// adds.
pub const MAX_BYTES: usize = 60_000;

/// Kept free for the sentence that says what was left out.
const TAIL: usize = 600;

/// Kept free for closing what was opened.
const FOOT: usize = 160;

/// A plan of up to this many secrets is shown unfolded.
const UNFOLDED: usize = 10;

/// Graphs with more nodes are hard to read in a comment.
const GRAPH_NODES: usize = 30;

/// Notes that are listed; further ones are counted.
const LISTED_NOTES: usize = 10;

/// Secrets of one entry that are named; further ones are counted.
const NAMED_SECRETS: usize = 100;

/// Width of the column that names a field.
const FIELD: usize = 12;

/// The plans of a project as one comment.
pub fn markdown(view: &PlanView<'_>, extent: Extent) -> Escaped<Markdown> {
    let project = escape::code(view.project);
    let mut page = Page::default();
    page.out.push(&escaped!("<!-- keywright:plan {} -->\n", escape::marker(view.project)));
    page.out.push(&escaped!("## keywright plan of {}: {}\n", project, view.headline()));
    if let Some(cost) = view.cost().filter(|_| !extent.no_cost) {
        page.out.push(&escaped!("\n{}\n", words::cost::<Markdown>(&cost)));
    }
    page.limit = MAX_BYTES / 3;
    page.targets(view);
    page.limit = MAX_BYTES * 2 / 3;
    page.troubles(view);
    page.limit = MAX_BYTES - TAIL;
    page.entries(view, extent);
    page.notes(view);
    page.who(view);
    page.graphs(view);
    page.awaiting(view);
    page.tail(view);
    page.out
}

/// What is written so far, and what had to be left out.
#[derive(Default)]
struct Page {
    out: Escaped<Markdown>,
    /// How far the present part may go: each leaves room for those behind it.
    limit: usize,
    targets_left_out: usize,
    secrets_left_out: usize,
    findings_left_out: usize,
}

impl Page {
    /// Adds a block when there is room for it.
    fn add(&mut self, block: &Escaped<Markdown>) -> bool {
        let fits = self.out.len() + block.len() + FOOT <= self.limit;
        if fits {
            self.out.push(block);
        }
        fits
    }

    /// Where it runs, and what is to be done there.
    fn targets(&mut self, view: &PlanView<'_>) {
        self.out.push(&"\n");
        for targets in view.folded() {
            let several = targets.len();
            let Some(first) = targets.first() else { continue };
            let place = if several == 1 {
                place_of(first)
            } else {
                let names = targets.iter().map(|target| escape::code(target.name));
                escaped!("{} targets, {}", several, Escaped::join(names, ", "))
            };
            let says: Escaped<Markdown> = match &first.planned {
                Ok(PlannedView { plan, report, .. }) => {
                    escape::markdown(&plan_text::summary(Paint::new(false), plan, report))
                }
                Err(error) => escaped!("**NOT PLANNED**: {}", escape::markdown(error)),
            };
            if !self.add(&escaped!("- {}: {}\n", place, says)) {
                self.targets_left_out += several;
            }
        }
    }

    /// What keeps a plan from being applied, and what should be looked at before.
    fn troubles(&mut self, view: &PlanView<'_>) {
        for (target, planned) in view.each_planned() {
            let of = within(view, target.name);
            for item in planned.refusals {
                let (text, help) = refusal(item);
                let (text, help) = (escape::markdown(&text), escape::markdown(&help));
                self.finding(&escaped!("\n- **refused**{}: {}\n  <br>{}\n", of, text, help));
            }
        }
        for (target, planned) in view.each_planned() {
            if let Some(rehearsed) = planned.rehearsed {
                self.finding(&rehearsal_item(planned, rehearsed, within(view, target.name).as_ref()));
            }
        }
        for severity in [Severity::Error, Severity::Warning] {
            for (target, planned) in view.each_planned() {
                let (found, _) = fold_unread(&planned.report.findings);
                self.findings(&found, severity, usize::MAX, within(view, target.name).as_ref());
            }
        }
    }

    /// What changes; what is lost is never folded, and many other changes are.
    fn entries(&mut self, view: &PlanView<'_>, extent: Extent) {
        let entries = entries(view.each_planned().map(|(_, planned)| planned.plan), extent.full);
        let mut folding = false;
        let mut left_out = 0;
        let others = entries.iter().filter(|entry| !entry.loses()).count();
        for entry in &entries {
            if !folding && !entry.loses() && others > UNFOLDED {
                let head = escaped!("\n<details>\n<summary>{}</summary>\n", words::count(others, "further change"));
                folding = self.add(&head);
            }
            if left_out > 0 || !self.add(&entry_block(entry, view, extent)) {
                left_out += entry.members.len();
            }
        }
        if left_out > 0 {
            self.secrets_left_out += left_out;
            self.out.push(&escaped!("\n_Left out here: {}._\n", words::count(left_out, "secret")));
        }
        if folding {
            self.out.push(&"\n</details>\n");
        }
    }

    fn notes(&mut self, view: &PlanView<'_>) {
        for (target, planned) in view.each_planned() {
            let of = within(view, target.name);
            let (found, unread) = fold_unread(&planned.report.findings);
            if let Some((text, help)) = unread {
                let text = escape::markdown(&text);
                self.finding(&escaped!("\n- **note**{}: {}\n  <br>{}\n", of, text, with_commands(help)));
            }
            self.findings(&found, Severity::Info, LISTED_NOTES, of.as_ref());
        }
    }

    /// Who made what would be changed.
    fn who(&mut self, view: &PlanView<'_>) {
        for (target, secret, lines) in view.who() {
            let lines = Escaped::join(lines.iter().map(|line| escape::markdown(line)), "\n  <br>");
            let name = escape::code(secret.as_str());
            self.finding(&escaped!("\n- {}{}: {}\n", name, within(view, target.name), lines));
        }
    }

    /// The dependencies of what changes, where they can be read at a glance. They are an extra; all changes are above.
    fn graphs(&mut self, view: &PlanView<'_>) {
        for target in &view.targets {
            let nodes = target.graph.nodes.len();
            if (1..=GRAPH_NODES).contains(&nodes) && !target.graph.edges.is_empty() {
                let graph = Graph { project: view.project.to_owned(), targets: vec![target.graph.clone()] };
                self.add(&escaped!(
                    "\n<details>\n<summary>What needs what{}</summary>\n\nAn arrow leads to the secret that needs the \
                     other one.\n\n{}\n</details>\n",
                    html_within(view, target.name),
                    escape::code_block("mermaid", &mermaid(&graph))
                ));
            }
        }
    }

    /// The secrets that wait for a value.
    fn awaiting(&mut self, view: &PlanView<'_>) {
        for block in awaiting::markdown(&view.awaiting(), view.targets.len() > 1) {
            self.finding(&block);
        }
    }

    fn findings(&mut self, found: &[&Finding], severity: Severity, listed: usize, of: Option<&Escaped<Markdown>>) {
        let of_severity: Vec<&Finding> =
            found.iter().copied().filter(|finding| finding.severity() == severity).collect();
        for finding in of_severity.iter().take(listed) {
            let label = match severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "note",
            };
            self.finding(&escaped!(
                "\n- **{}**{}: {} {}{}{}\n",
                label,
                of,
                escape::code(finding.secret.as_str()),
                escape::markdown(&finding_text(finding)),
                declared_at(finding.origin.as_ref()),
                finding_help(finding).map(|help| -> Escaped<Markdown> { escaped!("\n  <br>{}", with_commands(help)) })
            ));
        }
        if of_severity.len() > listed {
            let rest = words::count(of_severity.len() - listed, "note");
            self.add(&escaped!("\n{} more like these; `--format json` lists all.\n", rest));
        }
    }

    fn finding(&mut self, item: &Escaped<Markdown>) {
        if !self.add(item) {
            self.findings_left_out += 1;
        }
    }

    /// What was left out, and how to see it.
    fn tail(&mut self, view: &PlanView<'_>) {
        let mut left_out: Vec<Escaped<Markdown>> = Vec::new();
        if self.secrets_left_out > 0 {
            let all = words::count(view.secrets(), "changed secret");
            left_out.push(escaped!("{} of {}", self.secrets_left_out, all));
        }
        if self.findings_left_out > 0 {
            left_out.push(escaped!("{}", words::count(self.findings_left_out, "finding")));
        }
        if self.targets_left_out > 0 {
            left_out.push(escaped!("{}", words::count(self.targets_left_out, "target")));
        }
        if !left_out.is_empty() {
            self.out.push(&escaped!(
                "\n**Cut: {} left out**, since GitHub takes no more than 65,536 characters in a comment. \
                 `keywright plan` shows the whole plan, also as a page with `--format html`; `--target` and `--select` \
                 narrow it.\n",
                Escaped::join(left_out, ", ")
            ));
        }
    }
}

/// Where something is declared, in brackets, if that is known.
fn declared_at(origin: Option<&Origin>) -> Option<Escaped<Markdown>> {
    origin.map(|origin| escaped!(" ({})", escape::code(&place(origin))))
}

/// ` in target`, where there are several.
fn within(view: &PlanView<'_>, target: &str) -> Option<Escaped<Markdown>> {
    (view.targets.len() > 1).then(|| escaped!(" in {}", escape::code(target)))
}

/// As [`within`], in HTML.
fn html_within(view: &PlanView<'_>, target: &str) -> Option<Escaped<Markdown>> {
    (view.targets.len() > 1).then(|| escaped!(" in {}", escape::html_code(target)))
}

/// A target, with its account, its region and where it is reached.
fn place_of(target: &TargetView<'_>) -> Escaped<Markdown> {
    let more = |text: &str| -> Escaped<Markdown> { escaped!(" · {}", escape::code(text)) };
    escaped!(
        "{}{}{}{}",
        escape::code(target.name),
        target.account.map(more),
        more(target.region),
        words::endpoint(target.endpoint).map(more)
    )
}

/// What a rehearsal came to, with the secrets that it did not get done.
fn rehearsal_item(
    planned: &PlannedView<'_>,
    rehearsed: &Rehearsed,
    of: Option<&Escaped<Markdown>>,
) -> Escaped<Markdown> {
    let text = escape::markdown(&rehearsal::sentence(planned.plan, rehearsed));
    let mut item = escaped!("\n- **rehearsal**{}: {}\n", of, text);
    for (name, reason) in rehearsal::not_done(planned.plan, rehearsed) {
        item.push(&escaped!("  <br>{}: {}\n", escape::code(name.as_str()), escape::markdown(&reason)));
    }
    item
}

/// A sentence in which commands stand between backticks.
pub(super) fn with_commands(text: &str) -> Escaped<Markdown> {
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { escape::code(part) } else { escape::markdown(part) }).collect()
}

/// One entry: its heading, a code block of its differences, and its secrets where they are several.
fn entry_block(entry: &Entry<'_>, view: &PlanView<'_>, extent: Extent) -> Escaped<Markdown> {
    let (sign, verb) = words::verb(entry.verb);
    let mut lines = Escaped::default();
    for row in entry.rows.iter().filter(|_| !extent.summary) {
        let place = entry.place_of(row);
        let at = place.map(|place| -> Escaped<Terminal> { escaped!("  ({})", place) });
        diff_lines(row, at.as_ref(), &mut lines);
    }
    let lines =
        (!lines.is_empty()).then(|| -> Escaped<Markdown> { escaped!("\n{}", escape::code_block("diff", &lines)) });
    if let Some(member) = entry.single() {
        return escaped!(
            "\n`{}` **{}** {}{}{}\n{}",
            sign,
            verb,
            escape::code(member.secret.name.as_str()),
            within(view, member.target),
            rows::declared(member.secret).map(|at| -> Escaped<Markdown> { escaped!(" ({})", escape::code(&at)) }),
            lines
        );
    }
    let names = entry.members.iter().map(|member| -> Escaped<Markdown> {
        escaped!("{}{}", escape::code(member.secret.name.as_str()), within(view, member.target))
    });
    escaped!(
        "\n`{}` **{}** {}\n{}\n<details>\n<summary>which</summary>\n\n{}\n\n</details>\n",
        sign,
        verb,
        entry.count::<Markdown>(),
        lines,
        words::first_few::<Markdown, _>(names, NAMED_SECRETS)
    )
}

/// A row as lines of a diff: `-` as it was, `+` as it will be, `!` for what is neither and should be seen.
fn diff_lines(row: &Row, at: Option<&Escaped<Terminal>>, out: &mut Escaped<Terminal>) {
    let label: Escaped<Terminal> = escape::padded(row.label, FIELD);
    let mut line = |sign: &'static str, text: &Escaped<Terminal>, at: Option<&Escaped<Terminal>>| {
        let line: Escaped<Terminal> = escaped!("{} {} {}{}", sign, label, text, at);
        out.push(&escaped!("{}\n", line.trimmed()));
    };
    match (row.before(), row.after()) {
        (None, None) => {
            let loud = row.pieces.iter().any(|piece| matches!(piece.tone, Tone::Changed | Tone::Warning));
            let pieces = row.pieces.iter().map(|piece| &piece.text).collect();
            line(if loud { "!" } else { " " }, &pieces, at);
        }
        (before, after) => {
            if let Some(before) = before {
                line("-", &before, if after.is_none() { at } else { None });
            }
            if let Some(after) = after {
                line("+", &after, at);
            }
        }
    }
    for piece in &row.lines {
        let sign = match piece.tone {
            Tone::Removed => "-",
            Tone::Added => "+",
            Tone::Plain | Tone::Changed | Tone::Warning | Tone::Faint => " ",
        };
        out.push(&escaped!("{}   {}\n", sign, piece.text));
    }
}

#[cfg(test)]
mod tests;
