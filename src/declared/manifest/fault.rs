//! A mistake within a string, and its place in the source.

use std::ops::Range;

use super::codes::Code;
use super::diagnostic::Problem;
use super::source::{Sources, Span};

/// A mistake in a string.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: &'static Code,
    /// The bytes of the string that are meant.
    pub(crate) at: Range<usize>,
    pub(crate) message: String,
    pub(crate) label: String,
    pub(crate) help: Vec<String>,
}

impl Fault {
    /// The problem, in the string `text` at `span`.
    pub(crate) fn in_text(self, text: &str, span: Span, sources: &Sources) -> Problem {
        let Self { code, at, message, label, help } = self;
        let mut problem = Problem::new(code, place(text, span, &at, sources), message).label(label);
        problem.help = help;
        problem
    }
}

/// The place of a fault within a string, where the source shows it as it is; else the whole string.
fn place(text: &str, span: Span, at: &Range<usize>, sources: &Sources) -> Span {
    let Some(source) = sources.slice(span) else { return span };
    let quote = usize::from(source.starts_with(['"', '\'']));
    let snippet = text.get(at.clone()).unwrap_or_default();
    if source.get(quote + at.start..quote + at.end) == Some(snippet) {
        return sources.within(span, quote + at.start, snippet.len()).unwrap_or(span);
    }
    span
}
