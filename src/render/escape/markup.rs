//! HTML, SVG and XML.

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
/// can be in it.
pub fn data(document: &impl Serialize) -> Escaped<Markup> {
    // Outside of strings JSON has no such sign.
    Escaped::vouch(json_line(document).replace('<', "\\u003c"))
}
