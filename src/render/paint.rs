//! Colour, or none, and how wide a line may be.

use anstyle::{AnsiColor, Style};

use super::escape::{self, Escaped, Fragment, Terminal};

/// Paints escaped text when colour is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    colour: bool,
    columns: Option<usize>,
}

impl Paint {
    /// With colour or without.
    pub const fn new(colour: bool) -> Self {
        Self { colour, columns: None }
    }

    /// The same for a terminal of so many columns; none stands for lines of any length.
    #[must_use]
    pub const fn within(self, columns: Option<usize>) -> Self {
        Self { columns, ..self }
    }

    /// A line of a text for people, wrapped where a terminal is narrower; what follows its first line is indented.
    pub(super) fn line(self, line: &Escaped<Terminal>, indent: usize) -> Escaped<Terminal> {
        self.columns.map_or_else(|| line.clone(), |columns| line.wrapped(columns, indent))
    }

    /// Whether colour is wanted.
    pub const fn is_on(self) -> bool {
        self.colour
    }

    fn with(self, style: Style, text: impl Fragment<Terminal>) -> Escaped<Terminal> {
        if self.colour { escape::styled(style, text) } else { std::iter::once(text).collect() }
    }

    /// Something that comes to be.
    pub fn added(self, text: impl Fragment<Terminal>) -> Escaped<Terminal> {
        self.with(AnsiColor::Green.on_default(), text)
    }

    /// Something that goes.
    pub fn removed(self, text: impl Fragment<Terminal>) -> Escaped<Terminal> {
        self.with(AnsiColor::Red.on_default(), text)
    }

    /// Something that changes.
    pub fn changed(self, text: impl Fragment<Terminal>) -> Escaped<Terminal> {
        self.with(AnsiColor::Yellow.on_default(), text)
    }

    /// Something that changes hands, or comes back.
    pub fn moved(self, text: impl Fragment<Terminal>) -> Escaped<Terminal> {
        self.with(AnsiColor::Cyan.on_default(), text)
    }

    /// Something that went wrong.
    pub fn error(self, text: impl Fragment<Terminal>) -> Escaped<Terminal> {
        self.with(AnsiColor::Red.on_default().bold(), text)
    }

    /// Something that somebody should look at.
    pub fn warning(self, text: impl Fragment<Terminal>) -> Escaped<Terminal> {
        self.with(AnsiColor::Yellow.on_default().bold(), text)
    }

    /// A heading or a name.
    pub fn strong(self, text: impl Fragment<Terminal>) -> Escaped<Terminal> {
        self.with(Style::new().bold(), text)
    }

    /// What matters less: places, notes.
    pub fn faint(self, text: impl Fragment<Terminal>) -> Escaped<Terminal> {
        self.with(Style::new().dimmed(), text)
    }
}
