//! What git has and a sparse checkout leaves out: secrets that it declares would look deleted, and Defaults and Rules
//! in it would not hold.

use std::collections::BTreeMap;

/// Files among the manifests that git has and that are not in the work tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// The first of the files and folders that may declare secrets.
    pub manifest: Option<String>,
    /// For folders of the project, a file in each that is left out: it may be of the folder's Defaults.
    pub folders: BTreeMap<String, String>,
    /// The first in the folders that several projects share.
    pub shared: Option<String>,
    /// Why it is not known what is left out, where it is not.
    pub unknown: Option<String>,
}

impl LeftOut {
    /// A file that is left out and may hold Defaults or Rules for a secret whose manifest is this file.
    pub fn may_hold_for(&self, manifest: &str) -> Option<&str> {
        let around = manifest.rmatch_indices('/').map(|(at, _)| manifest.get(..at).unwrap_or_default()).chain([""]);
        let of_folder = || around.into_iter().find_map(|folder| self.folders.get(folder));
        self.shared.as_ref().or_else(of_folder).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_may_hold_for_what_lies_beside_or_below_them() {
        let folders = BTreeMap::from([("secrets/shop".to_owned(), "secrets/shop/defaults.yaml".to_owned())]);
        let mut left_out = LeftOut { folders, ..LeftOut::default() };
        let found = Some("secrets/shop/defaults.yaml");
        assert_eq!(left_out.may_hold_for("secrets/shop/a.yaml"), found);
        assert_eq!(left_out.may_hold_for("secrets/shop/db/a.yaml"), found);
        assert_eq!(left_out.may_hold_for("secrets/shopping/a.yaml"), None);
        assert_eq!(left_out.may_hold_for("secrets/a.yaml"), None);
        left_out.folders = BTreeMap::from([(String::new(), "defaults.yaml".to_owned())]);
        assert_eq!(left_out.may_hold_for("secrets/a.yaml"), Some("defaults.yaml"));
        left_out.shared = Some("../common/rules.yaml".to_owned());
        assert_eq!(left_out.may_hold_for("secrets/a.yaml"), Some("../common/rules.yaml"));
    }
}
