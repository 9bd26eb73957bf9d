//! What AWS bills: a secret is one, and so is each of its replicas; one that is scheduled for deletion is free (the
//! price page of Secrets Manager; "Delete a secret" in its user guide).

use std::collections::BTreeSet;

use super::TargetInventory;
use crate::domain::Arn;
use crate::live::LiveSecret;

/// Secrets of one account and region that several targets list, with `--all`: each stays in the target whose scope has
/// its name, and else in the first.
pub fn one_place_each(targets: &mut [TargetInventory]) {
    let mut taken: BTreeSet<Arn> = BTreeSet::new();
    for in_scope in [true, false] {
        for stock in targets.iter_mut().filter_map(|target| target.outcome.as_mut().ok()) {
            stock.entries.retain(|entry| entry.in_scope != in_scope || taken.insert(entry.secret.arn.clone()));
        }
    }
}

/// Says of each secret how many are billed for it. A replica that is listed itself, in a target of its region, is
/// counted there.
pub fn settle_billing(targets: &mut [TargetInventory]) {
    // Targets need not name their account; ARNs do.
    let account_of = |secret: &LiveSecret| secret.arn.parts().map(|arn| arn.account.to_owned());
    let mut listed: BTreeSet<(Option<String>, String, String)> = BTreeSet::new();
    for target in &*targets {
        for entry in target.outcome.iter().flat_map(|stock| &stock.entries) {
            let name = entry.secret.name.as_str().to_owned();
            listed.insert((account_of(&entry.secret), target.region.clone(), name));
        }
    }
    for stock in targets.iter_mut().filter_map(|target| target.outcome.as_mut().ok()) {
        for entry in &mut stock.entries {
            let secret = &entry.secret;
            let elsewhere = secret.replicas.iter().filter(|(region, replica)| {
                let place = (account_of(secret), region.as_str().to_owned(), secret.name.as_str().to_owned());
                replica.is_billed() && !listed.contains(&place)
            });
            let replicas = u64::try_from(elsewhere.count()).unwrap_or_default();
            entry.billed = if secret.is_scheduled_for_deletion() { 0 } else { 1 + replicas };
        }
    }
}
