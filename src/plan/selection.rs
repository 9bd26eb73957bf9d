//! Which secrets a run looks at (`--select`).

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::desired::SecretName;

/// A choice of secrets by glob; `*` and `?` also match `/`, as people expect of names that only look like paths.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    patterns: Vec<String>,
    globs: Option<GlobSet>,
}

impl Selection {
    /// Every secret.
    pub fn all() -> Self {
        Self::default()
    }

    /// The secrets that match at least one of the patterns; all, when there is none.
    pub fn matching(patterns: &[String]) -> Result<Self, globset::Error> {
        if patterns.is_empty() {
            return Ok(Self::all());
        }
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            set.add(GlobBuilder::new(pattern).literal_separator(false).build()?);
        }
        Ok(Self { patterns: patterns.to_vec(), globs: Some(set.build()?) })
    }

    /// Exactly these names, whatever characters they hold.
    pub fn exactly<'a>(names: impl IntoIterator<Item = &'a SecretName>) -> Result<Self, globset::Error> {
        let patterns: Vec<String> = names.into_iter().map(|name| globset::escape(name.as_str())).collect();
        let mut set = GlobSetBuilder::new();
        for pattern in &patterns {
            set.add(GlobBuilder::new(pattern).build()?);
        }
        Ok(Self { patterns, globs: Some(set.build()?) })
    }

    /// Whether this is not a choice at all.
    pub fn is_all(&self) -> bool {
        self.globs.is_none()
    }

    /// Whether `name` is chosen.
    pub fn contains(&self, name: &SecretName) -> bool {
        self.globs.as_ref().is_none_or(|globs| globs.is_match(name.as_str()))
    }

    /// The names that it consists of, when it consists of plain names and not of patterns.
    pub fn plain_names(&self) -> Option<Vec<SecretName>> {
        let plain = |pattern: &String| !pattern.contains(['*', '?', '[', ']', '{', '}', '\\']);
        (!self.is_all() && self.patterns.iter().all(plain)).then(|| self.patterns.iter().map(SecretName::new).collect())
    }

    /// The patterns as written.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "the patterns of these tests are well-formed")]
mod tests {
    use super::*;

    fn select(patterns: &[&str]) -> Selection {
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        Selection::matching(&patterns).unwrap()
    }

    #[test]
    fn a_star_crosses_slashes() {
        assert!(select(&["staging/*"]).contains(&SecretName::new("staging/payments/db")));
        assert!(!select(&["staging/*"]).contains(&SecretName::new("prod/payments/db")));
        assert!(select(&[]).contains(&SecretName::new("anything")));
    }

    #[test]
    fn plain_names_are_known_as_such() {
        assert_eq!(select(&["a/b"]).plain_names(), Some(vec![SecretName::new("a/b")]));
        assert_eq!(select(&["a/b", "a/*"]).plain_names(), None);
        assert_eq!(select(&[]).plain_names(), None);
    }

    #[test]
    fn exact_names_are_no_patterns() {
        let name = SecretName::new("a+b=c@d");
        let selection = Selection::exactly([&name]).unwrap();
        assert!(selection.contains(&name));
        assert!(!selection.contains(&SecretName::new("a+b=c@dd")));
    }
}
