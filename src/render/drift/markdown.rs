//! Drift as Markdown, made for an issue that a scheduled workflow opens and updates.
//!
//! It begins with a marker, an HTML comment, by which the workflow finds its own issue again, and it stays below the
//! size that GitHub takes.

use super::super::error::target_line;
use super::super::escape::{self, Escaped, Markdown};
use super::super::plan_markdown::{MAX_BYTES, with_commands};
use super::super::rows::place;
use super::super::{count, escaped, words};
use super::{by_help, clues, headline, sentence, summary};
use crate::drift::{Class, Drift, DriftReport, TargetDrift};

/// Kept free for the sentence that says what was left out, and for the end of a table.
const TAIL: usize = 700;

/// The report as one document.
pub fn markdown(report: &DriftReport) -> Escaped<Markdown> {
    let DriftReport { project, started, seconds: _, calls: _, targets } = report;
    let mut page = Page::default();
    let date: Escaped<Markdown> = escape::time(*started, "%Y-%m-%d %H:%M UTC");
    page.out = escaped!(
        "<!-- keywright:drift {} -->\n## keywright drift of {}: {}\n\nLooked at `{}`.\n",
        escape::marker(project),
        escape::code(project),
        headline(report),
        date
    );
    // Targets that could not be read come first: of them nothing else is known.
    let (failed, read): (Vec<_>, Vec<_>) = targets.iter().partition(|target| target.outcome.is_err());
    for target in failed.into_iter().chain(read) {
        page.target(target);
    }
    page.tail();
    page.out
}

/// What is written so far, and what had to be left out.
#[derive(Default)]
struct Page {
    out: Escaped<Markdown>,
    drifts_left_out: usize,
    targets_left_out: usize,
}

impl Page {
    /// Adds a block when there is room for it.
    fn add(&mut self, block: &Escaped<Markdown>) -> bool {
        let fits = self.out.len() + block.len() + TAIL <= MAX_BYTES;
        if fits {
            self.out.push(block);
        }
        fits
    }

    fn target(&mut self, target: &TargetDrift) {
        let TargetDrift { name, account, region, endpoint, outcome } = target;
        let endpoint = words::endpoint(endpoint.as_deref())
            .map(|endpoint| -> Escaped<Markdown> { escaped!(" · {}", escape::code(endpoint)) });
        let account =
            account.as_ref().map(|account| -> Escaped<Markdown> { escaped!(" · {}", escape::code(account)) });
        let body = match outcome {
            Ok(found) => summary(found),
            Err(error) => escaped!("**{}**: {}", Class::Unreachable.word(), escape::markdown(&target_line(error))),
        };
        let head =
            escaped!("\n### {}{} · {}{}\n\n{}\n", escape::code(name), account, escape::code(region), endpoint, body);
        let drifts = outcome.as_ref().map_or(&[][..], |found| &found.drifts);
        if !self.add(&head) {
            self.targets_left_out += 1;
            self.drifts_left_out += drifts.len();
            return;
        }
        for class in Class::ALL {
            self.table(class, &drifts.iter().filter(|drift| drift.class == class).collect::<Vec<_>>());
        }
    }

    fn table(&mut self, class: Class, drifts: &[&Drift]) {
        // A table for each that can be done, since it is not true of the others.
        for (at, (help, group)) in by_help(drifts).into_iter().enumerate() {
            let what: Escaped<Markdown> = if at == 0 {
                escaped!("#### {} ({})\n\n{}", class.word(), drifts.len(), class.meaning())
            } else {
                escaped!("Of {}:", count(group.len(), "other"))
            };
            self.rows(&escaped!("\n{} What to do: {}.\n", what, with_commands(help)), &group);
        }
    }

    fn rows(&mut self, head: &Escaped<Markdown>, drifts: &[&Drift]) {
        let Some(first) = drifts.first() else { return };
        let head = escaped!("{}\n| secret | what | manifest |\n|---|---|---|\n", head);
        let first = row(first);
        // A heading without a row below it would say nothing.
        if self.out.len() + head.len() + first.len() + TAIL > MAX_BYTES {
            self.drifts_left_out += drifts.len();
            return;
        }
        self.out.push(&head);
        let mut left_out = 0;
        for drift in drifts {
            if left_out > 0 || !self.add(&row(drift)) {
                left_out += 1;
            }
        }
        self.drifts_left_out += left_out;
    }

    /// What was left out, and how to see it.
    fn tail(&mut self) {
        let mut left_out = Vec::new();
        if self.drifts_left_out > 0 {
            left_out.push(count(self.drifts_left_out, "drift"));
        }
        if self.targets_left_out > 0 {
            left_out.push(count(self.targets_left_out, "target"));
        }
        if !left_out.is_empty() {
            self.out.push(&escaped!(
                "\n**Cut: {} left out**, since GitHub takes no more than 65,536 characters in an issue. \
                 `keywright drift` shows them all; `--target`, `--select` and `--ignore` narrow it.\n",
                Escaped::join(left_out, " and ")
            ));
        }
    }
}

fn row(drift: &Drift) -> Escaped<Markdown> {
    let at = drift.origin.as_ref().map(|origin| escape::cell(&escape::code(&place(origin))));
    let mut what = vec![escape::markdown(&sentence(drift))];
    what.extend(clues(drift).map(|clue| escape::markdown(&clue)));
    let name = escape::cell(&escape::code(drift.secret.as_str()));
    escaped!("| {} | {} | {} |\n", name, escape::cell(&Escaped::join(what, "<br>")), at)
}

#[cfg(test)]
#[expect(clippy::panic, reason = "a test says what is wrong by panicking")]
mod tests {
    use super::super::samples::{hostile, many, report};
    use super::*;

    #[test]
    fn an_issue_begins_with_its_marker_and_has_a_table_for_each_class() {
        insta::assert_snapshot!(markdown(&report()));
    }

    #[test]
    fn a_long_report_is_cut_and_says_so() {
        let text = markdown(&many(2_000));
        assert!(text.len() <= MAX_BYTES, "{}", text.len());
        let shown = text.lines().filter(|line| line.starts_with("| `prod/")).count();
        assert!(shown > 100 && text.contains(&format!("**Cut: {} drifts left out**", 2_000 - shown)), "{shown}");
        assert!(!markdown(&many(20)).contains("Cut:"));
    }

    /// A line without its code spans.
    fn outside_code(line: &str) -> String {
        let (mut out, mut rest) = (String::new(), line);
        while let Some(start) = rest.find('`') {
            out.push_str(&rest[..start]);
            let run = rest[start..].len() - rest[start..].trim_start_matches('`').len();
            let (fence, within) = rest[start..].split_at(run);
            let end = within
                .match_indices(fence)
                .map(|(at, _)| at)
                .find(|at| !within[..*at].ends_with('`') && !within[at + run..].starts_with('`'));
            let end = end.unwrap_or_else(|| panic!("a span that does not end: {line}"));
            rest = &within[end + run..];
        }
        out + rest
    }

    #[test]
    fn hostile_text_stays_in_its_cell() {
        let text = markdown(&hostile());
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(rows.len(), 1, "{text}");
        assert_eq!(rows[0].replace("\\|", "").matches('|').count(), 4, "{}", rows[0]);
        for line in text.lines().skip(1) {
            let outside = outside_code(line).replace("<br>", "");
            for bad in ["<", "@", "](", "#12", "::"] {
                assert!(!outside.contains(bad), "{bad} in {outside}");
            }
        }
    }
}
