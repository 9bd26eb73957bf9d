//! HTML, SVG and XML.

use serde::Serialize;

use super::machine::JsonText;
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

/// Appends a document as JSON within `<script type="application/json">`. A browser reads nothing there but the end of
/// the script: every `<` becomes an escape of JSON, which reads as the same text, so that neither `</script>` nor
/// `<!--` can be in it. So does all that is not printable ASCII: browsers keep text that is, in half the memory.
pub fn push_data(out: &mut Escaped<Markup>, document: &impl Serialize) {
    // Outside of strings JSON has no sign of these.
    let text = JsonText { out: &mut out.text, hides: |c| c == '<' || !matches!(c, ' '..='~') };
    // What is written has only members that JSON can hold, and a String takes all of it.
    let _ = serde_json::to_writer(text, document);
}
