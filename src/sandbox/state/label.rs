//! Staging labels: which version carries which, and how they move.
//!
//! A label points at a version, so that it can never sit on two. Versions without labels are deprecated: they exist,
//! and a listing shows them only with IncludeDeprecated.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The label of the version that readers get.
pub(crate) const CURRENT: &str = "AWSCURRENT";
/// The label of the version that was current before.
pub(crate) const PREVIOUS: &str = "AWSPREVIOUS";
/// The label of the version that a rotation is preparing.
pub(crate) const PENDING: &str = "AWSPENDING";

/// The labels of one secret: label to version id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Labels(BTreeMap<String, String>);

impl Labels {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The version that carries `label`.
    pub(crate) fn holder(&self, label: &str) -> Option<&str> {
        self.0.get(label).map(String::as_str)
    }

    /// The labels of one version. Their order on the real wire is not known; here it is the alphabet's.
    pub(crate) fn of(&self, version_id: &str) -> Vec<&str> {
        self.iter().filter(|(_, holder)| *holder == version_id).map(|(label, _)| label).collect()
    }

    /// Every version that carries a label, with its labels.
    pub(crate) fn by_version(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (label, version_id) in self.iter() {
            versions.entry(version_id).or_default().push(label);
        }
        versions
    }

    /// The versions that carry at least one label.
    pub(crate) fn versions(&self) -> BTreeSet<&str> {
        self.0.values().map(String::as_str).collect()
    }

    /// The labels that sit on some versions.
    pub(crate) fn on(&self, versions: &BTreeSet<String>) -> Self {
        let labels = self.0.iter().filter(|(_, version_id)| versions.contains(*version_id));
        Self(labels.map(|(label, version_id)| (label.clone(), version_id.clone())).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(label, version_id)| (label.as_str(), version_id.as_str()))
    }

    /// Attaches one label, which leaves the version that had it.
    pub(crate) fn attach(&mut self, label: &str, version_id: &str) {
        if label == CURRENT {
            self.promote(version_id);
        } else {
            self.0.insert(label.to_owned(), version_id.to_owned());
        }
    }

    /// Takes a label off whatever version has it.
    pub(crate) fn detach(&mut self, label: &str) {
        self.0.remove(label);
    }

    /// Makes a version the current one. The one that was current becomes the previous one and keeps its other labels;
    /// the one that was previous loses that label.
    fn promote(&mut self, version_id: &str) {
        match self.0.insert(CURRENT.to_owned(), version_id.to_owned()) {
            Some(former) if former != version_id => {
                self.0.insert(PREVIOUS.to_owned(), former);
            }
            _ => {}
        }
    }

    /// Labels a version that has just been put, as PutSecretValue, UpdateSecret and CreateSecret do.
    ///
    /// The first version of a secret becomes current whatever labels are named. A put that makes its version current
    /// ends a pending rotation: AWSPENDING, unless it is named, disappears from every version. Whether custom labels
    /// stay on the version that was current is not known for a put; here they stay, as they are known to when
    /// UpdateSecretVersionStage promotes.
    pub(crate) fn place(&mut self, version_id: &str, wanted: &[&str]) {
        let first = self.is_empty();
        if first || wanted.contains(&CURRENT) {
            self.detach(PENDING);
        }
        for label in wanted.iter().filter(|label| **label != CURRENT) {
            self.attach(label, version_id);
        }
        if first || wanted.contains(&CURRENT) {
            self.promote(version_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(labels: &Labels) -> String {
        let versions: Vec<String> =
            labels.by_version().iter().map(|(version, labels)| format!("{version}:{}", labels.join(","))).collect();
        versions.join(" ")
    }

    #[test]
    fn a_put_makes_the_current_version_previous() {
        let mut labels = Labels::default();
        labels.place("v0", &[CURRENT]);
        assert_eq!(shown(&labels), "v0:AWSCURRENT");
        labels.place("v1", &[CURRENT]);
        assert_eq!(shown(&labels), "v0:AWSPREVIOUS v1:AWSCURRENT");
        labels.place("v2", &[CURRENT]);
        assert_eq!(shown(&labels), "v1:AWSPREVIOUS v2:AWSCURRENT");
    }

    #[test]
    fn a_current_put_removes_awspending_from_every_version() {
        let mut labels = Labels::default();
        labels.place("v0", &[CURRENT]);
        labels.attach(PENDING, "v0");
        labels.place("v1", &[CURRENT]);
        assert_eq!(shown(&labels), "v0:AWSPREVIOUS v1:AWSCURRENT");
        labels.place("v2", &[PENDING]);
        assert_eq!(shown(&labels), "v0:AWSPREVIOUS v1:AWSCURRENT v2:AWSPENDING");
        labels.place("v3", &[CURRENT]);
        assert_eq!(shown(&labels), "v1:AWSPREVIOUS v3:AWSCURRENT");
        labels.place("v4", &[CURRENT, PENDING]);
        assert_eq!(shown(&labels), "v3:AWSPREVIOUS v4:AWSCURRENT,AWSPENDING");
    }

    #[test]
    fn a_custom_label_moves_no_other() {
        let mut labels = Labels::default();
        labels.place("v0", &[CURRENT]);
        labels.place("v1", &["PUT0"]);
        labels.place("v2", &["PUT0"]);
        assert_eq!(shown(&labels), "v0:AWSCURRENT v2:PUT0");
        labels.place("v3", &[CURRENT, "PUT0"]);
        assert_eq!(shown(&labels), "v0:AWSPREVIOUS v3:AWSCURRENT,PUT0");
    }

    #[test]
    fn the_first_version_is_always_current() {
        let mut labels = Labels::default();
        labels.place("v0", &["CUSTOM"]);
        assert_eq!(shown(&labels), "v0:AWSCURRENT,CUSTOM");
    }

    #[test]
    fn moving_current_keeps_custom_and_pending_labels() {
        let mut labels = Labels::default();
        labels.place("v0", &[CURRENT, "PUT0"]);
        labels.place("v1", &[PENDING]);
        labels.attach(CURRENT, "v1");
        assert_eq!(shown(&labels), "v0:AWSPREVIOUS,PUT0 v1:AWSCURRENT,AWSPENDING");
        labels.attach(CURRENT, "v0");
        assert_eq!(shown(&labels), "v0:AWSCURRENT,PUT0 v1:AWSPENDING,AWSPREVIOUS");
    }

    proptest! {
        /// Whatever is put, there is one current version, and it is never also the previous one unless a put
        /// names both labels.
        #[test]
        fn there_is_always_one_current_version(
            puts in prop::collection::vec((0..6_u8, prop::collection::vec(0..4_usize, 0..3)), 1..20)
        ) {
            let names = [CURRENT, PENDING, "ONE", "TWO"];
            let mut labels = Labels::default();
            for (version, wanted) in puts {
                let wanted: Vec<&str> = wanted.into_iter().map(|index| names[index]).collect();
                let version_id = format!("v{version}");
                labels.place(&version_id, &wanted);
                prop_assert!(labels.holder(CURRENT).is_some());
                prop_assert_ne!(labels.holder(CURRENT), labels.holder(PREVIOUS));
                for label in wanted {
                    prop_assert_eq!(labels.holder(label), Some(version_id.as_str()));
                }
            }
        }
    }
}
