//! Formats that other programs read: JSON, Prometheus' text format, Slack's messages, workflow commands of GitHub.

use std::fmt::Write as _;
use std::io;

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
    written(|out| serde_json::to_writer_pretty(out, document))
}

/// A document as JSON on one line, as [`json`] escapes it.
pub fn json_line(document: &impl Serialize) -> Escaped<Json> {
    written(|out| serde_json::to_writer(out, document))
}

fn written(write: impl FnOnce(JsonText<'_, fn(char) -> bool>) -> serde_json::Result<()>) -> Escaped<Json> {
    let mut out = String::new();
    // What is written has only members that JSON can hold, and a String takes all of it.
    let _ = write(JsonText { out: &mut out, hides: is_deceptive });
    out.push('\n');
    Escaped::vouch(out)
}

/// JSON on its way into a text: characters that are hidden become escapes, which read as the same text. Outside of its
/// strings JSON has none of them. A large document is never there twice.
pub(super) struct JsonText<'o, H> {
    pub(super) out: &'o mut String,
    /// Which characters become escapes.
    pub(super) hides: H,
}

impl<H: Fn(char) -> bool> io::Write for JsonText<'_, H> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // serde_json writes whole texts, and what stands between them in ASCII.
        let text = std::str::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        for c in text.chars() {
            if (self.hides)(c) || (c == '[' && calls_runner(self.out)) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(self.out, "\\u{unit:04x}");
                }
            } else {
                self.out.push(c);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
