//! Two texts that differ in nothing that is seen: an accent that is part of its letter, and one that follows the letter
//! as a character of its own, as macOS writes names (NFC and NFD).

use std::borrow::Cow;
use std::fmt::Write as _;

/// Marks that join the letter before them.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036f}' | '\u{0483}'..='\u{0489}' | '\u{0591}'..='\u{05bd}' | '\u{064b}'..='\u{065f}'
        | '\u{093c}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{3099}'..='\u{309a}' | '\u{fe20}'..='\u{fe2f}')
}

/// A letter with the marks that follow it.
type Letter = (char, Vec<char>);

fn letters(text: &str) -> Vec<Letter> {
    let mut letters: Vec<Letter> = Vec::new();
    for c in text.chars() {
        match letters.last_mut() {
            Some((_, marks)) if is_mark(c) => marks.push(c),
            _ => letters.push((c, Vec::new())),
        }
    }
    letters
}

/// Whether two texts differ, and only in how marks are joined to letters, or in the order of marks.
fn look_alike(one: &str, other: &str) -> bool {
    let (one, other) = (letters(one), letters(other));
    let is_alike = |(one, other): (&Letter, &Letter)| {
        let ((letter, marks), (same, others)) = (one, other);
        let of_one_kind = letter == same && marks.len() == others.len();
        // The composed letter is never an ASCII one, and has fewer marks behind it.
        let composed = letter != same
            && marks.len() != others.len()
            && if marks.len() < others.len() { !letter.is_ascii() } else { !same.is_ascii() };
        of_one_kind || composed
    };
    one != other && one.len() == other.len() && one.iter().zip(&other).all(is_alike)
}

/// The two texts, with their marks written out where nobody could tell them apart.
pub(super) fn told_apart<'a>(one: &'a str, other: &'a str) -> (Cow<'a, str>, Cow<'a, str>) {
    if !look_alike(one, other) {
        return (one.into(), other.into());
    }
    let written_out = |text: &str| -> Cow<'a, str> {
        let mut out = String::new();
        for c in text.chars() {
            if is_mark(c) {
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
