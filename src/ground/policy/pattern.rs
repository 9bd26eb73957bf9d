//! IAM's wildcards: `*` is any text, `?` is one character. Nothing else has a meaning of its own.

/// A character of a text that is not known. Only a wildcard fits it for certain.
pub(super) const UNKNOWN: char = '\u{1}';

/// Whether a pattern fits a text, whatever stands for the [`UNKNOWN`] characters in it.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    matches(pattern, text, |wanted, found| wanted == found && found != UNKNOWN)
}

/// Whether a pattern fits a text for at least one choice of its [`UNKNOWN`] characters.
pub(super) fn may_fit(pattern: &str, text: &str) -> bool {
    matches(pattern, text, |wanted, found| wanted == found || found == UNKNOWN)
}

/// Whether a text has a wildcard in it.
pub(super) fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Only the last `*` is ever tried again, so the time is at most the product of the two lengths.
fn matches(pattern: &str, text: &str, same: impl Fn(char, char) -> bool) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut again = None;
    loop {
        let mut rest = pattern.clone();
        match (rest.next(), text.clone().next()) {
            (Some('*'), _) => {
                pattern = rest;
                again = Some((pattern.clone(), text.clone()));
            }
            (Some(wanted), Some(found)) if wanted == '?' || same(wanted, found) => {
                pattern = rest;
                text.next();
            }
            (None, None) => return true,
            _ => {
                let Some((after_star, skipped)) = &mut again else { return false };
                if skipped.next().is_none() {
                    return false;
                }
                pattern = after_star.clone();
                text = skipped.clone();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_those_of_iam() {
        for (pattern, text) in [
            ("*", ""),
            ("a*", "abc"),
            ("*c", "abc"),
            ("a*b*c", "a.b.b.c"),
            ("a?c", "abc"),
            ("**?", "x"),
            ("a[b]*", "a[b]c"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("", "a"), ("a", ""), ("a?c", "ac"), ("a*b", "abc"), ("?", ""), ("A", "a"), ("[ab]", "a")]
        {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_not_known_may_fit() {
        let text = format!("db-{}", UNKNOWN.to_string().repeat(6));
        assert!(fits("db-*", &text) && fits("db-??????", &text));
        assert!(!fits("db-AbCdEf", &text) && may_fit("db-AbCdEf", &text));
        assert!(!may_fit("db-AbCdE", &text) && !may_fit("da-*", &text) && !may_fit("db", &text));
    }

    #[test]
    fn many_stars_end_soon() {
        assert!(!fits(&"*a".repeat(2_000), &"a".repeat(1_999)));
        assert!(!fits(&format!("{}b", "*a".repeat(2_000)), &"a".repeat(4_000)));
    }
}
