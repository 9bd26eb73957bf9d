//! The words for what differs, for what is known of it, and for what can be done. Nothing here is escaped.

use jiff::Timestamp;

use crate::desired::OtherOwner;
use crate::domain::VersionOrigin;
use crate::domain::{Arn, MAX_STAGING_LABELS, MAX_TAGS};
use crate::drift::{Clue, Difference, Drift, Field, ValueDifference};
use crate::plan::MadeBy;
use crate::render::cross_account;
use crate::render::finding::{LABEL_NOWHERE, LABELS_DO_NOT_FIT};
use crate::render::hint;
use crate::render::who;
use crate::render::words::made_by;

/// One drift as a sentence behind the secret's name.
pub(super) fn sentence(drift: &Drift) -> String {
    match &drift.what {
        Difference::Fields(fields) => format!("differs in {}", listed(fields)),
        what => difference(what),
    }
}

/// What differs: fields as a list, everything else as a sentence behind the secret's name.
pub fn difference(what: &Difference) -> String {
    let words = match what {
        Difference::Missing => "does not exist",
        Difference::ScheduledForDeletion => "is scheduled for deletion",
        Difference::DeclaredAbsent => "exists, and its manifest says state: absent",
        Difference::Orphaned { pruned: _, item: Some(item) } => {
            return format!("belongs to this target, and no manifest names it, nor an item {item} of a list");
        }
        Difference::Orphaned { pruned: _, item: None } => "belongs to this target, and no manifest names it",
        Difference::NotAdopted => "is named by a manifest and has no owner yet",
        Difference::EqualReEncrypted => "the live value is in git under another id, as when it is encrypted afresh",
        Difference::GeneratedFieldsChanged => "fields beside a generated one are others in git than in the live value",
        Difference::ValueNotApplied => "git's value is not live, and is left alone since the secret is rotated, or was",
        Difference::Unmanaged => "is live and in scope, and no manifest names it",
        Difference::AwaitsValue => "has no value yet, and git leaves it to people",
        Difference::RotationWaitsForValue => "rotation is declared, and waits for a first value",
        Difference::ReplicasUndeclared { regions } => {
            let regions: Vec<&str> = regions.iter().map(crate::domain::Region::as_str).collect();
            return format!("has replicas in {} that git says nothing of", regions.join(", "));
        }
        Difference::PolicyUndeclared => "has a resource policy that git says nothing of",
        Difference::Value(value) => self::value(*value),
        Difference::Fields(fields) => return listed(fields),
        Difference::Moves { from } => return format!("is renamed from {from}, which is still there"),
        Difference::MoveStopped { from } => return format!("is renamed from {from}, and something is in the way"),
        Difference::ValueHeldBack { value, version } => {
            return format!("{}; it is left alone while AWSPENDING is on {version}", self::value(*value));
        }
        Difference::Unreadable { reason } => return format!("could not be read: {reason}"),
        Difference::ValueUnreadable { reason } => return format!("its value could not be compared: {reason}"),
        Difference::OwnerTagCopied { owner } => {
            return format!(
                "carries an owner tag of {owner} that was copied from another secret, and no manifest names it"
            );
        }
        Difference::OtherScope { prefix } => {
            return format!("belongs to this target under the scope prefix {prefix}, and no manifest names it");
        }
        Difference::OutsideScope { owner } => return format!("belongs to {owner}, and is outside the scope"),
        Difference::Foreign { owner, whose: _ } => return format!("belongs to {owner}"),
        Difference::TagsDoNotFit { live, added } => {
            return format!(
                "has {live} tags that stay, git asks for {added} more, and a secret has at most {MAX_TAGS}: nothing is \
                 applied"
            );
        }
        Difference::LabelsDoNotFit { labels, live_only: _ } => {
            return format!(
                "would need room for {labels} staging labels, AWS's own included, and a secret has at most \
                 {MAX_STAGING_LABELS}: nothing is applied"
            );
        }
        Difference::LabelNowhere { label, exists } => {
            let lacks = if *exists { "lacks the version" } else { "does not exist, and would lack the version" };
            return format!("{lacks} that the label {label} is to be on: nothing is applied");
        }
        Difference::OfService { service } => return format!("is managed by the AWS service {service}"),
        Difference::ManagedMissing { service } => {
            return format!("is not there, and only the AWS service {service} makes it");
        }
        Difference::ManagedOtherwise { declared, owner: None } => {
            return format!("is not managed by {declared}, as its manifest says, nor by any other AWS service");
        }
        Difference::ManagedOtherwise { declared, owner: Some(owner) } => {
            return format!("is managed by the AWS service {owner}, and not by {declared}, as its manifest says");
        }
        Difference::Replica { primary } => return format!("is a replica here; its primary is in {primary}"),
        Difference::ReplicaFailed { region, message } => return format!("the replica in {region} failed: {message}"),
        Difference::ReplicaBlocked { region, owner } => {
            return format!("the replica in {region} cannot be made: a secret there belongs to {owner}");
        }
        Difference::Link(finding) => return cross_account::finding(finding).into_owned(),
        Difference::LinksUndeclared { others, ended } => {
            return links_undeclared(others, *ended);
        }
        Difference::OtherPolicies { names } => {
            return format!("has policies beside the default one: {}", names.join(", "));
        }
        Difference::ReplicasInProgress { regions } => {
            return format!("replicas in {} are being made", regions.join(", "));
        }
        Difference::ReplicasKept { regions } => {
            return format!(
                "has replicas in {} that git does not want; they stay until the declared ones are in sync",
                regions.join(", ")
            );
        }
        Difference::RotationHeldBack { version } => {
            return format!(
                "rotation is declared otherwise than it is; it is left alone while AWSPENDING is on {version}"
            );
        }
        Difference::RotationStuck { version, primary } => {
            let whose = primary.as_ref().map_or_else(String::new, |primary| format!(", as at its primary {primary}"));
            return format!("AWSPENDING stays on {version}, which is not current{whose}");
        }
        Difference::RotationOverdue { due } => return format!("should have been rotated by {}", date(*due)),
        Difference::DeletedPrincipal { problem } => return problem.clone(),
        Difference::NotCompared { dependency } => return format!("was not compared, since it needs {dependency}"),
    };
    words.to_owned()
}

fn links_undeclared(others: &[Arn], ended: bool) -> String {
    let others = others.iter().map(Arn::as_str).collect::<Vec<_>>().join(", ");
    if ended {
        format!("was replicated with {others} until its owner ended that; its manifest says nothing of it")
    } else {
        format!("is replicated with {others}, which its manifest says nothing of")
    }
}

fn listed(fields: &[Field]) -> String {
    fields.iter().map(field).collect::<Vec<_>>().join(", ")
}

fn field(field: &Field) -> String {
    match field {
        Field::Description => "description".to_owned(),
        Field::KmsKey => "kmsKeyId".to_owned(),
        Field::Type => "type".to_owned(),
        Field::Tag(key) => format!("tag {key}"),
        Field::Policy => "policy".to_owned(),
        Field::Label(label) => format!("label {label}"),
        Field::Rotation => "rotation".to_owned(),
        Field::Replica(region) => format!("replica in {region}"),
        Field::CrossAccountPrimary => "crossAccountPrimary".to_owned(),
        Field::CrossAccountReplica => "crossAccountReplica".to_owned(),
        Field::Deletion => "deletion".to_owned(),
    }
}

fn value(value: ValueDifference) -> &'static str {
    match value {
        ValueDifference::None => "has no value yet",
        ValueDifference::NotFromGit => "the current value did not come from git",
        ValueDifference::NotGenerated => "the value is still the one that git held, and a generated one is declared",
        ValueDifference::NothingToKeep => "the value has another form than the generated one that is declared",
        ValueDifference::NotProven => {
            "the value is encrypted afresh in git, or is another one there: equality is not proven"
        }
        ValueDifference::ChangedInGit => "git holds another text now, which was not applied",
        ValueDifference::OtherVersion => "another version is current than the one in git",
        ValueDifference::Differs => "the live value is another one than git's",
        ValueDifference::NotThereForLabel => "git's version is not there for its label",
    }
}

/// What is known of who did it, and what CloudTrail says of that.
pub(super) fn clues(drift: &Drift) -> impl Iterator<Item = String> {
    hints(drift).chain(drift.who.iter().flat_map(who::lines))
}

/// What is known of who did it, by the secret alone.
pub(super) fn hints(drift: &Drift) -> impl Iterator<Item = String> {
    drift.hints.iter().map(clue)
}

fn clue(clue: &Clue) -> String {
    match clue {
        Clue::CurrentVersion { version, made_by: MadeBy::Named(VersionOrigin::Keywright), differs: true } => format!(
            "the current version {version} was made under an id that keywright gives: from another commit, or by \
             somebody who planted it"
        ),
        Clue::CurrentVersion { version, made_by: maker, differs: _ } => {
            format!("the current version {version} was made {}", made_by(*maker))
        }
        Clue::LastChanged(when) => format!("last changed {}", date(*when)),
        Clue::LastRotated(when) => format!("last rotated {}", date(*when)),
    }
}

fn date(date: Timestamp) -> String {
    date.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The drifts of one class by what can be done about them, each in the order of the first one.
pub(super) fn by_help<'a>(drifts: &[&'a Drift]) -> Vec<(&'static str, Vec<&'a Drift>)> {
    let mut groups: Vec<(&'static str, Vec<&Drift>)> = Vec::new();
    for drift in drifts {
        let help = help(drift);
        match groups.iter_mut().find(|(same, _)| *same == help) {
            Some((_, group)) => group.push(drift),
            None => groups.push((help, vec![drift])),
        }
    }
    groups
}

/// What can be done about it.
pub(super) fn help(drift: &Drift) -> &'static str {
    match &drift.what {
        Difference::Missing => "keywright apply creates it",
        Difference::Moves { .. } => "keywright apply moves it",
        Difference::MoveStopped { .. } => "keywright plan says what",
        Difference::ScheduledForDeletion => "keywright apply restores it",
        Difference::DeclaredAbsent => "keywright apply deletes it",
        Difference::Orphaned { pruned: true, item: _ } => "write a manifest, or let an apply prune it",
        Difference::Orphaned { pruned: false, item: _ } => {
            "delete it with state: absent, keep it with `keywright release`, or set prune"
        }
        Difference::NotAdopted => "keywright apply adopts it",
        Difference::Fields(_) => "keywright plan shows the difference; apply puts git's state back",
        Difference::Value(ValueDifference::NotProven) => {
            "keywright apply compares the two and writes down that they are equal, or puts the new one; drift \
             --read-values compares them, with the key"
        }
        Difference::Value(ValueDifference::ChangedInGit) => "keywright apply puts it",
        Difference::Value(ValueDifference::NotGenerated | ValueDifference::NothingToKeep) => {
            "keywright apply --allow-replace-values makes it anew"
        }
        Difference::Value(_) => {
            "look at who changed it; keywright apply puts git's value back, or put the new one into git"
        }
        Difference::EqualReEncrypted => "keywright apply --read-values writes that down",
        Difference::ValueHeldBack { value: ValueDifference::NotProven, .. } => {
            "let the rotation finish, or `keywright rotate --repair`; then keywright apply compares the two"
        }
        Difference::ValueHeldBack { .. } => {
            "look at who changed it; `keywright rotate --repair` clears a rotation that is stuck"
        }
        Difference::GeneratedFieldsChanged => {
            "keywright apply --read-values puts them, and keeps the generated parts as they are live"
        }
        Difference::ValueNotApplied => "write ownership: enforce or ownership: seed in its manifest",
        Difference::Unreadable { .. } => "keywright plan says what to do about it",
        Difference::ValueUnreadable { .. } => "check permission and key",
        Difference::Unmanaged => "keywright import writes a manifest for it",
        Difference::OwnerTagCopied { .. } => "take the tag keywright:project off, or name it in a manifest to adopt it",
        Difference::OtherScope { .. } => {
            "name it in a manifest (state: absent deletes it), or keep it with `keywright release`"
        }
        Difference::OutsideScope { .. } => "widen the scope to manage it again, or take the tag keywright:project off",
        Difference::Foreign { whose: OtherOwner::OnceReplica, .. } => hint::ONCE_REPLICA,
        Difference::Foreign { whose: OtherOwner::FormerTarget, .. } => hint::FORMER_TARGET,
        Difference::Foreign { .. } => "narrow one of the two scopes",
        Difference::TagsDoNotFit { .. } => "declare fewer, take tags off by hand, or write `tagMode: exact`",
        Difference::LabelsDoNotFit { .. } => LABELS_DO_NOT_FIT,
        Difference::LabelNowhere { .. } => LABEL_NOWHERE,
        Difference::OfService { .. } => "remove its manifest",
        Difference::ManagedMissing { .. } => "correct its name, or remove its manifest",
        Difference::ManagedOtherwise { .. } => "correct or remove metadata.managedBy",
        Difference::Replica { .. } => "manage it from a target in its primary's region",
        Difference::ReplicaFailed { .. } => {
            "remove what stands in its way there, a replica at its primary; the next apply tries again"
        }
        Difference::ReplicaBlocked { .. } => "move or release the secret there first, or leave the region out",
        Difference::Link(finding) => cross_account::help(finding),
        Difference::LinksUndeclared { ended: true, .. } => {
            "crossAccountReplica: null or crossAccountPrimary: null in its manifest takes away what is left of that"
        }
        Difference::LinksUndeclared { .. } => {
            "declare crossAccountReplica or crossAccountPrimary in its manifest; null ends the replication"
        }
        Difference::OtherPolicies { .. } => {
            "AWS attaches such policies; GetResourcePolicy with the name shows what it allows"
        }
        Difference::ReplicasInProgress { .. } => "look again later",
        Difference::ReplicasKept { .. } => "keywright apply removes them after that",
        Difference::RotationHeldBack { .. } => "let the rotation finish, or clear it with `keywright rotate --repair`",
        Difference::AwaitsValue => "put one by hand; `valueExpected: false` in its manifest says that it stays empty",
        Difference::RotationWaitsForValue => "declare `value`, or put one by hand",
        Difference::RotationStuck { primary: Some(_), .. } => {
            "look at the function's log; `keywright rotate --repair` takes the label away at the primary, and so here"
        }
        Difference::RotationStuck { .. } => {
            "look at the function's log; `keywright rotate --repair` takes the label away"
        }
        Difference::RotationOverdue { .. } => "look at the function's log; `keywright rotate` tries again",
        Difference::ReplicasUndeclared { .. } => {
            "declare `replicas` in its manifest, or `replicas: null` to remove them"
        }
        Difference::PolicyUndeclared => "declare `policy` in its manifest, or `policy: null` to remove it",
        Difference::DeletedPrincipal { .. } => "remove it from the policy, or name the principal that took its place",
        Difference::NotCompared { .. } => "keywright plan says why",
    }
}
