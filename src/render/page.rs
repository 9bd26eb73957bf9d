//! What the HTML pages of plans and of drift have in common: one style, and a promise to the browser.

use super::escape::{self, Escaped, Markup};
use super::escaped;

/// The beginning of a page. It holds no script and no reference to anything outside, and says so
/// (Content-Security-Policy), which is a second wall behind [`escape::markup`].
pub(super) fn begin(title: &Escaped<Markup>) -> Escaped<Markup> {
    escaped!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\" />\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n\
         <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n",
        title,
        include_str!("page.css")
    )
}

/// The end of a page.
pub(super) const END: &str =
    "</main>\n<footer>Written by keywright. No value of a secret is in here.</footer>\n</body>\n</html>\n";

/// A sentence in which commands stand between backticks.
pub(super) fn with_commands(text: &str) -> Escaped<Markup> {
    let parts = text.split('`').map(escape::markup).enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { escaped!("<code>{}</code>", part) } else { part }).collect()
}

/// Links to the targets' headings (`#target-0`, …), when there are several.
pub(super) fn navigation(names: impl ExactSizeIterator<Item = impl AsRef<str>>) -> Escaped<Markup> {
    if names.len() < 2 {
        return Escaped::default();
    }
    let links = names.enumerate().map(|(at, name)| -> Escaped<Markup> {
        escaped!("<a href=\"#target-{}\">{}</a> ", at, escape::markup(name.as_ref()))
    });
    escaped!("<nav>{}</nav>\n", links.collect::<Escaped<Markup>>())
}
