//! The difference between two texts, line by line.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use super::rows::{Piece, Tone, piece};

/// How long the shortest difference is looked for: texts of 64 KiB that have no line in common would take a minute.
const LONGEST: Duration = Duration::from_secs(1);

/// The lines of the difference among `context` unchanged ones, each made by `shown`, without indentation and signs.
pub(super) fn line_diff(old: &str, new: &str, context: usize, shown: impl Fn(Tone, &str) -> Piece) -> Vec<Piece> {
    let diff = TextDiff::configure().timeout(LONGEST).diff_lines(old, new);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(context).iter().enumerate() {
        if index > 0 {
            lines.push(piece(Tone::Faint, "  …"));
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            lines.push(shown(tone(change.tag()), change.value().trim_end_matches('\n')));
        }
    }
    lines
}

/// How a line or a word of a difference is meant.
pub(super) fn tone(tag: ChangeTag) -> Tone {
    match tag {
        ChangeTag::Equal => Tone::Plain,
        ChangeTag::Delete => Tone::Removed,
        ChangeTag::Insert => Tone::Added,
    }
}
