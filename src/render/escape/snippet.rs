//! Lines of source with marks below them, as compilers show them. The library that lays them out takes text of any
//! kind, so it is called in here, where it gets nothing but escaped text.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet as SourceSnippet};
use anstream::adapter::strip_str;

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
    /// Where it is in the file, whatever the lines below leave out.
    pub(in crate::render) line: usize,
    pub(in crate::render) column: usize,
    /// `None` when no line may be shown.
    pub(in crate::render) lines: Option<Lines>,
    pub(in crate::render) label: Escaped<Terminal>,
}

/// Lines of a file.
pub(in crate::render) struct Lines {
    /// The number of the first one.
    pub(in crate::render) first: usize,
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
        Escaped::vouch(self.with_columns(&renderer.render(&[group])))
    }

    /// The library counts columns in what it is given, where a value is three asterisks and a long line is cut: the
    /// heads of places get the columns in the file.
    fn with_columns(&self, rendered: &str) -> String {
        let mut places = self.shown.iter().peekable();
        let mut out = String::with_capacity(rendered.len());
        for line in rendered.split_inclusive('\n') {
            let plain = strip_str(line).to_string();
            let is_head = plain.trim_start().starts_with("--> ") || plain.trim_start().starts_with("::: ");
            let replaced = places.peek().filter(|_| is_head).and_then(|shown| {
                let place = format!("{}:{}:", shown.path.as_str(), shown.line);
                let (before, behind) = line.rsplit_once(&place)?;
                let column = behind.chars().take_while(char::is_ascii_digit).count();
                Some(format!("{before}{place}{}{}", shown.column, &behind[column..]))
            });
            if replaced.is_some() {
                places.next();
            }
            out.push_str(replaced.as_deref().unwrap_or(line));
        }
        out
    }
}

impl Lines {
    fn snippet<'a>(&'a self, shown: &'a Shown) -> SourceSnippet<'a, annotate_snippets::Annotation<'a>> {
        let source = SourceSnippet::source(self.text.as_str()).line_start(self.first).path(shown.path.as_str());
        self.marks.iter().fold(source, |source, mark| {
            let kind = if mark.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(mark.span.clone());
            source.annotation(if mark.label.is_empty() { annotation } else { annotation.label(mark.label.as_str()) })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::line;
    use super::*;

    #[test]
    fn a_place_is_that_in_the_file_and_not_that_in_what_is_shown() {
        let shown = |line_number, column, text: &str| Shown {
            path: line("a.yaml"),
            line: line_number,
            column,
            lines: Some(Lines {
                first: line_number,
                text: line(text),
                marks: vec![Mark { span: 7..10, label: Escaped::default(), primary: true }],
            }),
            label: Escaped::default(),
        };
        let snippet = Snippet {
            error: true,
            code: "rule",
            title: line("not a.yaml:4:1"),
            help: vec![line("--> a.yaml:4:2")],
            shown: vec![shown(4, 31, "value: ***"), shown(9, 52, "value: ***")],
        };
        for colour in [false, true] {
            let text = strip_str(snippet.text(colour).as_str()).to_string();
            let heads: Vec<&str> = text.lines().filter(|line| line.contains("a.yaml:")).map(str::trim).collect();
            let expected =
                ["error[rule]: not a.yaml:4:1", "--> a.yaml:4:31", "::: a.yaml:9:52", "= help: --> a.yaml:4:2"];
            assert_eq!(heads, expected, "{text}");
        }
    }
}
