//! A plan as Markdown, made for a comment on a pull request.
//!
//! It begins with a marker, an HTML comment, by which a workflow finds its own comment again, and it stays below the
//! size that GitHub takes. What is live or written by people stands in code spans and code blocks, which is the only
//! place where GitHub reads neither mentions nor references.

use super::escape::{self, Escaped, Markdown, Terminal};
use super::finding::fold_unread;
use super::finding::{finding_help, finding_text};
use super::graph::{Graph, mermaid};
use super::order::{by_weight, loses};
use super::paint::Paint;
use super::plan_view::{PlanView, PlannedView, TargetView};
use super::rehearsal;
use super::rows::{Row, Tone, place, refusal, rows};
use super::{escaped, plan_text, words};
use crate::origin::Origin;
use crate::plan::{Finding, SecretPlan, Severity};
use crate::rehearse::Rehearsed;

/// The most bytes of a document. GitHub takes 65,536 characters in a comment; the rest is left for what a workflow
/// adds.
pub const MAX_BYTES: usize = 60_000;

/// Kept free for the sentence that says what was left out.
const TAIL: usize = 600;

/// Kept free at the end of a target for what was left out there, and for closing it.
const FOOT: usize = 160;

/// A plan of up to this many secrets is shown unfolded.
const UNFOLDED: usize = 10;

/// Graphs with more nodes are hard to read in a comment.
const GRAPH_NODES: usize = 30;

/// Notes that are listed; further ones are counted.
const LISTED_NOTES: usize = 10;

/// Width of the column that names a field.
const FIELD: usize = 12;

/// The plans of a project as one comment.
pub fn markdown(view: &PlanView<'_>) -> Escaped<Markdown> {
    let project = escape::code(view.project);
    let mut page = Page::default();
    page.out.push(&escaped!("<!-- keywright:plan {} -->\n", escape::marker(view.project)));
    page.out.push(&escaped!("## keywright plan of {}: {}\n", project, view.headline()));
    let unfolded = view.secrets() <= UNFOLDED;
    let shares = shares(view, unfolded, (MAX_BYTES - TAIL).saturating_sub(page.out.len()));
    for (target, share) in view.targets.iter().zip(shares) {
        page.limit = page.out.len() + share;
        page.target(target, unfolded);
    }
    page.tail(view);
    page.out
}

/// How many bytes each target gets of `room`: all that it needs, or as much as every other that needs more than its
/// share.
fn shares(view: &PlanView<'_>, unfolded: bool, room: usize) -> Vec<usize> {
    let need = |target: &TargetView<'_>| {
        // More than all the room is not to be had, so nothing is written beyond it.
        let mut whole = Page { limit: room, ..Page::default() };
        whole.target(target, unfolded);
        whole.out.len() + FOOT
    };
    let mut needs: Vec<(usize, usize)> =
        view.targets.iter().map(need).enumerate().map(|(at, need)| (need, at)).collect();
    needs.sort_unstable();
    let (mut shares, mut left) = (vec![0; needs.len()], room);
    for (done, (need, at)) in needs.iter().enumerate() {
        shares[*at] = (*need).min(left / (needs.len() - done));
        left -= shares[*at];
    }
    shares
}

/// What is written so far, and what had to be left out.
#[derive(Default)]
struct Page {
    out: Escaped<Markdown>,
    /// How far the present target may go.
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

    fn target(&mut self, target: &TargetView<'_>, unfolded: bool) {
        let summary = match &target.planned {
            Ok(PlannedView { plan, report, .. }) => plan_text::summary(Paint::new(false), plan, report),
            Err(_) => "NOT PLANNED".into(),
        };
        let secrets = target.planned.as_ref().map_or(0, |planned| planned.plan.secrets.len());
        let account =
            target.account.map(|account| -> Escaped<Markdown> { escaped!(" · {}", escape::html_code(account)) });
        let endpoint = words::endpoint(target.endpoint)
            .map(|endpoint| -> Escaped<Markdown> { escaped!(" · {}", escape::html_code(endpoint)) });
        let trouble = target.planned.as_ref().map_or(true, |planned| {
            let failed = planned.rehearsed.is_some_and(|rehearsed| !rehearsal::passed(rehearsed));
            failed || !planned.refusals.is_empty() || planned.report.has_blockers() || loses(planned.plan)
        });
        let head = escaped!(
            "\n<details{}>\n<summary>{}{} · {}{}: {}</summary>\n",
            if unfolded || trouble { " open" } else { "" },
            escape::html_code(target.name),
            account,
            escape::html_code(target.region),
            endpoint,
            escape::markdown(&summary)
        );
        // A target's heading may use the room of later ones: a comment that names all targets says more.
        if self.out.len() + head.len() + FOOT > MAX_BYTES - TAIL {
            self.targets_left_out += 1;
            self.secrets_left_out += secrets;
            return;
        }
        self.out.push(&head);
        match &target.planned {
            Ok(planned) => self.planned(target, planned),
            Err(error) => {
                if !self.add(&escaped!("\n**error**: {}\n", escape::markdown(error))) {
                    self.findings_left_out += 1;
                }
            }
        }
        self.out.push(&"\n</details>\n");
    }

    fn planned(&mut self, target: &TargetView<'_>, planned: &PlannedView<'_>) {
        for item in planned.refusals {
            let (text, help) = refusal(item);
            let (text, help) = (escape::markdown(&text), escape::markdown(&help));
            self.finding(&escaped!("\n- **refused**: {}\n  <br>{}\n", text, help));
        }
        if let Some(rehearsed) = planned.rehearsed {
            self.finding(&rehearsal_item(planned, rehearsed));
        }
        let (found, unread) = fold_unread(&planned.report.findings);
        for severity in [Severity::Error, Severity::Warning] {
            self.findings(&found, severity, usize::MAX);
        }
        let mut left_out = 0;
        for secret in by_weight(planned.plan) {
            if left_out > 0 || !self.add(&secret_block(secret)) {
                left_out += 1;
            }
        }
        if left_out > 0 {
            self.secrets_left_out += left_out;
            self.out.push(&escaped!("\n_Left out here: {}._\n", words::count(left_out, "secret")));
        }
        if let Some((text, help)) = unread {
            let text = escape::markdown(&text);
            self.finding(&escaped!("\n- **note**: {}\n  <br>{}\n", text, with_commands(help)));
        }
        self.findings(&found, Severity::Info, LISTED_NOTES);
        let nodes = target.graph.nodes.len();
        if (1..=GRAPH_NODES).contains(&nodes) && !target.graph.edges.is_empty() {
            let graph = Graph { project: planned.plan.project.clone(), targets: vec![target.graph.clone()] };
            // It is an extra; the changes are all above.
            self.add(&escaped!(
                "\nAn arrow leads to the secret that needs the other one.\n\n{}",
                escape::code_block("mermaid", &mermaid(&graph))
            ));
        }
    }

    fn findings(&mut self, found: &[&Finding], severity: Severity, listed: usize) {
        let of_severity: Vec<&Finding> =
            found.iter().copied().filter(|finding| finding.severity() == severity).collect();
        for finding in of_severity.iter().take(listed) {
            let label = match severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "note",
            };
            self.finding(&escaped!(
                "\n- **{}**: {} {}{}{}\n",
                label,
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

/// What a rehearsal came to, with the secrets that it did not get done.
fn rehearsal_item(planned: &PlannedView<'_>, rehearsed: &Rehearsed) -> Escaped<Markdown> {
    let text = escape::markdown(&rehearsal::sentence(planned.plan, rehearsed));
    let mut item = escaped!("\n- **rehearsal**: {}\n", text);
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

/// One secret: its heading, and a code block of its differences.
fn secret_block(secret: &SecretPlan) -> Escaped<Markdown> {
    let (sign, verb) = words::verb(secret.verb);
    let mut lines = Escaped::default();
    for row in rows(secret) {
        let place = row.other_place(secret.origin.as_ref());
        let at = place.map(|place| -> Escaped<Terminal> { escaped!("  ({})", place) });
        diff_lines(&row, at.as_ref(), &mut lines);
    }
    escaped!(
        "\n`{}` **{}** {}{}\n\n{}",
        sign,
        verb,
        escape::code(secret.name.as_str()),
        declared_at(secret.origin.as_ref()),
        escape::code_block("diff", &lines)
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
