//! Renamed manifests: a secret that is created while one that looks like it goes, or stays behind.
//!
//! AWS can't rename a secret. Somebody who renames one in git gets a new, empty secret beside the old one, and a plan
//! should say so before the old one is deleted with its value.

use std::collections::BTreeSet;

use super::report::{Finding, FindingKind};
use super::{Change, SecretPlan, Verb};
use crate::desired::{Desired, SecretName};
use crate::live::{Live, LiveSecret};

/// How alike two names must be, from 0 to 1, for a pair without a common description to count.
///
/// `ledger-db` and `ledgerdb` have 0.89, `api-key` and `api-token` 0.56; two short names that share a letter have less.
const ALIKE: f64 = 0.6;

/// Pairs of a secret that is created and one whose manifest is gone and looks like it. No secret is in two pairs.
pub(super) fn renames<'a>(
    desired: &Desired,
    live: &'a Live,
    plans: impl Iterator<Item = &'a SecretPlan>,
    findings: &'a [Finding],
) -> Vec<(SecretName, SecretName)> {
    let mut created: Vec<&SecretPlan> = Vec::new();
    let mut gone: BTreeSet<&SecretName> = BTreeSet::new();
    for plan in plans {
        match plan.verb {
            Verb::Create => created.push(plan),
            Verb::Delete if plan.origin.is_none() => {
                gone.insert(&plan.name);
            }
            Verb::Release if !desired.secrets.contains_key(&plan.name) => {
                gone.insert(&plan.name);
            }
            _ => {}
        }
    }
    let orphans = findings.iter().filter(|finding| matches!(finding.kind, FindingKind::Orphaned { .. }));
    gone.extend(orphans.map(|finding| &finding.secret));

    let mut pairs = Vec::new();
    for plan in created {
        let best = gone
            .iter()
            .filter_map(|name| live.secrets.get(*name))
            .map(|secret| (likeness(plan, secret), &secret.name))
            .filter(|(likeness, _)| *likeness >= ALIKE)
            .max_by(|(a, a_name), (b, b_name)| a.total_cmp(b).then_with(|| b_name.cmp(a_name)));
        if let Some((_, name)) = best {
            pairs.push((plan.name.clone(), name.clone()));
            gone.remove(name);
        }
    }
    pairs
}

/// From 0 to 1; more than 1 when the descriptions are the same text, or the last part of the name is.
fn likeness(created: &SecretPlan, gone: &LiveSecret) -> f64 {
    let description = created.changes.iter().find_map(|change| match change {
        Change::Description { after, .. } => after.as_ref().map(|text| text.text.as_str()),
        _ => None,
    });
    let same_description = description.is_some() && description == gone.description.as_deref();
    let (created, gone) = without_common_folders(created.name.as_str(), gone.name.as_str());
    let moved = created.rsplit('/').next() == gone.rsplit('/').next();
    let names = strsim::normalized_levenshtein(created, gone);
    if same_description || moved { 1.0 + names } else { names }
}

/// The two names without the folders that both begin with: what all names of a project share says nothing.
fn without_common_folders<'a>(a: &'a str, b: &'a str) -> (&'a str, &'a str) {
    let shared = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let folders = a.as_bytes()[..shared].iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    // A slash is one byte, so both cuts are at the beginning of a character.
    (&a[folders..], &b[folders..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_names_begin_with_does_not_count() {
        assert_eq!(without_common_folders("prod/payments/app", "prod/payments/old"), ("app", "old"));
        assert_eq!(without_common_folders("a/b", "c/b"), ("a/b", "c/b"));
        assert_eq!(without_common_folders("a/größe", "a/grün"), ("größe", "grün"));
    }
}
