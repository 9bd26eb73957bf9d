//! A plan as Markdown, made for a comment on a pull request.
//!
//! It begins with a marker, an HTML comment, by which a workflow finds its own comment again, and it stays below the
//! size that GitHub takes. What is live or written by people stands in code spans and code blocks, which is the only
//! place where GitHub reads neither mentions nor references.

use std::cmp::Reverse;
use std::fmt::Write as _;

use super::finding::{finding_help, finding_text};
use super::graph::{Graph, mermaid};
use super::paint::Paint;
use super::plan_view::{PlanView, PlannedView, TargetView};
use super::rehearsal;
use super::rows::{Row, Tone, place, refusal, rows};
use super::{escape, plan_text, words};
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
pub fn markdown(view: &PlanView<'_>) -> String {
    let project = escape::code(view.project);
    let mut page = Page::default();
    // Writing to a String cannot fail.
    let _ = writeln!(page.out, "<!-- keywright:plan {} -->", escape::marker(view.project));
    let _ = writeln!(page.out, "## keywright plan of {project}: {}", view.headline());
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
    out: String,
    /// How far the present target may go.
    limit: usize,
    targets_left_out: usize,
    secrets_left_out: usize,
    findings_left_out: usize,
}

impl Page {
    /// Adds a block when there is room for it.
    fn add(&mut self, block: &str) -> bool {
        let fits = self.out.len() + block.len() + FOOT <= self.limit;
        if fits {
            self.out.push_str(block);
        }
        fits
    }

    fn target(&mut self, target: &TargetView<'_>, unfolded: bool) {
        let summary = match &target.planned {
            Ok(PlannedView { plan, report, .. }) => plan_text::summary(Paint::new(false), plan, report),
            Err(_) => "could not be planned".to_owned(),
        };
        let secrets = target.planned.as_ref().map_or(0, |planned| planned.plan.secrets.len());
        let account = target.account.map(|account| format!(" · <code>{}</code>", escape::markup(account)));
        let trouble = target.planned.as_ref().map_or(true, |planned| {
            let failed = planned.rehearsed.is_some_and(|rehearsed| !rehearsal::passed(rehearsed));
            failed || !planned.refusals.is_empty() || planned.report.has_blockers()
        });
        let open = if unfolded || trouble { " open" } else { "" };
        let head = format!(
            "\n<details{open}>\n<summary><code>{}</code>{} · <code>{}</code>: {summary}</summary>\n",
            escape::markup(target.name),
            account.unwrap_or_default(),
            escape::markup(target.region),
        );
        // A target's heading may use the room of later ones: a comment that names all targets says more.
        if self.out.len() + head.len() + FOOT > MAX_BYTES - TAIL {
            self.targets_left_out += 1;
            self.secrets_left_out += secrets;
            return;
        }
        self.out.push_str(&head);
        match &target.planned {
            Ok(planned) => self.planned(target, planned),
            Err(error) => {
                let error = format!("\n**error**: {}\n", escape::markdown(error));
                if !self.add(&error) {
                    self.findings_left_out += 1;
                }
            }
        }
        self.out.push_str("\n</details>\n");
    }

    fn planned(&mut self, target: &TargetView<'_>, planned: &PlannedView<'_>) {
        for item in planned.refusals {
            let (text, help) = refusal(item);
            let (text, help) = (escape::markdown(&text), escape::markdown(&help));
            self.finding(&format!("\n- **refused**: {text}\n  <br>{help}\n"));
        }
        if let Some(rehearsed) = planned.rehearsed {
            self.finding(&rehearsal_item(planned, rehearsed));
        }
        for severity in [Severity::Error, Severity::Warning] {
            self.findings(&planned.report.findings, severity, usize::MAX);
        }
        let mut left_out = 0;
        // What goes away comes first, so that no long list of new secrets hides it.
        let mut secrets: Vec<&SecretPlan> = planned.plan.secrets.iter().collect();
        secrets.sort_by_key(|secret| Reverse(secret.verb));
        for secret in secrets {
            if left_out > 0 || !self.add(&secret_block(secret)) {
                left_out += 1;
            }
        }
        if left_out > 0 {
            self.secrets_left_out += left_out;
            let _ = writeln!(self.out, "\n_Left out here: {}._", words::count(left_out, "secret"));
        }
        self.findings(&planned.report.findings, Severity::Info, LISTED_NOTES);
        let nodes = target.graph.nodes.len();
        if (1..=GRAPH_NODES).contains(&nodes) && !target.graph.edges.is_empty() {
            let graph = Graph { project: planned.plan.project.clone(), targets: vec![target.graph.clone()] };
            // It is an extra; the changes are all above.
            self.add(&format!(
                "\nAn arrow leads to the secret that needs the other one.\n\n{}",
                block("mermaid", &mermaid(&graph))
            ));
        }
    }

    fn findings(&mut self, findings: &[Finding], severity: Severity, listed: usize) {
        let of_severity: Vec<&Finding> = findings.iter().filter(|finding| finding.severity() == severity).collect();
        for finding in of_severity.iter().take(listed) {
            let label = match severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "note",
            };
            let origin =
                finding.origin.as_ref().map_or_else(String::new, |at| format!(" ({})", escape::code(&place(at))));
            let name = escape::code(finding.secret.as_str());
            let text = escape::markdown(&finding_text(finding));
            let help =
                finding_help(finding).map_or_else(String::new, |help| format!("\n  <br>{}", with_commands(&help)));
            self.finding(&format!("\n- **{label}**: {name} {text}{origin}{help}\n"));
        }
        if of_severity.len() > listed {
            let rest = words::count(of_severity.len() - listed, "note");
            self.add(&format!("\n{rest} more like these; `--format json` lists all.\n"));
        }
    }

    fn finding(&mut self, item: &str) {
        if !self.add(item) {
            self.findings_left_out += 1;
        }
    }

    /// What was left out, and how to see it.
    fn tail(&mut self, view: &PlanView<'_>) {
        let mut left_out = Vec::new();
        if self.secrets_left_out > 0 {
            left_out.push(format!("{} of {}", self.secrets_left_out, words::count(view.secrets(), "changed secret")));
        }
        if self.findings_left_out > 0 {
            left_out.push(words::count(self.findings_left_out, "finding"));
        }
        if self.targets_left_out > 0 {
            left_out.push(words::count(self.targets_left_out, "target"));
        }
        if !left_out.is_empty() {
            let _ = writeln!(
                self.out,
                "\n**Cut: {} left out**, since GitHub takes no more than 65,536 characters in a comment. `keywright plan` shows \
                 the whole plan, also as a page with `--format html`; `--target` and `--select` narrow it.",
                left_out.join(", ")
            );
        }
    }
}

/// What a rehearsal came to, with the secrets that it did not get done.
fn rehearsal_item(planned: &PlannedView<'_>, rehearsed: &Rehearsed) -> String {
    let text = escape::markdown(&rehearsal::sentence(planned.plan, rehearsed));
    let mut item = format!("\n- **rehearsal**: {text}\n");
    for (name, reason) in rehearsal::not_done(planned.plan, rehearsed) {
        // Writing to a String cannot fail.
        let _ = writeln!(item, "  <br>{}: {}", escape::code(name.as_str()), escape::markdown(&reason));
    }
    item
}

/// A sentence in which commands stand between backticks.
pub(super) fn with_commands(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { escape::code(part) } else { escape::markdown(part) }).collect()
}

/// One secret: its heading, and a code block of its differences.
fn secret_block(secret: &SecretPlan) -> String {
    let (sign, verb) = words::verb(secret.verb);
    let at = secret.origin.as_ref().map_or_else(String::new, |origin| format!(" ({})", escape::code(&place(origin))));
    let mut lines = String::new();
    for row in rows(secret) {
        diff_lines(&row, row.other_place(secret.origin.as_ref()), &mut lines);
    }
    let name = escape::code(secret.name.as_str());
    format!("\n`{sign}` **{verb}** {name}{at}\n\n{}", block("diff", &lines))
}

/// A row as lines of a diff: `-` as it was, `+` as it will be, `!` for what is neither and should be seen.
fn diff_lines(row: &Row, place: Option<String>, out: &mut String) {
    let at = place.map_or_else(String::new, |place| format!("  ({place})"));
    let mut line = |sign: char, text: &str, at: &str| {
        let line = format!("{sign} {:<FIELD$} {text}{at}", row.label);
        let _ = writeln!(out, "{}", line.trim_end());
    };
    match (row.before(), row.after()) {
        (None, None) => {
            let loud = row.pieces.iter().any(|piece| matches!(piece.tone, Tone::Changed | Tone::Warning));
            let pieces: String = row.pieces.iter().map(|piece| piece.text.as_str()).collect();
            line(if loud { '!' } else { ' ' }, &pieces, &at);
        }
        (before, after) => {
            if let Some(before) = before {
                line('-', &before, if after.is_none() { &at } else { "" });
            }
            if let Some(after) = after {
                line('+', &after, &at);
            }
        }
    }
    for piece in &row.lines {
        let sign = match piece.tone {
            Tone::Removed => '-',
            Tone::Added => '+',
            Tone::Plain | Tone::Changed | Tone::Warning | Tone::Faint => ' ',
        };
        let _ = writeln!(out, "{sign}   {}", piece.text);
    }
}

/// A code block that its content cannot end.
fn block(language: &str, content: &str) -> String {
    let fence = escape::fence(content);
    format!("{fence}{language}\n{content}{fence}\n")
}

#[cfg(test)]
mod tests;
