//! Hostile text made safe to print: the one place for it.
//!
//! Everything live or written by people passes through here on its way out: tags, descriptions, status messages, error
//! texts of AWS, names of files. A value that could move the cursor, reorder the line, or be read as a command by what
//! shows it is turned into visible characters. Secret values never come here at all: they have no text form.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Characters that reorder or hide text: bidirectional controls, zero-width characters, the byte-order mark, tags,
/// variation selectors, and line and paragraph separators.
pub(super) fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn push_escaped(out: &mut String, c: char) {
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
            push_escaped(&mut out, c);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Text on one line of a terminal or a log: control and deceptive characters, line breaks included, become escapes.
pub fn line(text: &str) -> Cow<'_, str> {
    replace_where(text, |c| c.is_control() || is_deceptive(c))
}

/// Text of several lines: as [`line`], but line feeds stay. Only for text that is indented afterwards, so that no line of
/// it can begin in the first column.
pub fn block(text: &str) -> Cow<'_, str> {
    replace_where(text, |c| c != '\n' && (c.is_control() || is_deceptive(c)))
}

/// One line of source as it is quoted in a diagnostic: every dangerous character becomes one `\u{fffd}`, so that columns
/// stay where they are; a tab becomes one space.
pub fn source_line(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_control() || is_deceptive(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// The message of a GitHub workflow command (`::error::MESSAGE`): `%`, CR and LF are encoded as the runner decodes them.
pub fn workflow_message(text: &str) -> String {
    text.lines().map(|text| line(text).replace('%', "%25")).collect::<Vec<_>>().join("%0A")
}

/// A property of a GitHub workflow command (`::error file=PROPERTY::`): as the message, and `:` and `,` too.
pub fn workflow_property(text: &str) -> String {
    line(text).replace('%', "%25").replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn safe_text_is_borrowed() {
        assert!(matches!(line("staging/payments/db – größer"), Cow::Borrowed(_)));
    }

    #[test]
    fn terminal_control_and_reordering_become_visible() {
        assert_eq!(line("a\u{1b}[2Jb\rc\nd"), "a\\u{1b}[2Jb\\rc\\nd");
        assert_eq!(line("user\u{202e}nimda\u{200b}"), "user\\u{202e}nimda\\u{200b}");
        assert_eq!(line("\u{9b}31m"), "\\u{9b}31m", "C1 controls are controls too");
    }

    #[test]
    fn a_block_keeps_its_line_feeds_only() {
        assert_eq!(block("a\nb\r\u{7}"), "a\nb\\r\\u{7}");
    }

    #[test]
    fn a_source_line_keeps_its_columns() {
        assert_eq!(source_line("a\tb\u{1b}c"), "a b\u{fffd}c");
    }

    #[test]
    fn workflow_commands_cannot_be_broken_out_of() {
        assert_eq!(workflow_message("100%\n::set-env::"), "100%25%0A::set-env::");
        assert_eq!(workflow_property("a:b,c%\n"), "a%3Ab%2Cc%25\\n");
    }
}
