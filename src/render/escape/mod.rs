//! The one place that makes text safe to write, and the type that proves it.
//!
//! Tags, descriptions, status messages, error texts of AWS and names of files are written by others. On their way out
//! they pass one of the functions in here, which give [`Escaped`] text of one [`Format`]. Writers take nothing else, so
//! that a forgotten escape, and the escape of another format, do not compile:
//!
//! ```
//! use keywright::render::escape::{self, Escaped, Markup};
//!
//! let tag = String::from("<script>alert(1)</script>");
//! let cell: Escaped<Markup> = Escaped::fill("<td>{}</td>", &[&escape::markup(&tag)]);
//! assert_eq!(cell.as_str(), "<td>&lt;script&gt;alert(1)&lt;/script&gt;</td>");
//! ```
//!
//! Text as it came is no part of it:
//!
//! ```compile_fail,E0277
//! use keywright::render::escape::{self, Escaped, Markup};
//!
//! let tag = String::from("<script>alert(1)</script>");
//! let cell: Escaped<Markup> = Escaped::fill("<td>{}</td>", &[&tag]);
//! ```
//!
//! nor is a borrowed text, which is a literal only when it is `'static`:
//!
//! ```compile_fail,E0597
//! use keywright::render::escape::{self, Escaped, Markup};
//!
//! let tag = String::from("<script>alert(1)</script>");
//! let cell: Escaped<Markup> = Escaped::fill("<td>{}</td>", &[&tag.as_str()]);
//! ```
//!
//! nor one that was made safe for a terminal, where `<script>` is only a word:
//!
//! ```compile_fail,E0277
//! use keywright::render::escape::{self, Escaped, Markup};
//!
//! let tag = String::from("<script>alert(1)</script>");
//! let cell: Escaped<Markup> = Escaped::fill("<td>{}</td>", &[&escape::line(&tag)]);
//! ```
//!
//! nor can it be built by hand:
//!
//! ```compile_fail,E0624
//! use keywright::render::escape::{Escaped, Markup};
//!
//! let cell: Escaped<Markup> = Escaped::vouch(String::from("<script>alert(1)</script>"));
//! ```
//!
//! JSON has no function for its texts: serde escapes them, and [`json`] takes what can be serialised. Secret values
//! never come here at all: they have no text form.

mod drawing;
mod format;
mod fragment;
mod machine;
mod markdown;
mod markup;
mod snippet;
mod terminal;
#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

pub use drawing::{dot, mermaid};
pub use format::{Csv, Dot, Format, Json, Markdown, Markup, Mermaid, Prometheus, Slack, Terminal, Workflow};
pub use fragment::{Fragment, decimal, padded, slots, time};
pub use machine::{csv, json, json_line, prometheus_label, slack, workflow_message, workflow_property};
pub use markdown::{cell, code, code_block, html_code, markdown, marker};
pub use markup::{markup, push_data};
pub(super) use snippet::{Lines, Mark, Shown, Snippet};
pub use terminal::{address, block, line, painted_block, path, script, source_line, styled};
pub(crate) use terminal::{calls_runner, is_deceptive};

/// Text that is safe to write in a format: literals of this program, numbers, and what the functions of
/// [`crate::render::escape`] have made of the text of others.
///
/// A line of it never begins with `::`, and `##[` is nowhere in it, unless the format is [`Workflow`]: a runner that
/// reads the log would take that for a command.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Escaped<F> {
    text: String,
    format: PhantomData<fn() -> F>,
}

impl<F: Format> Escaped<F> {
    /// Text that is safe already. Only the functions of this folder may say so.
    fn vouch(text: impl Into<String>) -> Self {
        Self { text: text.into(), format: PhantomData }
    }

    /// A template with each `{}` replaced by a fragment, in order; `{{` and `}}` are braces. The macro
    /// `escaped!` checks the number of fragments when it is compiled.
    #[must_use]
    pub fn fill(template: &'static str, fragments: &[&dyn Fragment<F>]) -> Self {
        let mut out = Self::default();
        let (mut rest, mut fragments) = (template, fragments.iter());
        while let Some(at) = rest.find(['{', '}']) {
            let (before, tail) = rest.split_at(at);
            out.push_text(before);
            if let Some(behind) = tail.strip_prefix("{}") {
                if let Some(fragment) = fragments.next() {
                    fragment.push_to(&mut out);
                }
                rest = behind;
            } else {
                out.push_text(&tail[..1]);
                rest = tail.strip_prefix("{{").or_else(|| tail.strip_prefix("}}")).unwrap_or(&tail[1..]);
            }
        }
        out.push_text(rest);
        out
    }

    /// Appends a fragment.
    pub fn push(&mut self, fragment: &impl Fragment<F>) {
        fragment.push_to(self);
    }

    /// Fragments with a separator between them.
    #[must_use]
    pub fn join<T: Fragment<F>>(fragments: impl IntoIterator<Item = T>, separator: &'static str) -> Self {
        let mut out = Self::default();
        for (at, fragment) in fragments.into_iter().enumerate() {
            if at > 0 {
                out.push_text(separator);
            }
            fragment.push_to(&mut out);
        }
        out
    }

    /// Its lines, without line feeds.
    pub fn each_line(&self) -> impl Iterator<Item = Self> {
        self.text.lines().map(Self::vouch)
    }

    /// The same without the white space at its end.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        self.text.truncate(self.text.trim_end().len());
        self
    }

    /// The text; its type no longer shows that it is escaped.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text; its type no longer shows that it is escaped.
    pub fn into_owned(self) -> String {
        self.text
    }

    /// Appends a piece of escaped text. Two harmless pieces may make the beginning of a workflow command where they
    /// meet, and then the second one begins with an escape.
    fn push_text(&mut self, piece: &str) {
        let meets_command = || {
            let line = &self.text[self.text.rfind('\n').map_or(0, |at| at + 1)..];
            if piece.starts_with(':') {
                return line.trim_start() == ":";
            }
            let head = piece.split_once('[').map_or(" ", |(head, _)| head);
            head.chars().all(|c| c == '#' || c.is_ascii_alphanumeric())
                && terminal::calls_runner(&format!("{line}{head}"))
        };
        match piece.chars().next() {
            Some(first) if !F::COMMANDS && meets_command() => {
                terminal::push_escape(&mut self.text, first);
                self.text.push_str(&piece[first.len_utf8()..]);
            }
            _ => self.text.push_str(piece),
        }
    }
}

impl<F> Deref for Escaped<F> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl<F> AsRef<str> for Escaped<F> {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl<F> Borrow<str> for Escaped<F> {
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl<F: Format> From<&'static str> for Escaped<F> {
    fn from(literal: &'static str) -> Self {
        Self::vouch(literal)
    }
}

impl<F: Format, T: Fragment<F>> FromIterator<T> for Escaped<F> {
    fn from_iter<I: IntoIterator<Item = T>>(fragments: I) -> Self {
        Self::join(fragments, "")
    }
}

impl<F> fmt::Display for Escaped<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl<F> fmt::Debug for Escaped<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl<F> PartialEq<str> for Escaped<F> {
    fn eq(&self, other: &str) -> bool {
        self.text == other
    }
}

impl<F> PartialEq<&str> for Escaped<F> {
    fn eq(&self, other: &&str) -> bool {
        self.text == *other
    }
}

/// A finished document in whichever format: it is written, and is no part of anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact(String);

impl Artifact {
    /// The document.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Artifact {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<F> From<Escaped<F>> for Artifact {
    fn from(text: Escaped<F>) -> Self {
        Self(text.text)
    }
}

/// [`Escaped`] text of a template and what stands in its place holders `{}`: escaped text of the same format, numbers
/// and literals. The format is that of what it becomes a part of.
macro_rules! escaped {
    ($template:literal $(, $fragment:expr)* $(,)?) => {{
        const {
            assert!(
                $crate::render::escape::slots($template) == <[&str]>::len(&[$(stringify!($fragment)),*]),
                "the number of place holders and of fragments differ"
            );
        }
        $crate::render::escape::Escaped::fill($template, &[$(&$fragment),*])
    }};
}
pub(crate) use escaped;
