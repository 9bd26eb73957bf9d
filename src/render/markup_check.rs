//! Takes HTML and SVG apart in tests, as a parser of XML would: every tag is known, closed, and free of handlers.

/// Panics unless `text` is well-formed and has no other tags than these.
pub(super) fn assert_well_formed(text: &str, tags: &[&str]) {
    let text = text.strip_prefix("<!DOCTYPE html>\n").unwrap_or(text);
    let hidden = |c: char| (c.is_control() && c != '\n') || super::escape::is_deceptive(c);
    assert!(!text.contains(hidden), "{text:?}");
    let mut open: Vec<&str> = Vec::new();
    for piece in text.split('<').skip(1) {
        assert!(piece.contains('>'), "a tag without an end: {piece}");
        let (tag, content) = piece.split_once('>').unwrap_or_default();
        // `>` between the tags is a selector of a style sheet, or something that should have been escaped.
        assert!(!content.contains('>') || open.last() == Some(&"style") || tag == "style", "{piece}");
        for entity in content.split('&').skip(1) {
            let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
            assert!(known.iter().any(|known| entity.starts_with(known)), "{piece}");
        }
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{piece}");
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        assert!(tags.contains(&name), "{tag}");
        let names_only: String = tag.split('"').step_by(2).collect();
        assert!(tag.matches('"').count().is_multiple_of(2) && !names_only.contains(" on"), "{tag}");
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}
