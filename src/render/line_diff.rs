//! The difference between two texts, line by line.

use similar::{ChangeTag, DiffableStr};

use super::diff::Diff;
use super::rows::{Piece, Tone, piece};

/// The lines of the difference among `context` unchanged ones, each made by `shown`, without indentation and signs.
pub(super) fn line_diff(old: &str, new: &str, context: usize, shown: impl Fn(Tone, &str) -> Piece) -> Vec<Piece> {
    let diff = Diff::of(old.tokenize_lines(), new.tokenize_lines());
    let mut lines = Vec::new();
    for (index, group) in diff.groups(context).into_iter().enumerate() {
        if index > 0 {
            lines.push(piece(Tone::Faint, "  …"));
        }
        for (tag, line) in group {
            lines.push(shown(tone(tag), line.trim_end_matches('\n')));
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
