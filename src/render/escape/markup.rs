//! HTML, SVG and XML.

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
