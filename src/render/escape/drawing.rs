//! Labels in the languages of programs that draw.

use std::fmt::Write as _;

use super::terminal::printable;
use super::{Dot, Escaped, Mermaid};

/// A mermaid label between quotation marks. Letters, digits and a few harmless signs stay; everything else becomes
/// mermaid's code for a character (`#34;`), so that neither quotes nor brackets, statements, directives (`%%{init}`),
/// Markdown or HTML can be in it.
pub fn mermaid(text: &str) -> Escaped<Mermaid> {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        if c.is_alphanumeric() || matches!(c, ' ' | '/' | '_' | '.' | '-' | '+' | '=' | '@' | ',' | '!' | '·') {
            out.push(c);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    Escaped::vouch(out)
}

/// A label of the language DOT between quotation marks: no string can be ended, and neither escape sequences (`\N`) nor
/// the character entities that Graphviz knows are read in it.
pub fn dot(text: &str) -> Escaped<Dot> {
    Escaped::vouch(printable(text).replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;"))
}
