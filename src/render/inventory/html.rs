//! The inventory as one HTML page that needs nothing else: the JSON document, a style, and a script that draws it. The
//! style is `page.css`; the script is the files of `page/`, one behind the other, as one module.
//!
//! What may run is said by hash in the page's Content-Security-Policy: the script and the style of this program, and
//! nothing that a name, a tag or a message could bring. Nothing is loaded from anywhere, but a page that is served live
//! asks its own server for news.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::super::escape::{self, Escaped, Markup};
use super::super::{count, escaped};
use super::documents::{InventoryDocument, TotalsDocument};

const STYLE: &str = include_str!("page.css");

const SCRIPT: &str = concat!(
    include_str!("page/base.js"),
    include_str!("page/model.js"),
    include_str!("page/view.js"),
    include_str!("page/table.js"),
    include_str!("page/charts.js"),
    include_str!("page/panel.js"),
    include_str!("page/copying.js"),
    include_str!("page/controls.js"),
    include_str!("page/main.js"),
);

/// The document as a page. A `live` page asks for `/inventory.json` of its own server every minute.
pub fn html(document: &InventoryDocument<'_>, live: bool) -> Escaped<Markup> {
    let mut out = escaped!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-{}'; \
         style-src 'sha256-{}'; img-src 'none'; base-uri 'none'; form-action 'none'{}\" />\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n\
         <title>keywright inventory of {}</title>\n<style>{}</style>\n</head>\n<body>\n{}",
        hash(SCRIPT),
        hash(STYLE),
        if live { "; connect-src 'self'" } else { "" },
        escape::markup(&document.project),
        STYLE,
        cover(document)
    );
    let live = if live { " data-live=\"yes\"" } else { "" };
    out.push(&escaped!("<script type=\"application/json\" id=\"inventory\"{}>", live));
    escape::push_data(&mut out, document);
    out.push(&"</script>\n<script type=\"module\">");
    out.push(&SCRIPT);
    out.push(&"</script>\n</body>\n</html>\n");
    out
}

/// How a Content-Security-Policy names what stands between two tags.
fn hash(content: &str) -> Escaped<Markup> {
    escape::markup(&STANDARD.encode(Sha256::digest(content.as_bytes())))
}

/// What is to be read until the script has run, and where none runs. The script puts the page in its place.
fn cover(document: &InventoryDocument<'_>) -> Escaped<Markup> {
    let TotalsDocument { secrets, billed: _, monthly_cents, unused, unused_yearly_cents: _, findings } =
        &document.totals;
    let of = |severity: &str| findings.get(severity).copied().unwrap_or_default();
    escaped!(
        "<div id=\"page\">\n<div class=\"cover\">\n<h1>Inventory of {}</h1>\n\
         <p>{} in {}, looked at {}. They cost ${}.{}{} a month by the list price; {} of them are unused.</p>\n\
         <p>Findings: {} high, {} medium, {} low, {} info.</p>\n\
         <p>The table is drawn by this page's own script, which loads nothing. Without it, \
         <code>keywright inventory --format text</code> prints the same.</p>\n</div>\n</div>\n",
        escape::markup(&document.project),
        count(*secrets, "secret"),
        count(document.targets.len(), "target"),
        escape::markup(&document.started),
        monthly_cents / 100,
        if monthly_cents % 100 < 10 { "0" } else { "" },
        monthly_cents % 100,
        *unused,
        of("high"),
        of("medium"),
        of("low"),
        of("info")
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::documents::{FORMAT_VERSION, ThresholdsDocument};
    use super::*;
    use crate::render::markup_check::assert_well_formed;

    const HOSTILE: &str = "</script><img src=x onerror=alert(1)><!-- \u{202e}\u{2028}";

    fn document() -> InventoryDocument<'static> {
        let findings = BTreeMap::from([("high", 2)]);
        InventoryDocument {
            format_version: FORMAT_VERSION,
            project: HOSTILE.to_owned(),
            started: "2026-11-26T08:00:00Z".to_owned(),
            seconds: 1.5,
            calls: BTreeMap::new(),
            whole_account: false,
            audited: false,
            thresholds: ThresholdsDocument {
                unused_days: 90,
                value_age_days: 365,
                rotation_days: 90,
                required_tags: vec![HOSTILE.to_owned()],
            },
            kinds: Vec::new(),
            totals: TotalsDocument {
                secrets: 3,
                billed: 3,
                monthly_cents: 120,
                unused: 1,
                unused_yearly_cents: 480,
                findings,
            },
            groups: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// What stands between the first `begin` and the next `end`, and everything else.
    fn cut<'a>(text: &'a str, begin: &str, end: &str) -> (&'a str, String) {
        let (before, rest) = text.split_once(begin).unwrap_or_default();
        let (inside, after) = rest.split_once(end).unwrap_or_default();
        (inside, format!("{before}{begin}{end}{after}"))
    }

    #[test]
    fn the_policy_names_the_script_and_the_style_that_are_there() {
        let page = html(&document(), false);
        let (style, rest) = cut(&page, "<style>", "</style>");
        let (script, _) = cut(&rest, "<script type=\"module\">", "</script>");
        assert!(!script.is_empty() && !style.is_empty());
        for (directive, content) in [("script-src", script), ("style-src", style)] {
            let hash = STANDARD.encode(Sha256::digest(content.as_bytes()));
            assert!(page.contains(&format!("{directive} 'sha256-{hash}';")), "{directive}");
        }
        assert!(!page.contains("connect-src") && html(&document(), true).contains("; connect-src 'self'\""));
    }

    #[test]
    fn nothing_ends_the_data_before_its_end() {
        let page = html(&document(), false);
        let (data, rest) = cut(&page, "<script type=\"application/json\" id=\"inventory\">", "</script>");
        assert!(!data.contains(['<', '\u{2028}', '\u{202e}']), "{data}");
        let read: serde_json::Value = serde_json::from_str(data).unwrap_or_default();
        assert_eq!(read["project"], HOSTILE);
        let (script, rest) = cut(&rest, "<script type=\"module\">", "</script>");
        assert!(script.ends_with('\n') && !script.contains("<!--") && !script.contains("<script"));
        let (_, rest) = cut(&rest, "<style>", "</style>");
        let tags = ["html", "head", "meta", "title", "style", "body", "div", "h1", "p", "code", "script"];
        assert_well_formed(&rest, &tags);
    }
}
