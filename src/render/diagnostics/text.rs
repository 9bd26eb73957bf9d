//! Text for people: the line, a caret, and what would be right.

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Group, Level, Origin as SnippetOrigin, Renderer, Snippet};

use super::{counted, message};
use crate::manifest::{Diagnostic, Diagnostics, Place, Quote, Severity};
use crate::render::escape;

/// Lines this far apart are shown in one snippet.
const JOINED_LINES: u32 = 3;

/// All diagnostics and a summary line; empty when there are none. `colour` adds ANSI styles.
pub fn text(diagnostics: &Diagnostics, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for diagnostic in diagnostics {
        // A report borrows what it prints, so everything that is escaped is held here while it is rendered.
        let prepared = Prepared::new(diagnostic);
        out.push_str(&renderer.render(&prepared.report()));
        out.push_str("\n\n");
    }
    if out.is_empty() {
        return out;
    }
    let mut summary: Vec<String> = Vec::new();
    if diagnostics.error_count() > 0 {
        summary.push(counted(diagnostics.error_count(), "error"));
    }
    if diagnostics.warning_count() > 0 {
        summary.push(counted(diagnostics.warning_count(), "warning"));
    }
    out.push_str(&summary.join(", "));
    if diagnostics.left_out() > 0 {
        let _ = write!(out, ", and {} more that are not shown", diagnostics.left_out());
    }
    out.push('\n');
    out
}

/// A diagnostic with all of its text escaped.
struct Prepared {
    severity: Severity,
    code: &'static str,
    title: String,
    help: Vec<String>,
    shown: Vec<Shown>,
}

/// One place, or several on neighbouring lines of one file.
struct Shown {
    path: String,
    line: usize,
    column: usize,
    /// `None` when no line may be shown.
    lines: Option<Lines>,
    label: String,
}

struct Lines {
    text: String,
    marks: Vec<(std::ops::Range<usize>, String, AnnotationKind)>,
}

impl Prepared {
    fn new(diagnostic: &Diagnostic) -> Self {
        let mut shown = Vec::new();
        let mut joined: Vec<(&Place, AnnotationKind)> = vec![(&diagnostic.place, AnnotationKind::Primary)];
        let mut apart = Vec::new();
        for related in &diagnostic.related {
            if can_join(&joined, related) {
                joined.push((related, AnnotationKind::Context));
            } else {
                apart.push(related);
            }
        }
        shown.push(show(&joined));
        shown.extend(apart.into_iter().map(|place| show(&[(place, AnnotationKind::Context)])));
        Self {
            severity: diagnostic.severity,
            code: diagnostic.code.id,
            title: escape::line(&message(diagnostic)).into_owned(),
            help: diagnostic.help.iter().map(|help| escape::line(help).into_owned()).collect(),
            shown,
        }
    }

    fn report(&self) -> Vec<Group<'_>> {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(self.title.as_str()).id(self.code));
        for shown in &self.shown {
            if let Some(lines) = &shown.lines {
                let mut snippet = Snippet::source(lines.text.as_str()).line_start(shown.line).path(shown.path.as_str());
                for (span, label, kind) in &lines.marks {
                    let annotation = kind.span(span.clone());
                    snippet = snippet.annotation(if label.is_empty() {
                        annotation
                    } else {
                        annotation.label(label.as_str())
                    });
                }
                group = group.element(snippet);
            } else {
                group =
                    group.element(SnippetOrigin::path(shown.path.as_str()).line(shown.line).char_column(shown.column));
                if !shown.label.is_empty() {
                    group = group.element(Level::NOTE.message(shown.label.as_str()));
                }
            }
        }
        for help in &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        vec![group]
    }
}

/// Whether a place fits into the snippet of the ones before it: the same line or the next ones of the same file.
fn can_join(joined: &[(&Place, AnnotationKind)], place: &Place) -> bool {
    place.quote.is_some()
        && joined.iter().all(|(known, _)| {
            let near = known.origin.line.abs_diff(place.origin.line);
            // Lines in between would have to be shown, and only those with a mark are at hand.
            known.quote.is_some() && known.origin.file == place.origin.file && near <= JOINED_LINES
        })
        && contiguous(joined, place)
}

/// Whether the lines of the joined places, with this one, leave no gap.
fn contiguous(joined: &[(&Place, AnnotationKind)], place: &Place) -> bool {
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

fn show(places: &[(&Place, AnnotationKind)]) -> Shown {
    let mut sorted: Vec<_> = places.to_vec();
    sorted.sort_by_key(|(place, _)| place.origin.line);
    let first = sorted.first().map_or(0, |(place, _)| place.origin.line);
    let (path, line, column, label) = places.first().map_or_else(Default::default, |(place, _)| {
        (
            escape::line(&place.origin.file).into_owned(),
            place.origin.line as usize,
            place.origin.column as usize,
            escape::line(&place.label).into_owned(),
        )
    });
    let mut text = String::new();
    let mut marks = Vec::new();
    let mut last = None;
    let mut start = 0;
    for (place, kind) in sorted {
        let Some(quote) = &place.quote else { return Shown { path, line, column, lines: None, label } };
        if last != Some(place.origin.line) {
            if last.is_some() {
                text.push('\n');
            }
            start = text.len();
            text.push_str(&escape::source_line(&quote.text));
            last = Some(place.origin.line);
        }
        let marked = escaped_range(quote);
        marks.push((start + marked.start..start + marked.end, escape::line(&place.label).into_owned(), kind));
    }
    Shown { path, line: first as usize, column, lines: Some(Lines { text, marks }), label }
}

/// The marked range in the escaped line: escaping keeps the number of characters and may change that of bytes.
fn escaped_range(quote: &Quote) -> std::ops::Range<usize> {
    let width = |end: usize| escape::source_line(quote.text.get(..end).unwrap_or_default()).len();
    width(quote.marked.start)..width(quote.marked.end)
}
