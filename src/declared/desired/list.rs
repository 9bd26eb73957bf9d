//! The names that a list of `forEach` gives, by what they have in common.

use crate::origin::Origin;

/// What the names have in common: texts between which the items stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListNames {
    /// At least two: what stands before the first item, and what stands behind the last.
    pieces: Vec<String>,
    /// Where the list is written, or named.
    pub origin: Origin,
}

impl ListNames {
    /// The names that have these texts around and between the items.
    pub fn new<'a>(pieces: impl IntoIterator<Item = &'a str>, origin: Origin) -> Self {
        Self { pieces: pieces.into_iter().map(str::to_owned).collect(), origin }
    }

    /// What an item must have said for this name; none when no item gives it.
    pub fn item(&self, name: &str) -> Option<String> {
        let (first, rest) = self.pieces.split_first()?;
        let (last, between) = rest.split_last()?;
        let mut rest = name.strip_prefix(first.as_str())?.strip_suffix(last.as_str())?;
        let mut parts = Vec::new();
        for piece in between {
            let at = rest.find(piece.as_str()).filter(|_| !piece.is_empty())?;
            parts.push(rest.get(..at)?);
            rest = rest.get(at + piece.len()..)?;
        }
        parts.push(rest);
        parts.iter().all(|part| !part.is_empty()).then(|| parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_name_tells_the_item_that_it_was_made_of() {
        let names = |pieces: &[&str]| ListNames::new(pieces.iter().copied(), Origin::new(Path::new("a"), 1, 1));
        let item = |pieces: &[&str], name: &str| names(pieces).item(name);
        assert_eq!(item(&["prod/tenants/", "/db"], "prod/tenants/acme/db").as_deref(), Some("acme"));
        assert_eq!(item(&["t/", "/", ""], "t/acme/db").as_deref(), Some("acme, db"));
        assert_eq!(item(&["t/", ""], "t/acme").as_deref(), Some("acme"));
        for (pieces, name) in [
            (&["t/", "/db"][..], "t//db"),
            (&["t/", "/db"], "t/db"),
            (&["t/", "/db"], "x/acme/db"),
            (&["t/", "/", ""], "t/acme"),
            (&["aa", "aa"], "aaa"),
        ] {
            assert_eq!(item(pieces, name), None, "{name}");
        }
    }
}
