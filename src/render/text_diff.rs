//! The difference between two texts that a manifest holds in the clear, line by line.

use super::escape;
use super::escaped;
use super::line_diff::line_diff;
use super::look_alike::told_apart;
use super::rows::{Piece, Tone, piece};
use super::words;
use crate::plan::PublicText;

/// Lines of unchanged text around a change.
const CONTEXT: usize = 1;

/// Most lines of one difference that are shown.
const LINES: usize = 40;

/// Longest line that is shown whole, in characters.
const WIDTH: usize = 200;

/// The lines of the difference, escaped, without indentation and signs. Without the old text, the new one alone.
pub(super) fn text_diff(text: &PublicText) -> Vec<Piece> {
    let PublicText { before, after } = text;
    let mut lines = match before {
        None => after.lines().map(|line| shown(Tone::Added, line)).collect(),
        Some(before) => {
            let (before, after) = told_apart(before, after);
            line_diff(&before, &after, CONTEXT, shown)
        }
    };
    let more = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    if more > 0 {
        lines.push(piece(Tone::Faint, escaped!("  {} more", words::count(more, "line"))));
    }
    lines
}

fn shown(tone: Tone, line: &str) -> Piece {
    let cut = line.char_indices().nth(WIDTH).and_then(|(at, _)| line.get(..at));
    piece(tone, escape::line(&cut.map_or_else(|| line.to_owned(), |cut| format!("{cut}…"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(before: Option<&str>, after: &str) -> Vec<(Tone, String)> {
        let text = PublicText { before: before.map(str::to_owned), after: after.to_owned() };
        text_diff(&text).into_iter().map(|line| (line.tone, line.text.to_string())).collect()
    }

    #[test]
    fn lines_that_changed_are_shown_among_their_neighbours() {
        let line = |tone, text: &str| (tone, text.to_owned());
        let seen = diff(Some("a\nb\nc\nd\n"), "a\nb\nC\nd\n");
        let expected =
            [line(Tone::Plain, "b"), line(Tone::Removed, "c"), line(Tone::Added, "C"), line(Tone::Plain, "d")];
        assert_eq!(seen, expected);
        assert_eq!(diff(None, "a\nb"), [line(Tone::Added, "a"), line(Tone::Added, "b")]);
    }

    #[test]
    fn long_and_hostile_text_stays_within_its_lines() {
        let seen = diff(None, &format!("{}\n\u{1b}[2J\u{202e}x\n{}", "x".repeat(10_000), "y\n".repeat(1_000)));
        assert_eq!(seen.len(), LINES + 1);
        assert!(
            seen.iter().all(|(_, text)| text.chars().count() <= 2 * WIDTH && !text.contains(['\u{1b}', '\u{202e}']))
        );
        assert_eq!(seen[LINES].1, "  962 lines more");
    }
}
