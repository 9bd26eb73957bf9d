//! The secrets that an inventory calls unmanaged: what is imported by it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use crate::domain::{SecretName, check_format};
use crate::files::read_operator_text;
use crate::plan::Selection;
use crate::workflow::error::{Error, FileProblem, Hint};

/// The largest inventory that is read, in bytes: 50,000 secrets with their policies are less.
const MAX_INVENTORY: u64 = 512 * 1024 * 1024;

/// The format that is read.
const FORMAT: &str = "1";

/// Unmanaged secrets by target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unmanaged {
    targets: BTreeMap<String, BTreeSet<SecretName>>,
    /// How many lie outside the scope of their target.
    pub out_of_scope: usize,
}

/// What is read of an inventory; the rest of it does not matter here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(rename = "formatVersion")]
    _format_version: String,
    whole_account: bool,
    targets: Vec<TargetDocument>,
}

#[derive(Deserialize)]
struct TargetDocument {
    name: String,
    secrets: Vec<SecretDocument>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecretDocument {
    name: String,
    in_scope: bool,
    owner: OwnerDocument,
    #[serde(default)]
    replica_of: Option<String>,
    #[serde(default)]
    deletion: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct OwnerDocument {
    kind: String,
}

impl Unmanaged {
    /// Reads the output of `keywright inventory --format json`.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let wrong = |problem: FileProblem| Error::file(path, problem);
        let text = read_operator_text(path, MAX_INVENTORY)
            .map_err(|fault| wrong(FileProblem::InventoryUnreadable).because(format!("it {fault}")))?;
        check_format(text.as_bytes(), FORMAT)
            .map_err(|other| wrong(FileProblem::InventoryWrong).because(other).hint(Hint::WriteInventory))?;
        let document: Document = serde_json::from_str(&text)
            .map_err(|error| wrong(FileProblem::InventoryWrong).because(place(&error)).hint(Hint::WriteInventory))?;
        Ok(Self::of(document))
    }

    fn of(document: Document) -> Self {
        let mut unmanaged = Self::default();
        for target in document.targets {
            let secrets = target.secrets.into_iter().filter(|secret| {
                let managed = !matches!(secret.owner.kind.as_str(), "tag" | "nobody");
                !managed && secret.replica_of.is_none() && secret.deletion.is_none()
            });
            let (inside, outside): (Vec<_>, Vec<_>) =
                secrets.partition(|secret| secret.in_scope || !document.whole_account);
            unmanaged.out_of_scope += outside.len();
            let names: BTreeSet<SecretName> = inside.into_iter().map(|secret| SecretName::new(secret.name)).collect();
            if !names.is_empty() {
                unmanaged.targets.entry(target.name).or_default().extend(names);
            }
        }
        unmanaged
    }

    /// The targets that have any.
    pub fn targets(&self) -> Vec<String> {
        self.targets.keys().cloned().collect()
    }

    /// All of them.
    pub(super) fn names(&self) -> impl Iterator<Item = &SecretName> {
        self.targets.values().flatten()
    }

    /// What is imported from a target: its own, as far as they are chosen.
    pub(super) fn chosen(&self, target: &str, selection: &Selection) -> Selection {
        let own = self.targets.get(target).into_iter().flatten();
        Selection::exactly(own.filter(|name| selection.contains(name)))
    }
}

/// Where a text is no inventory. serde's own words quote what stands there.
fn place(error: &serde_json::Error) -> String {
    format!("it is no inventory in JSON (line {}, column {})", error.line(), error.column())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "the documents of these tests are well-formed")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_nothing_manages_is_chosen_by_target() {
        let secret = |name: &str, kind: &str| json!({"name": name, "inScope": true, "owner": {"kind": kind}});
        let mut replica = secret("a/replica", "nobody");
        replica["replicaOf"] = "us-east-1".into();
        let mut leaving = secret("a/leaving", "nobody");
        leaving["deletion"] = json!({"scheduled": "2026-01-01T00:00:00Z"});
        let mut outside = secret("b/outside", "nobody");
        outside["inScope"] = false.into();
        let secrets = json!([
            secret("a/db", "nobody"),
            secret("a/team", "tag"),
            secret("a/ours", "project"),
            secret("a/rds", "service"),
            secret("a/stack", "cloudformation"),
            secret("a/theirs", "other-project"),
            replica,
            leaving,
            outside
        ]);
        let document = json!({"formatVersion": "1", "wholeAccount": true, "targets": [
            {"name": "prod", "secrets": secrets}, {"name": "dev", "secrets": [secret("a/ours", "project")]}
        ]});
        let found = Unmanaged::of(serde_json::from_value(document).unwrap());
        assert_eq!((found.targets(), found.out_of_scope), (vec!["prod".to_owned()], 1));
        let names = |selection: &Selection| -> Vec<String> {
            selection.plain_names().unwrap().iter().map(ToString::to_string).collect()
        };
        assert_eq!(names(&found.chosen("prod", &Selection::default())), ["a/db", "a/team"]);
        assert_eq!(names(&found.chosen("dev", &Selection::default())), [""; 0]);
    }
}
