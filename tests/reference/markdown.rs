//! What the made pages share: cells of tables, and pages that are compared or, with `KEYWRIGHT_BLESS=1`, written.

use std::fs;
use std::path::Path;

/// Text as a cell of a table: one line, and nothing that a page would take for markup.
pub(crate) fn cell(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let parts = line.split('`').enumerate().map(|(at, part)| {
        // Between backticks everything but the end of a cell stands for itself.
        let part = if at % 2 == 0 { part.replace('<', "&lt;").replace('*', "\\*") } else { part.to_owned() };
        part.replace('|', "\\|")
    });
    parts.collect::<Vec<_>>().join("`")
}

/// Compares a page with what the code makes of it, or writes it.
pub(crate) fn page(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(file);
    if std::env::var_os("KEYWRIGHT_BLESS").is_some() {
        fs::write(&path, text).expect("the page can be written");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "docs/{file} is stale: KEYWRIGHT_BLESS=1 cargo test --test reference");
}
