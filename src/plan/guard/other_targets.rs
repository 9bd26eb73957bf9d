//! A secret would go here that a manifest names for another target: it moves there, and what AWS holds of it here does
//! not come along. Where the other target has the secret with a value, or gets git's, nothing is lost.

use super::removed_replicas::FLAG as REMOVE_REPLICAS;
use super::rename_loses_value::FLAG as LOSE_VALUE;
use super::valued_primary::primary_has_value;
use super::{Check, Guard, GuardedTarget, Refused, RunGuards};
use crate::desired::{Desired, DesiredSecret, OtherOwner, State};
use crate::live::LiveSecret;
use crate::origin::Origin;
use crate::plan::{Action, SecretPlan, has_value_of, replaces_value};

pub(super) const LOSES_VALUE: Guard = Guard {
    name: "target-change-loses-value",
    flag: Some(&LOSE_VALUE),
    words: "{secret} would go with its value, and in target {target}, which {place} names it for, it would be there \
            without that value: name both targets in the manifest, put the value there, and then take this target out",
    check: Check::Target(loses_value),
};

pub(super) const NOT_IN_RUN: Guard = Guard {
    name: "target-not-in-run",
    flag: Some(&LOSE_VALUE),
    words: "{secret} would go with its value, which git does not hold, and whether it has one in target {target}, \
            which {place} names it for, is not known, since this run leaves that target out: run over both",
    check: Check::Target(not_in_run),
};

pub(super) const REPLICA: Guard = Guard {
    name: "replica-of-other-target",
    flag: Some(&REMOVE_REPLICAS),
    words: "the replica of {secret} in {region} would be removed at once and for good, while {place} names the secret \
            for target {target}, which is there: `keywright promote {secret} --target {target}` makes it a secret of \
            its own, which that target adopts with its value",
    check: Check::Target(replica),
};

const RENAMED: &str = "{secret} would go with its value, and in target {target}, where {place} gives it another name \
                       (`metadata.renamedFrom`), it would be there without that value: name both targets in the \
                       manifest, put the value there, and then take this target out";

/// A move to another target that git takes back.
const RESTORED: &str = "{secret} would go with its value, and in target {target}, which {place} names it for, it would \
                        be restored with another version, the one of its deletion: name both targets in the manifest, \
                        put the value there, and then take this target out";

const ADOPTED: &str = "{secret} would go with its value, and in target {target}, which {place} names it for, it would \
                       be adopted with another version: name both targets in the manifest, put the value there, and \
                       then take this target out";

const OLDER: &str = "{secret} would go with its value, and in target {target}, which {place} names it for, it has an \
                     older version of it: put the value there, and then take this target out";

/// One that is restored or adopted, and has the id of the value that goes.
const GENERATED: &str = "{secret} would go with its value, and in target {target}, which {place} names it for, it \
                         would come back with a generated value of its own, under the same version id: name both \
                         targets in the manifest, put the value there, and then take this target out";

/// A secret that would be deleted since no manifest names it here.
fn deleted<'a>(target: &GuardedTarget<'a>) -> impl Iterator<Item = (&'a SecretPlan, &'a LiveSecret)> {
    let pruned = target.plan.secrets.iter().filter(|secret| secret.is_removal() && secret.is_pruned());
    let observed = pruned.filter_map(|secret| Some((secret, secret.observed.as_ref()?)));
    observed.filter(|(_, observed)| observed.current_version().is_some())
}

/// The secret of another target that `gone` becomes: the same document makes it, or it has the same name, or had it
/// before.
fn home<'d>(desired: &'d Desired, gone: &SecretPlan) -> Option<&'d DesiredSecret> {
    let same_document = gone.leaving.other_targets.as_ref().and_then(|named| {
        desired.secrets.values().find(|secret| secret.origin == named.origin && secret.item == named.item)
    });
    let renamed = || desired.renames().find(|(old, _)| **old == gone.name).map(|(_, secret)| secret);
    let found = same_document.or_else(|| desired.secrets.get(&gone.name)).or_else(renamed);
    found.filter(|secret| secret.state == State::Present && secret.managed_by.is_none())
}

/// Whether what git says of a secret gives it a value that takes the place of the one that goes.
fn gets_value_of_git(home: &DesiredSecret, gone: &LiveSecret, run: &RunGuards<'_>) -> bool {
    primary_has_value(home, run) || replaces_value(home, gone)
}

/// In which words a value is lost, where the guard's own do not fit.
fn words(
    home: &DesiredSecret,
    gone: &SecretPlan,
    observed: &LiveSecret,
    live: Option<&LiveSecret>,
    owner: &str,
) -> Option<&'static str> {
    let valued = live.filter(|secret| secret.current_version().is_some());
    match valued {
        Some(secret) if secret.current_version() == observed.current_version() => Some(GENERATED),
        Some(secret) if secret.is_scheduled_for_deletion() => Some(RESTORED),
        Some(secret) if secret.is_adoptable_by(owner) => Some(ADOPTED),
        Some(_) => Some(OLDER),
        None => home.renamed_from.as_ref().filter(|renamed| renamed.name == gone.name).map(|_| RENAMED),
    }
}

fn refused(gone: &SecretPlan, home: &Origin, target: &str) -> Refused {
    Refused::secrets(vec![gone.name.clone()])
        .text("secret", gone.name.as_str())
        .text("target", target)
        .text("place", format!("{}:{}", home.file, home.line))
}

fn loses_value(target: &GuardedTarget<'_>, run: &RunGuards<'_>) -> Vec<Refused> {
    let lost = |(gone, observed): (&SecretPlan, &LiveSecret)| {
        run.others(target).find_map(|other| {
            let home = home(other.desired, gone)?;
            let live = other.live.secrets.get(&home.name);
            let has_value = live.is_some_and(|secret| has_value_of(secret, &other.desired.owner(), observed));
            let planned = other.plan.secrets.iter().find(|planned| planned.name == home.name);
            let carries = planned.is_some_and(|planned| planned.carried().next().is_some());
            let kept = has_value || carries || gets_value_of_git(home, observed, run);
            (!kept).then(|| {
                let refused = refused(gone, &home.origin, &other.plan.target);
                match words(home, gone, observed, live, &other.desired.owner()) {
                    Some(words) => refused.words(words),
                    None => refused,
                }
            })
        })
    };
    deleted(target).filter_map(lost).collect()
}

fn not_in_run(target: &GuardedTarget<'_>, run: &RunGuards<'_>) -> Vec<Refused> {
    let unknown = |(gone, observed): (&SecretPlan, &LiveSecret)| {
        let of_beside = run.beside.iter().find_map(|other| {
            let home = home(other, gone)?;
            (!gets_value_of_git(home, observed, run)).then(|| refused(gone, &home.origin, &other.target.name))
        });
        let of_unread = || {
            let named = gone.leaving.other_targets.as_ref().filter(|_| !run.unread.is_empty())?;
            Some(refused(gone, &named.origin, &run.unread.join(" or ")))
        };
        of_beside.or_else(of_unread)
    };
    deleted(target).filter_map(unknown).collect()
}

fn replica(target: &GuardedTarget<'_>, run: &RunGuards<'_>) -> Vec<Refused> {
    let declared = || run.others(target).map(|other| other.desired).chain(run.beside.iter().copied());
    let of_region = |secret: &SecretPlan, action: &Action| -> Vec<Refused> {
        let Action::RemoveReplicas { regions } = action else { return Vec::new() };
        let there = declared().filter(|other| regions.contains(&other.target.region));
        // Of another account, it is another secret.
        let there = there.filter(|other| other.other_owner(&target.desired.owner()) == OtherOwner::OnceReplica);
        let found = there.filter_map(|other| {
            let home = other.secrets.get(&secret.name).filter(|secret| secret.state == State::Present)?;
            Some(refused(secret, &home.origin, &other.target.name).text("region", other.target.region.as_str()))
        });
        found.collect()
    };
    let secrets = target.plan.secrets.iter();
    secrets.flat_map(|secret| secret.actions.iter().flat_map(move |action| of_region(secret, action))).collect()
}
