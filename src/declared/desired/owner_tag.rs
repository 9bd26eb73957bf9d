//! The value of the owner tag: `project/target:binding`.
//!
//! Tools and people copy secrets with their tags, and a copy was never managed: so the tag is bound to the secret's own
//! name and to the scope prefix under which it was written. The binding is 12 hex digits of SHA-256. It recognises
//! copies; it keeps nobody out who may write tags.

use sha2::{Digest, Sha256};

/// Hex digits of the binding.
const DIGITS: usize = 12;

/// The value of the owner tag of the secret `name`, applied under the scope prefix `prefix`.
pub fn bind(owner: &str, name: &str, prefix: &str) -> String {
    format!("{owner}:{}", binding(name, prefix))
}

fn binding(name: &str, prefix: &str) -> String {
    let mut hash = Sha256::new();
    for part in ["keywright owner tag 1", prefix, name] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    hex::encode(&digest[..DIGITS / 2])
}

/// `project/target` of a tag's value, and its binding when it has one.
pub fn split(value: &str) -> (&str, Option<&str>) {
    match value.rsplit_once(':') {
        Some((owner, digits)) if digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            (owner, Some(digits))
        }
        _ => (value, None),
    }
}

/// The prefix of `name` that a binding was made with; none when it was made for another name.
pub fn bound_prefix<'a>(name: &'a str, digits: &str) -> Option<&'a str> {
    let ends = || (1..=name.len()).filter(|end| name.is_char_boundary(*end));
    // Most prefixes end with a separator and are short, and each try is a digest for each secret of a fleet: those ends
    // come first.
    let separated = |end: &usize| name[..*end].ends_with(['/', '-', '_', '.']);
    let likely = ends().filter(separated).chain(ends().filter(|end| !separated(end)));
    likely.map(|end| &name[..end]).find(|prefix| binding(name, prefix) == digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_tag_fits_what_the_service_takes() {
        assert!(bind(&"p".repeat(200), &"n".repeat(512), "n").len() <= 256);
    }
}
