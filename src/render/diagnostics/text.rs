//! Text for people: the line, a caret, and what would be right.

use super::{help, message};
use crate::manifest::{Diagnostic, Diagnostics, Place, Quote, Severity};
use crate::render::escape::{self, Escaped, Lines, Mark, Shown, Snippet, Terminal};
use crate::render::{count, escaped};
use crate::sort_few::SortFew as _;

/// Lines this far apart are shown in one snippet.
const JOINED_LINES: u32 = 3;

/// All diagnostics and a summary line; empty when there are none. `colour` adds ANSI styles.
pub fn text(diagnostics: &Diagnostics, colour: bool) -> Escaped<Terminal> {
    let mut out = Escaped::default();
    for diagnostic in diagnostics {
        out.push(&snippet(diagnostic).text(colour));
        out.push(&"\n\n");
    }
    if out.is_empty() {
        return out;
    }
    let (errors, warnings) = (diagnostics.error_count(), diagnostics.warning_count());
    let summary = [(errors, "error"), (warnings, "warning")];
    let summary = summary.into_iter().filter(|(number, _)| *number > 0).map(|(number, noun)| count(number, noun));
    out.push(&Escaped::join(summary, ", "));
    if diagnostics.left_out() > 0 {
        out.push(&escaped!(", and {} more that are not shown", diagnostics.left_out()));
    }
    out.push(&"\n");
    out.push(&how_to_ask(diagnostics));
    out
}

/// How more is said of the codes, once for all.
fn how_to_ask(diagnostics: &Diagnostics) -> Escaped<Terminal> {
    let mut codes = diagnostics.iter().map(|found| found.code.id);
    let Some(first) = codes.next() else { return Escaped::default() };
    if codes.all(|other| other == first) {
        return escaped!("keywright explain {} says what causes this and what mends it\n", first);
    }
    escaped!("keywright explain {}, or another of these codes, says what causes it and what mends it\n", first)
}

fn snippet(diagnostic: &Diagnostic) -> Snippet {
    let mut joined = vec![(&diagnostic.place, true)];
    let mut apart = Vec::new();
    for related in &diagnostic.related {
        if can_join(&joined, related) {
            joined.push((related, false));
        } else {
            apart.push(related);
        }
    }
    let mut shown = vec![show(&joined)];
    shown.extend(apart.into_iter().map(|place| show(&[(place, false)])));
    Snippet {
        error: diagnostic.severity == Severity::Error,
        code: diagnostic.code.id,
        title: escape::line(&message(diagnostic)),
        help: help(diagnostic).map(|help| escape::line(&help)).collect(),
        shown,
    }
}

/// Whether a place fits into the snippet of the ones before it: the same line or the next ones of the same file.
fn can_join(joined: &[(&Place, bool)], place: &Place) -> bool {
    place.quote.is_some()
        && joined.iter().all(|(known, _)| {
            let near = known.origin.line.abs_diff(place.origin.line);
            // Lines in between would have to be shown, and only those with a mark are at hand.
            known.quote.is_some() && known.origin.file == place.origin.file && near <= JOINED_LINES
        })
        && contiguous(joined, place)
}

/// Whether the lines of the joined places, with this one, leave no gap.
fn contiguous(joined: &[(&Place, bool)], place: &Place) -> bool {
    let mut lines: Vec<u32> = joined.iter().map(|(known, _)| known.origin.line).chain([place.origin.line]).collect();
    lines.sort_unstable();
    let cut = joined
        .iter()
        .map(|(known, _)| *known)
        .chain([place])
        .any(|place| place.quote.as_ref().is_some_and(|quote| quote.text.starts_with('…')));
    let same_text = joined.iter().filter(|(known, _)| known.origin.line == place.origin.line).all(|(known, _)| {
        known.quote.as_ref().map(|quote| &quote.text) == place.quote.as_ref().map(|quote| &quote.text)
    });
    !cut && same_text && lines.windows(2).all(|pair| matches!(pair, [a, b] if b - a <= 1))
}

fn show(places: &[(&Place, bool)]) -> Shown {
    let mut sorted: Vec<_> = places.to_vec();
    sorted.sort_few_by_key(|(place, _)| place.origin.line);
    let first = sorted.first().map_or(0, |(place, _)| place.origin.line);
    let (path, line, column, label) = places.first().map_or_else(Default::default, |(place, _)| {
        (
            escape::line(&place.origin.file),
            place.origin.line as usize,
            place.origin.column as usize,
            escape::line(&place.label),
        )
    });
    let mut text = Escaped::default();
    let mut marks = Vec::new();
    let mut last = None;
    let mut start = 0;
    for (place, primary) in sorted {
        let Some(quote) = &place.quote else { return Shown { path, line, column, lines: None, label } };
        if last != Some(place.origin.line) {
            if last.is_some() {
                text.push(&"\n");
            }
            start = text.len();
            text.push(&escape::source_line(&quote.text));
            last = Some(place.origin.line);
        }
        let marked = escaped_range(quote);
        let span = start + marked.start..start + marked.end;
        marks.push(Mark { span, label: escape::line(&place.label), primary });
    }
    Shown { path, line, column, lines: Some(Lines { first: first as usize, text, marks }), label }
}

/// The marked range in the escaped line: escaping keeps the number of characters and may change that of bytes.
fn escaped_range(quote: &Quote) -> std::ops::Range<usize> {
    let line = escape::source_line(&quote.text);
    let byte = |end: usize| {
        let characters = quote.text.get(..end).unwrap_or_default().chars().count();
        line.char_indices().nth(characters).map_or(line.len(), |(at, _)| at)
    };
    byte(quote.marked.start)..byte(quote.marked.end)
}
