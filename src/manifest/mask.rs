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

/// Whether what stands beneath this key may be a secret.
pub(crate) fn holds_values(key: &str) -> bool {
    if key.len() > 24 {
        return false;
    }
    let key = key.to_ascii_lowercase();
    // No other length is one edit away, which may be a character of four bytes. Every key of a fleet comes here.
    let misspelt = (4..=9).contains(&key.len()) && strsim::osa_distance(&key, "value") <= 1;
    VALUE_LIKE.contains(&key.as_str()) || misspelt || key == "values"
}

#[cfg(test)]
mod tests {
    use super::*;

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
