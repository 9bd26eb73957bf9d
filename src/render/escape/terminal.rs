//! Text on a terminal or in a log.
//!
//! A character that could move the cursor, or hide or reorder text, becomes visible, and nothing can begin a command of
//! the runners that read logs: `##[command]` (GitHub, Azure Pipelines as `##vso[`, TeamCity) anywhere in a line, and
//! `::command::` (GitHub) at its beginning, behind spaces too. All other formats begin with this, since all of them are
//! printed somewhere.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use super::{Escaped, Fragment, Terminal};

/// Characters that reorder or hide text: bidirectional controls, zero-width characters, the byte-order mark, tags,
/// variation selectors, line and paragraph separators, and the two codes that are no characters and not allowed in XML.
pub(crate) fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Appends the escape of a character.
pub(super) fn push_escape(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c => {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
    }
}

fn replace_where(text: &str, unsafe_char: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&unsafe_char) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if unsafe_char(c) {
            push_escape(&mut out, c);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Whether a `[` behind this text begins a command: `##[`, `##vso[`, `##teamcity[`.
pub(crate) fn calls_runner(before: &str) -> bool {
    before.trim_end_matches(|c: char| c.is_ascii_alphanumeric()).ends_with("##")
}

/// Breaks `##[command]`.
fn no_inner_command(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains("##") {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c == '[' && calls_runner(&out) {
            push_escape(&mut out, c);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Breaks `::command::` at the beginning of a line.
fn no_command(line: Cow<'_, str>) -> Cow<'_, str> {
    match line.trim_start().strip_prefix("::") {
        Some(rest) => Cow::Owned(format!("{}\\u{{3a}}:{rest}", &line[..line.len() - rest.len() - 2])),
        None => line,
    }
}

/// Text in which every character is visible, on one line that follows other text.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    no_inner_command(replace_where(text, |c| c.is_control() || is_deceptive(c)))
}

/// Text on one line, wherever the line begins: what every other format begins with.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    no_command(visible(text))
}

/// Text on one line: control and deceptive characters, line breaks included, become escapes.
pub fn line(text: &str) -> Escaped<Terminal> {
    Escaped::vouch(printable(text))
}

/// Text of several lines: as [`line`], but line feeds stay.
pub fn block(text: &str) -> Escaped<Terminal> {
    Escaped::vouch(text.split('\n').map(printable).collect::<Vec<_>>().join("\n"))
}

/// A file's path, on one line.
pub fn path(path: &Path) -> Escaped<Terminal> {
    line(&path.display().to_string())
}

/// An address and a port.
pub fn address(address: SocketAddr) -> Escaped<Terminal> {
    Escaped::vouch(address.to_string())
}

/// As [`block`], for text that is painted already: styles stay, and no other control sequence does.
pub fn painted_block(text: &str) -> Escaped<Terminal> {
    let mut out = Escaped::default();
    for (at, part) in text.split("\u{1b}[").enumerate() {
        let style = part.find(|c: char| !(c.is_ascii_digit() || c == ';')).filter(|end| part[*end..].starts_with('m'));
        match style {
            Some(end) if at > 0 => {
                out.push_text("\u{1b}[");
                out.push_text(&part[..=end]);
                out.push(&block(&part[end + 1..]));
            }
            _ => {
                if at > 0 {
                    out.push(&line("\u{1b}["));
                }
                out.push(&block(part));
            }
        }
    }
    out
}

/// A script, or a manual page: as [`block`], but tabs stay too.
pub fn script(text: &str) -> Escaped<Terminal> {
    Escaped::vouch(text.split('\t').map(|part| block(part).text).collect::<Vec<_>>().join("\t"))
}

/// One line of source as it is quoted in a diagnostic: every dangerous character becomes one `\u{fffd}`, so that
/// columns stay where they are; a tab becomes one space.
pub fn source_line(text: &str) -> Escaped<Terminal> {
    let mut out = String::with_capacity(text.len());
    let begin = text.len() - text.trim_start().len();
    for (at, c) in text.char_indices() {
        let begins_command = (c == '[' && calls_runner(&text[..at])) || (at == begin && text[at..].starts_with("::"));
        out.push(match c {
            '\t' => ' ',
            c if begins_command || c.is_control() || is_deceptive(c) => '\u{fffd}',
            c => c,
        });
    }
    Escaped::vouch(out)
}

impl Escaped<Terminal> {
    /// One line as several, each of at most so many columns where the words allow it, and all but the first indented.
    #[must_use]
    pub fn wrapped(&self, columns: usize, indent: usize) -> Self {
        let indent = indent.min(columns / 3);
        let (mut out, mut column) = (String::with_capacity(self.text.len() + 64), 0);
        for (at, word) in self.text.split(' ').enumerate() {
            let width = width(word);
            let fits = column + 1 + width <= columns || column <= indent || word.is_empty();
            if at == 0 {
                column = width;
            } else if fits || word.starts_with(':') {
                out.push(' ');
                column += 1 + width;
            } else {
                out.truncate(out.trim_end_matches(' ').len());
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent));
                column = indent + width;
            }
            out.push_str(word);
        }
        Self::vouch(out)
    }
}

/// The columns that a text takes; styles take none.
fn width(text: &str) -> usize {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().map_or(0, UnicodeWidthStr::width);
    first + parts.map(|part| part.split_once('m').map_or(part, |(_, rest)| rest).width()).sum::<usize>()
}

/// Text in a style.
pub fn styled(style: Style, text: impl Fragment<Terminal>) -> Escaped<Terminal> {
    let mut out = Escaped::vouch(style.render().to_string());
    text.push_to(&mut out);
    out.push_text(&style.render_reset().to_string());
    out
}
