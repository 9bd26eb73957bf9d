//! The text of the files that were read, and places in it.
//!
//! A [`Span`] is small and copyable, because every node of every manifest carries one. What may be quoted is decided
//! here too: a line is shown only through [`Sources::quote`], which hides whatever is not known to be no secret.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::shown::{Shown, known_key};
use crate::origin::Origin;

/// A place in one of the files of a [`Sources`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Span {
    /// Index of the file.
    pub(crate) file: u32,
    /// First byte.
    pub(crate) start: u32,
    /// The byte after the last one.
    pub(crate) end: u32,
    /// Line of the first byte, counted from 1.
    pub(crate) line: u32,
    /// Column of the first byte in characters, counted from 1.
    pub(crate) column: u32,
}

impl Span {
    /// Only its beginning: what it spans may be long, or a value.
    pub(crate) fn begin(self) -> Self {
        Self { end: self.start, ..self }
    }
}

/// Whether lines of a file may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quoting {
    /// A manifest: of its lines that is shown which is known to be no secret.
    Lines,
    /// A file that a manifest refers to, or one that is not there: no line of it is ever shown.
    Never,
}

#[derive(Clone, Debug)]
struct SourceFile {
    name: Arc<str>,
    text: Arc<str>,
    quoting: Quoting,
    /// What of it may be quoted; read when something is.
    shown: OnceLock<Shown>,
}

impl SourceFile {
    fn shown(&self) -> &Shown {
        self.shown.get_or_init(|| Shown::of_text(&self.text))
    }
}

/// The files that were read, by the index in [`Span::file`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    files: Vec<SourceFile>,
}

/// One line as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The line with `***` in the place of what may be a value. Control characters are still in it.
    pub text: String,
    /// The part that is meant, in bytes of `text`.
    pub marked: Range<usize>,
}

const MASK: &str = "***";

/// Lines longer than this are not quoted whole: only what surrounds the marked part is.
const QUOTED_CHARS: usize = 200;

/// How far a line is looked along, in bytes, to either side of the marked part. What stands further along is not
/// quoted.
const LONGEST_LINE: usize = 4096;

impl Sources {
    /// Adds a file and gives its index.
    pub(crate) fn add(&mut self, name: Arc<str>, text: Arc<str>, quoting: Quoting) -> u32 {
        self.files.push(SourceFile { name, text, quoting, shown: OnceLock::new() });
        u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX)
    }

    /// Whether a text stands in any of the files that may be shown: of manifests, that is.
    pub(crate) fn any_says(&self, text: &str) -> bool {
        self.files.iter().any(|source| source.quoting == Quoting::Lines && source.text.contains(text))
    }

    fn file(&self, file: u32) -> Option<&SourceFile> {
        self.files.get(usize::try_from(file).ok()?)
    }

    /// Whether lines of the file of a span may be shown at all.
    pub(crate) fn quotes(&self, span: Span) -> bool {
        self.file(span.file).is_some_and(|source| source.quoting == Quoting::Lines)
    }

    /// Whether all of a span may be shown: it is known to be no secret.
    pub(crate) fn shows(&self, span: Span) -> bool {
        self.file(span.file).is_some_and(|source| source.quoting == Quoting::Lines && source.shown().shows(span))
    }

    /// The text between the ends of a span.
    pub(crate) fn slice(&self, span: Span) -> Option<&str> {
        self.file(span.file)?.text.get(range(span))
    }

    /// A file's name, relative to the project's folder.
    pub(crate) fn name(&self, file: u32) -> Arc<str> {
        self.file(file).map_or_else(|| "".into(), |source| Arc::clone(&source.name))
    }

    /// The span as an origin.
    pub(crate) fn origin(&self, span: Span) -> Origin {
        Origin { file: self.name(span.file), line: span.line.max(1), column: span.column.max(1) }
    }

    /// The column after the span's last character on its first line, counted from 1.
    pub(crate) fn end_column(&self, span: Span) -> u32 {
        let width = self.slice(span).map_or(1, |text| {
            let seen = text.get(..floor(text, LONGEST_LINE)).unwrap_or_default();
            seen.lines().next().unwrap_or_default().trim_end().chars().count()
        });
        span.column.max(1) + u32::try_from(width.max(1)).unwrap_or(1)
    }

    /// A span within `span`, whose first byte is `offset` bytes after its start, if that is on the same line.
    pub(crate) fn within(&self, span: Span, offset: usize, length: usize) -> Option<Span> {
        let before = self.slice(span)?.get(..offset)?;
        if before.contains('\n') {
            return None;
        }
        let start = span.start + u32::try_from(offset).ok()?;
        Some(Span {
            start,
            end: (start + u32::try_from(length).ok()?).min(span.end),
            column: span.column + u32::try_from(before.chars().count()).ok()?,
            ..span
        })
    }

    /// The line of a span, or `None` where nothing may be shown. `in_value` says that the span itself belongs to a
    /// value.
    pub(crate) fn quote(&self, span: Span, in_value: bool) -> Option<Quote> {
        let source = self.file(span.file).filter(|source| source.quoting == Quoting::Lines)?;
        let text: &str = &source.text;
        let start = usize::try_from(span.start).ok()?.min(text.len());
        let (line_start, line_end) = line_around(text, start)?;
        let line = text.get(line_start..line_end)?;
        let mut marked = start - line_start..usize::try_from(span.end).ok()?.clamp(start, line_end) - line_start;
        let mut mask_from =
            source.shown().hidden_from(&source.text, line_start..line_end).map(|from| from - line_start);
        if in_value {
            mask_from = Some(mask_from.map_or(marked.start, |from| from.min(marked.start)));
        }
        let mut text = line.to_owned();
        if let Some(from) = mask_from {
            // The indentation stays, so that the line still looks like a line.
            let indent = line.len() - line.trim_start().len();
            let word = known_key(line.trim_start());
            let from = from.max(indent + word).min(line.len());
            let space = if line.get(..from).is_some_and(|kept| kept.ends_with(':')) { " " } else { "" };
            text = format!("{}{space}{MASK}", line.get(..from)?);
            let hidden = text.len() - MASK.len()..text.len();
            if marked.start >= from {
                marked = hidden;
            } else {
                marked.end = marked.end.min(from);
            }
        }
        marked.end = marked.start + text.get(marked.clone()).map_or(0, |marked| marked.trim_end().len());
        Some(shorten(Quote { text, marked }))
    }
}

/// The line at `start`, by its first byte and the one after its last; `None` when too much stands before `start`. A
/// thousand mistakes in one line of a mebibyte are not worth a look at all of it each time.
fn line_around(text: &str, start: usize) -> Option<(usize, usize)> {
    let from = floor(text, start.saturating_sub(LONGEST_LINE));
    let to = floor(text, start + LONGEST_LINE);
    let before = text.get(from..start)?.rfind(['\n', '\r']).map(|at| from + at + 1);
    let line_start = before.or_else(|| (from == 0).then_some(0))?;
    let line_end = text.get(start..to)?.find(['\n', '\r']).map_or(to, |at| start + at);
    Some((line_start, line_end))
}

/// The last boundary of a character up to `at`.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

/// A byte range as `usize`.
fn range(span: Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

/// Cuts a very long line down to the surroundings of what is marked.
fn shorten(quote: Quote) -> Quote {
    if quote.text.len() <= QUOTED_CHARS {
        return quote;
    }
    let floor = |mut at: usize| {
        while !quote.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let from = floor(quote.marked.start.saturating_sub(QUOTED_CHARS / 2));
    let to = floor((from + QUOTED_CHARS).min(quote.text.len()));
    let lead = if from > 0 { "…" } else { "" };
    let tail = if to < quote.text.len() { "…" } else { "" };
    let text = format!("{lead}{}{tail}", quote.text.get(from..to).unwrap_or_default());
    let shift = |at: usize| (at.clamp(from, to)) - from + lead.len();
    Quote { marked: shift(quote.marked.start)..shift(quote.marked.end), text }
}
