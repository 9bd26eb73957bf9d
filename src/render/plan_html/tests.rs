//! The page of a plan, as it is and with text in it that would like to break out.

use super::super::graph::HOSTILE;
use super::super::markup_check::assert_well_formed;
use super::super::sample_plans::Sample;
use super::*;

const TAGS: [&str; 41] = [
    "html", "head", "meta", "title", "style", "body", "div", "header", "h1", "h2", "small", "span", "nav", "a", "main",
    "section", "p", "ul", "li", "b", "details", "summary", "table", "tr", "th", "td", "pre", "ins", "del", "footer",
    "svg", "desc", "defs", "marker", "path", "rect", "g", "text", "code", "br", "hr",
];

#[test]
fn no_text_becomes_markup() {
    for text in HOSTILE {
        let sample = Sample::of(text, 2);
        assert_well_formed(&html(&sample.project(text), Extent::default()), &TAGS);
    }
}

#[test]
fn a_page_refers_to_nothing_outside() {
    let page = html(&Sample::of("https://x.example", 2).project("payments"), Extent::default());
    assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'"));
    for (attribute, allowed) in
        [("href=\"", "#"), ("src=", "!"), ("url(", "#kw-arrow"), ("@import", "!"), ("action=", "!")]
    {
        for place in page.split(attribute).skip(1) {
            assert!(place.starts_with(allowed), "{attribute}{}", place.chars().take(40).collect::<String>());
        }
    }
    assert!(!page.contains("<script"));
}

#[test]
fn a_long_plan_is_folded_and_whole() {
    let page = html(&Sample::of("text", 500).project("payments"), Extent { full: true, ..Extent::default() });
    assert_eq!(page.matches("<details").count(), 500);
    assert_eq!(page.matches("open=").count(), 0);
    assert_well_formed(&page, &TAGS);
}
