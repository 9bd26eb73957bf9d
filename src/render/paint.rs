//! Colour, or none.

use anstyle::{AnsiColor, Style};

use super::escape::{self, Escaped, Fragment, Terminal};

/// Paints escaped text when colour is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    colour: bool,
}

impl Paint {
    /// With colour or without.
    pub const fn new(colour: bool) -> Self {
        Self { colour }
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
