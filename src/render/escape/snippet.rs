//! Lines of source with marks below them, as compilers show them. The library that lays them out takes text of any
//! kind, so it is called in here, where it gets nothing but escaped text.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet as SourceSnippet};

use super::{Escaped, Terminal};

/// What was found, and where.
pub(in crate::render) struct Snippet {
    /// Whether it is an error; a warning otherwise.
    pub(in crate::render) error: bool,
    pub(in crate::render) code: &'static str,
    pub(in crate::render) title: Escaped<Terminal>,
    pub(in crate::render) help: Vec<Escaped<Terminal>>,
    pub(in crate::render) shown: Vec<Shown>,
}

/// One place, or several on neighbouring lines of one file.
pub(in crate::render) struct Shown {
    pub(in crate::render) path: Escaped<Terminal>,
    pub(in crate::render) line: usize,
    pub(in crate::render) column: usize,
    /// `None` when no line may be shown.
    pub(in crate::render) lines: Option<Lines>,
    pub(in crate::render) label: Escaped<Terminal>,
}

/// Lines of a file.
pub(in crate::render) struct Lines {
    pub(in crate::render) text: Escaped<Terminal>,
    pub(in crate::render) marks: Vec<Mark>,
}

/// A part of the lines that is marked.
pub(in crate::render) struct Mark {
    /// Bytes of the escaped text.
    pub(in crate::render) span: Range<usize>,
    pub(in crate::render) label: Escaped<Terminal>,
    /// Whether this is what was found; something that belongs to it otherwise.
    pub(in crate::render) primary: bool,
}

impl Snippet {
    /// The snippet as text, with colour or without.
    pub(in crate::render) fn text(&self, colour: bool) -> Escaped<Terminal> {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let level = if self.error { Level::ERROR } else { Level::WARNING };
        let mut group = Group::with_title(level.primary_title(self.title.as_str()).id(self.code));
        for shown in &self.shown {
            if let Some(lines) = &shown.lines {
                group = group.element(lines.snippet(shown));
                continue;
            }
            group = group.element(Origin::path(shown.path.as_str()).line(shown.line).char_column(shown.column));
            if !shown.label.is_empty() {
                group = group.element(Level::NOTE.message(shown.label.as_str()));
            }
        }
        for help in &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        Escaped::vouch(renderer.render(&[group]))
    }
}

impl Lines {
    fn snippet<'a>(&'a self, shown: &'a Shown) -> SourceSnippet<'a, annotate_snippets::Annotation<'a>> {
        let source = SourceSnippet::source(self.text.as_str()).line_start(shown.line).path(shown.path.as_str());
        self.marks.iter().fold(source, |source, mark| {
            let kind = if mark.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(mark.span.clone());
            source.annotation(if mark.label.is_empty() { annotation } else { annotation.label(mark.label.as_str()) })
        })
    }
}
