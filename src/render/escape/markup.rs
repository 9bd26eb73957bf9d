//! HTML, SVG and XML.

use std::fmt::Write as _;

use serde::Serialize;

use super::machine::json_line;
use super::terminal::printable;
use super::{Escaped, Markup};

/// Text or an attribute's value: markup, and characters that XML 1.0 does not allow, cannot be in it.
pub fn markup(text: &str) -> Escaped<Markup> {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    Escaped::vouch(out)
}

/// A document as JSON within `<script type="application/json">`. A browser reads nothing there but the end of the
/// script: every `<` becomes an escape of JSON, which reads as the same text, so that neither `</script>` nor `<!--`
/// can be in it. So does all that is not printable ASCII: browsers keep text that is, in half the memory.
pub fn data(document: &impl Serialize) -> Escaped<Markup> {
    let json = json_line(document);
    let mut out = String::with_capacity(json.len() + json.len() / 64);
    for c in json.trim_end().chars() {
        // Outside of strings JSON has no sign of these.
        if c == '<' || !matches!(c, ' '..='~') {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Escaped::vouch(out)
}
