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
/// `staging/payments/db` and `staging/payments/database` have 0.76; two unrelated names under one prefix have less than 0.7.
const ALIKE: f64 = 0.75;

/// Pairs of a secret that is created and one that left git and looks like it. No secret is in two pairs.
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

/// From 0 to 1; more than 1 when the descriptions are the same text.
fn likeness(created: &SecretPlan, gone: &LiveSecret) -> f64 {
    let description = created.changes.iter().find_map(|change| match change {
        Change::Description { after, .. } => after.as_ref().map(|text| text.text.as_str()),
        _ => None,
    });
    let same_description = description.is_some() && description == gone.description.as_deref();
    let names = strsim::normalized_levenshtein(created.name.as_str(), gone.name.as_str());
    if same_description { 1.0 + names } else { names }
}
