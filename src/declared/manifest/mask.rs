//! Which keys hold somebody's secret: messages name nothing of what stands beneath them.
//!
//! A literal beneath `value` may be a password that was pasted there. The same is true for a misspelt `value`, and for
//! words that people write in its place. Which lines may be quoted is decided in `shown`, and more strictly.

/// What people write where they mean `value` or one of its sources.
const VALUE_LIKE: &[&str] = &[
    "data",
    "json",
    "password",
    "plaintext",
    "secret",
    "secretbinary",
    "secretstring",
    "secretvalue",
    "stringdata",
    "text",
    "token",
];

/// Whether what stands beneath this key may be a secret. Every key of a fleet comes here, several times.
pub(crate) fn holds_values(key: &str) -> bool {
    let is = |word: &&str| key.eq_ignore_ascii_case(word);
    VALUE_LIKE.iter().any(is) || is(&"values") || is_about_value(key)
}

/// Whether a key is `value`, or at most one edit away from it.
fn is_about_value(key: &str) -> bool {
    // One edit leaves the first letter or the last three as they are. No other length is one edit away, which may be a
    // character of four bytes.
    let end = key.len().checked_sub(3).and_then(|start| key.as_bytes().get(start..));
    let is_like = key.starts_with(['v', 'V']) || end.is_some_and(|end| end.eq_ignore_ascii_case(b"lue"));
    is_like && (4..=9).contains(&key.len()) && strsim::osa_distance(&key.to_ascii_lowercase(), "value") <= 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_one_edit_away_is_found(key in "[valuexVALUE🔑]{0,7}|v?a?l?u?e?|[v]?[aé]?[l]?[u]?[e]?.?") {
            prop_assert_eq!(is_about_value(&key), strsim::osa_distance(&key.to_ascii_lowercase(), "value") <= 1);
        }
    }

    #[test]
    fn misspelt_keys_hide_what_follows_too() {
        for key in ["value", "Value", "vale", "valeu", "values", "text", "secretString", "val🔑ue", "vlue"] {
            assert!(holds_values(key), "{key}");
        }
        for key in ["tags", "description", "policy", "name", "vars"] {
            assert!(!holds_values(key), "{key}");
        }
    }
}
