//! Formats that other programs read: JSON, Prometheus' text format, Slack's messages, workflow commands of GitHub.

use std::fmt::Write as _;

use serde::Serialize;

use super::terminal::{calls_runner, is_deceptive, printable, visible};
use super::{Csv, Escaped, Json, Prometheus, Slack, Workflow};

/// The value of a label in Prometheus' text format, between quotation marks.
pub fn prometheus_label(text: &str) -> Escaped<Prometheus> {
    Escaped::vouch(printable(text).replace('\\', "\\\\").replace('"', "\\\""))
}

/// Text of a Slack message: its marks for links, mentions and commands (`<!channel>`) cannot be in it.
pub fn slack(text: &str) -> Escaped<Slack> {
    Escaped::vouch(printable(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

/// A field of CSV, with its quotation marks where it needs them (RFC 4180). What a spreadsheet would take for a formula
/// begins with an apostrophe, as OWASP's "CSV Injection" has it.
pub fn csv(text: &str) -> Escaped<Csv> {
    let mut field = printable(text).into_owned();
    // The first sign counts for some programs, and the first behind blanks for others.
    if field.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
        field.insert(0, '\'');
    }
    let quoted = field.contains(['"', ',', ';', '\n', '\r', '\t']) || field.trim() != field;
    Escaped::vouch(if quoted { format!("\"{}\"", field.replace('"', "\"\"")) } else { field })
}

/// The message of a GitHub workflow command (`::error::MESSAGE`), of several lines: `%` and the line feeds between them
/// are encoded as the runner decodes them.
pub fn workflow_message<T: AsRef<str>>(lines: &[T]) -> Escaped<Workflow> {
    let lines: Vec<String> = lines.iter().map(|line| visible(line.as_ref()).replace('%', "%25")).collect();
    Escaped::vouch(lines.join("%0A"))
}

/// A property of a GitHub workflow command (`::error file=PROPERTY::`): as the message, and `:` and `,` too.
pub fn workflow_property(text: &str) -> Escaped<Workflow> {
    Escaped::vouch(visible(text).replace('%', "%25").replace(':', "%3A").replace(',', "%2C"))
}

/// A document as JSON text with a final line feed. serde escapes what ends a string and control characters; what
/// reorders text, and what calls a runner (`##[`), becomes an escape of JSON here, which reads as the same text.
pub fn json(document: &impl Serialize) -> Escaped<Json> {
    // Strings, numbers, lists and maps with text keys: this cannot fail.
    readable(&serde_json::to_string_pretty(document).unwrap_or_default())
}

/// A document as JSON on one line, as [`json`] escapes it.
pub fn json_line(document: &impl Serialize) -> Escaped<Json> {
    // What is written has only members that JSON can hold.
    readable(&serde_json::to_string(document).unwrap_or_default())
}

fn readable(json: &str) -> Escaped<Json> {
    let mut out = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        if is_deceptive(c) || (c == '[' && calls_runner(&out)) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    Escaped::vouch(out)
}
