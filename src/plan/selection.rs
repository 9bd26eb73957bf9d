//! Which secrets a run looks at (`--select`, `--shard`).

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use sha2::{Digest, Sha256};

use crate::collect::{CollectMap as _, CollectSet as _};
use crate::desired::Desired;
use crate::domain::{SecretName, is_plain_pattern};

/// A choice of secrets by glob; `*` and `?` also match `/`, as people expect of names that only look like paths.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    patterns: Vec<String>,
    globs: Option<GlobSet>,
    /// These names and no others, where a choice is made by name.
    exactly: Option<BTreeSet<SecretName>>,
    shard: Option<Shard>,
    /// The secret by whose name a secret's part is decided, where that is not its own.
    anchors: Arc<BTreeMap<SecretName, SecretName>>,
}

/// The `index`-th of `count` parts, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

/// Text that is no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a part is written I/N, for example 1/4, with I from 1 to N and N at most 1000")]
pub struct NotAShard;

impl FromStr for Shard {
    type Err = NotAShard;

    fn from_str(text: &str) -> Result<Self, NotAShard> {
        let (index, count) = text.split_once('/').ok_or(NotAShard)?;
        let number = |text: &str| text.parse().map_err(|_| NotAShard);
        let shard = Self { index: number(index)?, count: number(count)? };
        if (1..=1000).contains(&shard.count) && (1..=shard.count).contains(&shard.index) {
            Ok(shard)
        } else {
            Err(NotAShard)
        }
    }
}

impl Shard {
    /// Whether a name falls into this part. The parts of one count never change, so caches and journals of a part stay
    /// its own.
    fn holds(self, name: &SecretName) -> bool {
        let digest = Sha256::digest(name.as_str().as_bytes());
        let number = u64::from_be_bytes(std::array::from_fn(|byte| digest[byte]));
        number % u64::from(self.count) == u64::from(self.index - 1)
    }
}

impl Selection {
    /// The same choice, narrowed to a part.
    #[must_use]
    pub fn with_shard(mut self, shard: Shard) -> Self {
        self.shard = Some(shard);
        self
    }

    /// The choice for one target: secrets that depend on each other fall into one part.
    #[must_use]
    pub fn of_target(&self, desired: &Desired) -> Self {
        if self.shard.is_none() {
            return self.clone();
        }
        Self { anchors: Arc::new(anchors(desired)), ..self.clone() }
    }

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
        Ok(Self { patterns: patterns.to_vec(), globs: Some(set.build()?), ..Self::default() })
    }

    /// Exactly these names, whatever characters they hold; nothing, when there is none.
    pub fn exactly<'a>(names: impl IntoIterator<Item = &'a SecretName>) -> Self {
        Self { exactly: Some(names.into_iter().cloned().collect()), ..Self::default() }
    }

    /// Whether this is not a choice at all.
    pub fn is_all(&self) -> bool {
        self.globs.is_none() && self.exactly.is_none() && self.shard.is_none()
    }

    /// Whether `name` is chosen.
    pub fn contains(&self, name: &SecretName) -> bool {
        self.names(name) && self.is_in_shard(name)
    }

    /// Whether the patterns choose `name`, whatever the part.
    pub(super) fn names(&self, name: &SecretName) -> bool {
        self.globs.as_ref().is_none_or(|globs| globs.is_match(name.as_str()))
            && self.exactly.as_ref().is_none_or(|names| names.contains(name))
    }

    /// Whether `name` falls into the part, whatever the patterns say.
    pub(super) fn is_in_shard(&self, name: &SecretName) -> bool {
        let anchor = self.anchors.get(name).unwrap_or(name);
        self.shard.is_none_or(|shard| shard.holds(anchor))
    }

    /// The names that it consists of, when it consists of plain names and not of patterns.
    pub fn plain_names(&self) -> Option<Vec<SecretName>> {
        let names = self.named();
        let all = self.exactly.is_some() || !names.is_empty() && names.len() == self.patterns.len();
        all.then_some(names)
    }

    /// The names that it spells out, whatever patterns stand beside them.
    pub fn named(&self) -> Vec<SecretName> {
        if let Some(names) = &self.exactly {
            return names.iter().cloned().collect();
        }
        self.patterns.iter().filter(|pattern| is_plain_pattern(pattern)).map(SecretName::new).collect()
    }

    /// The patterns that none of these names fits.
    pub fn unmatched<'a>(&self, names: impl Iterator<Item = &'a SecretName>) -> Vec<String> {
        let Some(globs) = &self.globs else { return Vec::new() };
        let mut left: BTreeSet<usize> = (0..self.patterns.len()).collect_set();
        for name in names {
            if left.is_empty() {
                break;
            }
            for at in globs.matches(name.as_str()) {
                left.remove(&at);
            }
        }
        left.into_iter().filter_map(|at| self.patterns.get(at).cloned()).collect()
    }

    /// The part, as it is written.
    pub fn shard(&self) -> Option<String> {
        self.shard.map(|Shard { index, count }| format!("{index}/{count}"))
    }

    /// The patterns as written.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }
}

/// Where a chain of anchors ends.
fn root(anchors: &BTreeMap<SecretName, SecretName>, name: &SecretName) -> SecretName {
    let mut at = name;
    while let Some(next) = anchors.get(at) {
        at = next;
    }
    at.clone()
}

/// For each secret that has dependencies or dependents, the first name of those that hang together with it.
fn anchors(desired: &Desired) -> BTreeMap<SecretName, SecretName> {
    let mut anchors: BTreeMap<SecretName, SecretName> = BTreeMap::new();
    for desired_secret in desired.secrets.values() {
        // A name that is given up stays with the one that takes its place.
        let old = desired_secret.renamed_from.iter().map(|renamed| &renamed.name);
        for dependency in desired_secret.depends_on.iter().chain(old) {
            let (a, b) = (root(&anchors, &desired_secret.name), root(&anchors, dependency));
            // The first name in order is the root, whatever order the manifests have.
            match a.cmp(&b) {
                std::cmp::Ordering::Less => drop(anchors.insert(b, a)),
                std::cmp::Ordering::Greater => drop(anchors.insert(a, b)),
                std::cmp::Ordering::Equal => {}
            }
        }
    }
    let names: Vec<SecretName> = anchors.keys().cloned().collect();
    names.into_iter().map(|name| (name.clone(), root(&anchors, &name))).collect_map()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "the patterns of these tests are well-formed")]
mod tests {
    use super::*;
    use crate::plan::bare::bare_desired;

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
        assert_eq!(select(&["a/b", "a/*"]).named(), [SecretName::new("a/b")]);
        assert_eq!(select(&[]).plain_names(), None);
    }

    #[test]
    fn every_name_is_in_one_part_and_stays_there() {
        let names: Vec<SecretName> = (0..500).map(|n| SecretName::new(format!("prod/app/{n}"))).collect();
        let part = |text: &str| Selection::all().with_shard(text.parse().unwrap());
        for name in &names {
            let parts = (1..=4).filter(|index| part(&format!("{index}/4")).contains(name)).count();
            assert_eq!(parts, 1, "{name}");
        }
        let first = names.iter().filter(|name| part("1/4").contains(name)).count();
        assert!((75..175).contains(&first), "{first} of 500");
        for wrong in ["", "1", "0/4", "5/4", "1/0", "a/b", "1/1001", "-1/4"] {
            assert_eq!(wrong.parse::<Shard>(), Err(NotAShard), "{wrong}");
        }
    }

    #[test]
    fn exact_names_are_no_patterns() {
        let name = SecretName::new("a+b=c@d");
        let selection = Selection::exactly([&name]);
        assert!(selection.contains(&name));
        assert!(!selection.contains(&SecretName::new("a+b=c@dd")));
        assert!(!Selection::exactly([]).contains(&name), "no name chooses nothing, and never everything");
    }

    #[test]
    fn a_choice_is_none_where_neither_names_nor_patterns_nor_a_part_are_given() {
        assert!(Selection::all().is_all() && select(&[]).is_all());
        assert!(!select(&["a"]).is_all());
        assert!(!Selection::exactly([&SecretName::new("a")]).is_all());
        assert!(!Selection::all().with_shard("1/2".parse().unwrap()).is_all());
    }

    #[test]
    fn a_pattern_that_no_name_fits_is_told() {
        let names = ["app/db", "app/key"].map(SecretName::new);
        let unmatched = |patterns: &[&str]| select(patterns).unmatched(names.iter());
        assert_eq!(unmatched(&["app/*", "web/*", "app/none"]), ["web/*", "app/none"]);
        assert_eq!(unmatched(&["app/*"]), Vec::<String>::new());
        assert_eq!(unmatched(&[]), Vec::<String>::new());
    }

    #[test]
    fn a_part_is_told_as_it_is_written() {
        assert_eq!(Selection::all().with_shard("2/4".parse().unwrap()).shard().as_deref(), Some("2/4"));
        assert_eq!(Selection::all().shard(), None);
    }

    #[test]
    fn secrets_that_depend_on_each_other_or_take_a_name_are_in_one_part() {
        use crate::desired::RenamedFrom;
        use crate::origin::Origin;
        let names: Vec<String> = (0..40).map(|n| format!("app/{n:02}")).collect();
        let mut desired = bare_desired("app/", &names.iter().map(String::as_str).collect::<Vec<_>>());
        // Each needs the one after it; the last takes the place of another name.
        for pair in names.windows(2) {
            let needed = SecretName::new(pair[1].as_str());
            desired.secrets.get_mut(pair[0].as_str()).unwrap().depends_on.insert(needed);
        }
        let origin = Origin::new(std::path::Path::new("app.yaml"), 1, 1);
        let before = RenamedFrom { name: SecretName::new("app/zz-before"), origin };
        desired.secrets.get_mut("app/39").unwrap().renamed_from = Some(before);
        let all: Vec<SecretName> =
            names.iter().map(SecretName::new).chain([SecretName::new("app/zz-before")]).collect();
        let parts = |of_target: bool| {
            let count = |index: u32| {
                let part = Selection::all().with_shard(format!("{index}/4").parse().unwrap());
                let part = if of_target { part.of_target(&desired) } else { part };
                all.iter().filter(|name| part.contains(name)).count()
            };
            (1..=4).map(count).max()
        };
        assert_eq!(parts(true), Some(41), "all hang together");
        assert!(parts(false) < Some(41));
        assert!(Selection::all().of_target(&desired).is_all());
    }
}
