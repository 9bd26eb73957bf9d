//! Two texts that differ in nothing that is seen: an accent that is part of its letter, and one that follows the letter
//! as a character of its own, as macOS writes names (NFC and NFD).

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Whether two texts differ, and only in how marks are joined to letters, or in the order of marks.
fn look_alike(one: &str, other: &str) -> bool {
    one != other && one.nfc().eq(other.nfc())
}

/// The two texts, with their marks written out where they would look the same.
pub(super) fn told_apart<'a>(one: &'a str, other: &'a str) -> (Cow<'a, str>, Cow<'a, str>) {
    if !look_alike(one, other) {
        return (one.into(), other.into());
    }
    let written_out = |text: &str| -> Cow<'a, str> {
        let mut out = String::new();
        for c in text.chars() {
            if is_combining_mark(c) {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            } else {
                out.push(c);
            }
        }
        out.into()
    };
    (written_out(one), written_out(other))
}

/// The same of two of which one may be missing.
pub(super) fn both_told_apart<'a>(
    one: Option<&'a str>,
    other: Option<&'a str>,
) -> (Option<Cow<'a, str>>, Option<Cow<'a, str>>) {
    match (one, other) {
        (Some(one), Some(other)) => {
            let (one, other) = told_apart(one, other);
            (Some(one), Some(other))
        }
        (one, other) => (one.map(Cow::Borrowed), other.map(Cow::Borrowed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_written_out_where_two_texts_would_look_the_same() {
        let told = |one, other| {
            let (one, other) = told_apart(one, other);
            (one.into_owned(), other.into_owned())
        };
        let as_they_are = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(told("café x", "cafe\u{301} x"), as_they_are("café x", "cafe\\u{301} x"));
        assert_eq!(told("cafe\u{301}", "café"), as_they_are("cafe\\u{301}", "café"));
        assert_eq!(
            told("a\u{301}\u{323}", "a\u{323}\u{301}"),
            as_they_are("a\\u{301}\\u{323}", "a\\u{323}\\u{301}"),
            "the order alone"
        );
        for (one, other) in [("café", "cafe"), ("cafe\u{301}", "cafe\u{301}"), ("cafe\u{301}s", "cafés?"), ("", "é")]
        {
            assert_eq!(told(one, other), as_they_are(one, other));
        }
    }
}
