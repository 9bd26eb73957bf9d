//! Markdown, as GitHub reads it.

use super::terminal::printable;
use super::{Escaped, Format, Markdown, markup};

/// The longest run of backticks in a text.
fn backticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// A code span, which nothing within ends early. Mentions, references, links, images and HTML are not read in it.
pub fn code(text: &str) -> Escaped<Markdown> {
    Escaped::vouch(span(&printable(text)))
}

fn span(text: &str) -> String {
    let fence = "`".repeat(backticks(text) + 1);
    // One space on both sides is taken away again; a span of nothing would be no span.
    let pad = if text.is_empty() || text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A code block of lines that are escaped for whatever shows them. Its fence is longer than any run of backticks in
/// them.
pub fn code_block<F: Format>(language: &'static str, content: &Escaped<F>) -> Escaped<Markdown> {
    let fence = "`".repeat(backticks(content).max(2) + 1);
    Escaped::vouch(format!("{fence}{language}\n{content}{fence}\n"))
}

/// Code in a line of HTML that stands in Markdown, where code spans are not read.
pub fn html_code(text: &str) -> Escaped<Markdown> {
    Escaped::vouch(format!("<code>{}</code>", markup(text)))
}

/// Text within a paragraph: words with anything in them but letters, digits and plain punctuation stand in code spans,
/// where neither Markdown nor HTML nor GitHub's mentions (`@name`), references (`#12`, commit ids) and links are read.
/// Backslashes would not do: GitHub looks for mentions in what Markdown has become.
pub fn markdown(text: &str) -> Escaped<Markdown> {
    let text = printable(text);
    let mut out: Vec<String> = Vec::new();
    let mut risky: Vec<&str> = Vec::new();
    for word in text.split(' ') {
        if is_plain_word(word) {
            if !risky.is_empty() {
                out.push(span_within(&std::mem::take(&mut risky).join(" ")));
            }
            out.push(word.to_owned());
        } else {
            risky.push(word);
        }
    }
    if !risky.is_empty() {
        out.push(span_within(&risky.join(" ")));
    }
    Escaped::vouch(out.join(" "))
}

/// A code span of all but the punctuation around it.
fn span_within(text: &str) -> String {
    let inner = text.trim_start_matches('(');
    let before = &text[..text.len() - inner.len()];
    let inner = inner.trim_end_matches(|c| matches!(c, ',' | '.' | ':') || (c == ')' && !before.is_empty()));
    let after = &text[before.len() + inner.len()..];
    format!("{before}{}{after}", span(inner))
}

/// Whether Markdown, and what GitHub makes of it, leaves a word as it is.
fn is_plain_word(word: &str) -> bool {
    let body = word.trim_start_matches('(').trim_end_matches([')', ',', '.', ':', ';']);
    let harmless = body.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '\'' | '→' | '·'));
    let hidden_reference = body.contains('-') && body.contains(|c: char| c.is_ascii_digit());
    let commit = body.len() >= 7 && body.bytes().all(|byte| byte.is_ascii_hexdigit());
    harmless && !hidden_reference && !commit
}

/// Markdown that stands in a cell of a table: bars, in code spans too, do not end it.
pub fn cell(markdown: &Escaped<Markdown>) -> Escaped<Markdown> {
    Escaped::vouch(markdown.replace('|', "\\|"))
}

/// A word within an HTML comment: letters, digits, and hyphens that do not follow each other.
pub fn marker(text: &str) -> Escaped<Markdown> {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let c = if c.is_ascii_alphanumeric() || (c == '-' && !out.ends_with('-')) { c } else { '_' };
        out.push(c);
    }
    Escaped::vouch(out)
}
