//! How a fresh plan differs from the approved one.

use similar::ChangeTag;

use super::diff::Diff;
use super::escape::{self, Escaped, Terminal};
use super::escaped;
use super::paint::Paint;

/// Lines around a difference that are shown too.
const CONTEXT: usize = 1;

/// The lines that differ: `-` is what was approved, `+` what would be done now.
pub fn difference(paint: Paint, approved: &[String], fresh: &[String]) -> Escaped<Terminal> {
    let diff = Diff::of(approved.iter().map(String::as_str).collect(), fresh.iter().map(String::as_str).collect());
    let mut out = escaped!("\n{}\n", paint.strong("What was approved (-) and what would be done now (+):"));
    for group in diff.groups(CONTEXT) {
        out.push(&"\n");
        for (tag, text) in group {
            let signed = |sign: &'static str| -> Escaped<Terminal> { escaped!("{} {}", sign, escape::line(text)) };
            let line = match tag {
                ChangeTag::Delete => paint.removed(signed("-")),
                ChangeTag::Insert => paint.added(signed("+")),
                ChangeTag::Equal => paint.faint(signed(" ")),
            };
            out.push(&escaped!("  {}\n", line));
        }
    }
    out.push(&"\n");
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_lines_that_differ_are_shown_and_nothing_in_them_controls_the_terminal() {
        let line = |text: &str| text.to_owned();
        let approved = [line("run"), line("a"), line("b \u{1b}[2J")];
        let fresh = [line("run"), line("a"), line("c")];
        let text = difference(Paint::new(false), &approved, &fresh);
        assert!(text.contains("- b \\u{1b}[2J\n") && text.contains("+ c\n"), "{text}");
        assert!(!text.contains("run"), "far from the difference: {text}");
    }

    /// The shortest difference of two such files would be looked for by the hour.
    #[test]
    fn files_that_have_nothing_in_common_are_compared_in_seconds() {
        let lines = |of: &str| (0..200_000).map(|at| format!("{of} {at}")).collect::<Vec<_>>();
        let begun = std::time::Instant::now();
        let text = difference(Paint::new(false), &lines("approved"), &lines("fresh"));
        assert!(text.contains("- approved 199999\n") && text.contains("+ fresh 199999\n"));
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    }
}
