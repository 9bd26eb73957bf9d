//! Findings as sentences.

use super::escape::{self, Escaped, Terminal};
use super::rows::nor_item;
use super::{cross_account, escaped, hint, words};
use crate::desired::OtherOwner;
use crate::domain::{MAX_STAGING_LABELS, MAX_TAGS, Region, StagingLabel, TagKey, VersionId};
use crate::live::PolicyProblem;
use crate::plan::{Finding, FindingKind, LeftItem, MoveObstacle, PlaceHolder};
use crate::value::Edges;

/// Most names of secrets whose values were not read.
const LISTED_UNREAD: usize = 5;

/// Most keys of tags that are named: all that a secret can have, and its manifest.
const LISTED_TAGS: usize = MAX_TAGS;

const GENERATED_FIELDS_CHANGED: &str = "has other fields in git than those of its live value, which were set beside a \
    generated one: they are not applied";

const MAYBE_NOT_GENERATED: &str =
    "may have a value that `generate` did not make, and which stays: the id of its version is of another kind";

/// What was found, in one sentence without the secret's name.
pub fn finding_text(finding: &Finding) -> Escaped<Terminal> {
    let changed = |date: &Option<jiff::Timestamp>| {
        date.map(|date| -> Escaped<Terminal> {
            escaped!(" (last changed {})", escape::time::<Terminal>(date, "%Y-%m-%d %H:%M UTC"))
        })
    };
    match &finding.kind {
        FindingKind::Unmanaged { last_changed } => {
            escaped!("is live and in scope, and no manifest names it{}", changed(last_changed))
        }
        FindingKind::CopiedTag { owner, last_changed } => escaped!(
            "carries an owner tag of {} that was written for another secret: it is unmanaged, and left alone{}",
            escape::line(owner),
            changed(last_changed)
        ),
        FindingKind::OtherScope { prefix } => other_scope(prefix),
        FindingKind::OwnedOutsideScope { owner } => owned_outside_scope(owner),
        FindingKind::Orphaned { last_changed, left } => {
            escaped!("belongs to this project, and {}{}", orphaned(left.as_ref()), changed(last_changed))
        }
        FindingKind::TooManyLabels { labels, live_only } => too_many_labels(*labels, live_only),
        FindingKind::TooManyTags { live, added, live_only } => too_many_tags(*live, *added, live_only),
        FindingKind::LabelNowhere { label, version, exists } => label_nowhere(label, version, *exists),
        FindingKind::Foreign { owner, whose: _ } => {
            escaped!("belongs to {}, not to this target", escape::line(owner))
        }
        FindingKind::ForeignInScope { owner, whose: _ } => {
            escaped!("is in scope and belongs to {}", escape::line(owner))
        }
        FindingKind::OwnedByService { service } => {
            escaped!("is managed by the AWS service {}, and is read-only for everybody else", escape::line(service))
        }
        FindingKind::ManagedMissing { service } => {
            escaped!("is not there, and only the AWS service {} makes it", escape::line(service))
        }
        FindingKind::ManagedOtherwise { declared, owner } => managed_otherwise(declared, owner.as_deref()),
        FindingKind::Replica { primary_region } => {
            escaped!("is a replica here; its primary is in {}", escape::line(primary_region.as_str()))
        }
        FindingKind::OverwritesForeign { region, owner } => overwrites_foreign(region.as_str(), owner),
        FindingKind::ReplicaPlaceTaken { region, target, holder } => {
            replica_place_taken(region.as_str(), target, *holder)
        }
        FindingKind::PolicyRejected { problems } => {
            escaped!("has a policy that the service does not accept: {}", escape::line(&PolicyProblem::words(problems)))
        }
        FindingKind::PolicyNotValidated { reason } => {
            escaped!("has a policy that could not be validated: {}", escape::line(reason))
        }
        FindingKind::ReplicaInProgress { regions } => {
            escaped!("has replicas that are being made, in {}", escape::line(&regions.join(", ")))
        }
        FindingKind::ReplicasKept { regions, missing } => replicas_kept(regions, missing),
        FindingKind::CrossAccount(finding) => cross_account::finding(finding),
        FindingKind::RotationWaitsForValue => escaped!("is not put under rotation, since it has no value yet"),
        FindingKind::LooksRenamed { from } => {
            escaped!("looks like a renamed {}", escape::line(from.as_str()))
        }
        FindingKind::MoveRefused { from, obstacle } => move_refused(from.as_str(), obstacle),
        FindingKind::MoveWaits { from, version } => move_waits(from.as_str(), version.as_str()),
        FindingKind::MoveOver { from } => move_over(from.as_str()),
        FindingKind::RotationPending { version, .. } => escaped!(
            "has AWSPENDING on {}, which is not the current version: a rotation is not complete, and value and \
             rotation are left alone",
            escape::line(version.as_str())
        ),
        FindingKind::GeneratedFieldsChanged => escaped!("{}", GENERATED_FIELDS_CHANGED),
        FindingKind::ValueNotApplied { rotated } => value_not_applied(*rotated),
        FindingKind::ValueReEncrypted { .. } => {
            escaped!("has its live value in git under another id, as when re-encrypted")
        }
        FindingKind::ValueEdges(edges) => value_edges(edges),
        FindingKind::MaybeNotGenerated => escaped!("{}", MAYBE_NOT_GENERATED),
        FindingKind::ValueUnknown => escaped!("may or may not have the declared value: it was not read"),
        FindingKind::ValueUnreadable { reason } => {
            escaped!("has a value that could not be compared: {}", escape::line(reason))
        }
        FindingKind::Unreadable { error } => {
            escaped!("could not be read, and is left alone: {}", escape::line(&error.to_string()))
        }
        FindingKind::DependencyUnreadable { dependency } => {
            escaped!("needs {}, which could not be read", escape::line(dependency.as_str()))
        }
        FindingKind::DependencyRefused { dependency } => {
            escaped!("needs {}, which is left alone for an error of its own", escape::line(dependency.as_str()))
        }
        FindingKind::DependencyNotSelected { dependency } => {
            escaped!("needs {}, which does not exist and is not selected", escape::line(dependency.as_str()))
        }
        FindingKind::DependencyAbsent { dependency } => {
            escaped!("needs {}, whose manifest says state: absent", escape::line(dependency.as_str()))
        }
    }
}

fn label_nowhere(label: &StagingLabel, version: &VersionId, exists: bool) -> Escaped<Terminal> {
    escaped!(
        "{} no version {}, which the label {} is to be on",
        if exists { "has" } else { "is to be created, and then has" },
        escape::line(version.as_str()),
        escape::line(label.as_str())
    )
}

fn value_not_applied(rotated: Option<jiff::Timestamp>) -> Escaped<Terminal> {
    let last = rotated
        .map(|date| -> Escaped<Terminal> { escaped!(", last on {}", escape::time::<Terminal>(date, "%Y-%m-%d")) });
    escaped!("has another value than git's, which is left alone (ownership: seed): it is rotated, or was{}", last)
}

fn replica_place_taken(region: &str, target: &str, holder: PlaceHolder) -> Escaped<Terminal> {
    let (region, target) = (escape::line(region), escape::line(target));
    match holder {
        PlaceHolder::Stays => {
            escaped!("cannot have a replica in {}, where target {} has a secret of this name", region, target)
        }
        PlaceHolder::Unmanaged => escaped!(
            "cannot have a replica in {}, where target {} has a secret of this name, which is unmanaged",
            region,
            target
        ),
        PlaceHolder::Leaving { since } => escaped!(
            "cannot have a replica in {} yet, where target {} has a secret of this name, scheduled for deletion on {}: \
             its name is taken until its recovery window is over",
            region,
            target,
            escape::time::<Terminal>(since, "%Y-%m-%d")
        ),
        PlaceHolder::Goes => escaped!(
            "cannot have a replica in {} yet, where target {} deletes a secret of this name: until its recovery window \
             is over, readers there would have neither",
            region,
            target
        ),
        PlaceHolder::ReplicaGoes => escaped!(
            "gets its replica in {} once the one of target {} is gone, which this apply removes",
            region,
            target
        ),
    }
}

fn overwrites_foreign(region: &str, owner: &str) -> Escaped<Terminal> {
    escaped!(
        "would destroy a secret of the same name in {}, which belongs to {}",
        escape::line(region),
        escape::line(owner)
    )
}

fn replicas_kept(regions: &[Region], missing: &[Region]) -> Escaped<Terminal> {
    if missing.is_empty() {
        return escaped!(
            "has replicas in {} that no manifest wants: they stayed until all declared ones were in sync",
            escape::line(&regions.join(", "))
        );
    }
    escaped!(
        "has replicas in {} that no manifest wants: they stay until those in {} are in sync",
        escape::line(&regions.join(", ")),
        escape::line(&missing.join(", "))
    )
}

fn move_waits(from: &str, version: &str) -> Escaped<Terminal> {
    escaped!(
        "takes the place of {} once the rotation of that one is over: AWSPENDING is on {}",
        escape::line(from),
        escape::line(version)
    )
}

fn move_over(from: &str) -> Escaped<Terminal> {
    escaped!("has taken the place of {}: metadata.renamedFrom is no longer needed", escape::line(from))
}

/// Why nothing declares a secret any more.
fn orphaned(left: Option<&LeftItem>) -> Escaped<Terminal> {
    escaped!("no manifest names it any more{}", nor_item(left))
}

/// Why a secret cannot take another one's place.
fn move_refused(from: &str, obstacle: &MoveObstacle) -> Escaped<Terminal> {
    let from = escape::line(from);
    match obstacle {
        MoveObstacle::NotOurs { owner: None } => {
            escaped!("is renamed from {}, which has no owner tag of this target: it is left alone", from)
        }
        MoveObstacle::NotOurs { owner: Some(owner) } => {
            escaped!("is renamed from {}, which belongs to {}: it is left alone", from, escape::line(owner))
        }
        MoveObstacle::NotDeletable => {
            escaped!("is renamed from {}, which is a replica or managed by an AWS service, and cannot be deleted", from)
        }
        MoveObstacle::ScheduledForDeletion => {
            escaped!("is renamed from {}, which is scheduled for deletion, and whose value is not here yet", from)
        }
        MoveObstacle::Diverged { current } => escaped!(
            "is renamed from {}, and has a value of its own (version {}): one of the two would be lost",
            from,
            escape::line(current.as_str())
        ),
        MoveObstacle::OwnershipUnclear => escaped!(
            "is renamed from {}, which was rotated: the manifest declares a value, no rotation, and not who owns the \
             value",
            from
        ),
    }
}

fn too_many_tags(live: usize, added: usize, live_only: &[TagKey]) -> Escaped<Terminal> {
    escaped!(
        "would have {} tags, and a secret has at most {}: {} live, {} more of git's{}",
        live + added,
        MAX_TAGS,
        live,
        added,
        (!live_only.is_empty())
            .then(|| -> Escaped<Terminal> { escaped!("; only live, and kept: {}", named_keys(live_only)) })
    )
}

fn other_scope(prefix: &str) -> Escaped<Terminal> {
    escaped!(
        "belongs to this project, was applied under the scope prefix {}, and no manifest names it: it is left alone",
        escape::line(prefix)
    )
}

fn owned_outside_scope(owner: &str) -> Escaped<Terminal> {
    escaped!(
        "belongs to {} and is outside the scope: no manifest manages it, and it is left alone",
        escape::line(owner)
    )
}

fn too_many_labels(labels: usize, live_only: &[StagingLabel]) -> Escaped<Terminal> {
    let named = Escaped::join(live_only.iter().map(|label| escape::line(label.as_str())), ", ");
    escaped!(
        "would need room for {} staging labels, AWS's own included, and a secret has at most {}{}",
        labels,
        MAX_STAGING_LABELS,
        (!live_only.is_empty()).then(|| -> Escaped<Terminal> { escaped!("; only live, and kept: {}", named) })
    )
}

fn managed_otherwise(declared: &str, owner: Option<&str>) -> Escaped<Terminal> {
    let declared = escape::line(declared);
    match owner {
        None => escaped!("is not managed by {}, as its manifest says, nor by any other AWS service", declared),
        Some(owner) => escaped!(
            "is managed by the AWS service {}, and not by {}, as its manifest says",
            escape::line(owner),
            declared
        ),
    }
}

/// Keys of tags, the first few of many.
fn named_keys(keys: &[TagKey]) -> Escaped<Terminal> {
    words::first_few(keys.iter().map(|key| escape::line(key.as_str())), LISTED_TAGS)
}

/// A line feed or a byte order mark at the edges of a value, which few values are meant to have.
pub fn value_edges(Edges { field, bytes, line_feed, mark }: &Edges) -> Escaped<Terminal> {
    let what = match (line_feed, mark) {
        (true, true) => "which begin with a byte order mark and end with a line feed",
        (false, true) => "which begin with a byte order mark",
        _ => "the last of which is a line feed",
    };
    if field.is_empty() {
        escaped!("gets a value of {} bytes, {}", bytes, what)
    } else {
        escaped!("gets {} bytes as {} of its value, {}", bytes, escape::line(field), what)
    }
}

/// Values that were not read, of several secrets in one sentence, with what can be done; none where it is at most one.
/// The findings are the others then.
pub(super) fn fold_unread(findings: &[Finding]) -> (Vec<&Finding>, Option<(Escaped<Terminal>, &'static str)>) {
    let (unread, others): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|finding| finding.kind == FindingKind::ValueUnknown);
    let [first, _, ..] = unread.as_slice() else { return (findings.iter().collect(), None) };
    let names = unread.iter().map(|finding| escape::line(finding.secret.as_str()));
    let text = escaped!(
        "{} may or may not have their declared values, which were not read: {}",
        words::count(unread.len(), "secret"),
        words::first_few(names, LISTED_UNREAD)
    );
    (others, Some((text, finding_help(first).unwrap_or_default())))
}

/// What can be done about a label on a version that is not there.
pub(in crate::render) const LABEL_NOWHERE: &str =
    "`keywright versions NAME` lists the versions that there are; `git` is the one of the committed value";

/// Room for labels.
pub(super) const LABELS_DO_NOT_FIT: &str = "declare fewer, or take some off by hand: `keywright versions NAME` \
                                            lists them, `aws secretsmanager update-secret-version-stage` with \
                                            `--remove-from-version-id` takes one off";

/// What was found, in one word of the documents.
pub(super) fn finding_word(kind: &FindingKind) -> &'static str {
    match kind {
        FindingKind::Unmanaged { .. } => "unmanaged",
        FindingKind::CopiedTag { .. } => "copiedTag",
        FindingKind::OtherScope { .. } => "otherScope",
        FindingKind::OwnedOutsideScope { .. } => "ownedOutsideScope",
        FindingKind::Orphaned { .. } => "orphaned",
        FindingKind::TooManyTags { .. } => "tooManyTags",
        FindingKind::TooManyLabels { .. } => "tooManyLabels",
        FindingKind::LabelNowhere { .. } => "labelNowhere",
        FindingKind::Foreign { .. } => "foreign",
        FindingKind::ForeignInScope { .. } => "foreignInScope",
        FindingKind::OwnedByService { .. } => "ownedByService",
        FindingKind::ManagedMissing { .. } => "managedMissing",
        FindingKind::ManagedOtherwise { .. } => "managedOtherwise",
        FindingKind::Replica { .. } => "replica",
        FindingKind::OverwritesForeign { .. } => "overwritesForeign",
        FindingKind::ReplicaPlaceTaken { .. } => "replicaPlaceTaken",
        FindingKind::LooksRenamed { .. } => "looksRenamed",
        FindingKind::MoveRefused { .. } => "moveRefused",
        FindingKind::MoveWaits { .. } => "moveWaits",
        FindingKind::MoveOver { .. } => "moveOver",
        FindingKind::RotationPending { .. } => "rotationPending",
        FindingKind::PolicyRejected { .. } => "policyRejected",
        FindingKind::PolicyNotValidated { .. } => "policyNotValidated",
        FindingKind::ReplicaInProgress { .. } => "replicaInProgress",
        FindingKind::ReplicasKept { .. } => "replicasKept",
        FindingKind::CrossAccount(_) => "crossAccount",
        FindingKind::RotationWaitsForValue => "rotationWaitsForValue",
        FindingKind::GeneratedFieldsChanged => "generatedFieldsChanged",
        FindingKind::ValueNotApplied { .. } => "valueNotApplied",
        FindingKind::ValueReEncrypted { .. } => "valueReEncrypted",
        FindingKind::ValueEdges(_) => "valueEdges",
        FindingKind::MaybeNotGenerated => "maybeNotGenerated",
        FindingKind::ValueUnknown => "valueUnknown",
        FindingKind::ValueUnreadable { .. } => "valueUnreadable",
        FindingKind::Unreadable { .. } => "unreadable",
        FindingKind::DependencyUnreadable { .. } => "dependencyUnreadable",
        FindingKind::DependencyRefused { .. } => "dependencyRefused",
        FindingKind::DependencyNotSelected { .. } => "dependencyNotSelected",
        FindingKind::DependencyAbsent { .. } => "dependencyAbsent",
    }
}

const OWNED_OUTSIDE_SCOPE: &str = "widen the scope to manage it again, or take its tag keywright:project off";

fn replica_place_help(holder: PlaceHolder) -> &'static str {
    match holder {
        PlaceHolder::Stays | PlaceHolder::Goes => {
            "leave the region out; or take the place over: `keywright release` that secret in its target, and \
             `overwrite: true` beside the region"
        }
        PlaceHolder::Unmanaged => "leave the region out; or take the place over: `overwrite: true` beside the region",
        PlaceHolder::Leaving { .. } => {
            "leave the region out until then; or take the place over: `keywright restore` and then `keywright release` \
             that secret in its target, and `overwrite: true` beside the region"
        }
        PlaceHolder::ReplicaGoes => "apply once more: the second apply makes it",
    }
}

/// What can be done about it.
pub fn finding_help(finding: &Finding) -> Option<&'static str> {
    let help = match &finding.kind {
        FindingKind::Unmanaged { .. } => "`keywright import` writes a manifest for it; or leave it",
        FindingKind::CopiedTag { .. } => {
            "take its tag keywright:project off, or name it in a manifest: an apply then adopts it"
        }
        FindingKind::OtherScope { .. } => {
            "name it in a manifest (state: absent deletes it), or keep it with `keywright release`"
        }
        FindingKind::OwnedOutsideScope { .. } => OWNED_OUTSIDE_SCOPE,
        FindingKind::Orphaned { .. } => {
            "delete it with state: absent in a manifest, keep it with `keywright release`, or set prune in the project"
        }
        FindingKind::TooManyTags { live_only, .. } if live_only.is_empty() => {
            "declare fewer: keywright writes keywright:project and, where a value is live under another id than git's, \
             keywright:value"
        }
        FindingKind::TooManyTags { .. } => {
            "take some of these off by hand, or write `tagMode: exact`, which removes those that git does not name"
        }
        FindingKind::TooManyLabels { .. } => LABELS_DO_NOT_FIT,
        FindingKind::LabelNowhere { .. } => LABEL_NOWHERE,
        FindingKind::Foreign { whose, .. } | FindingKind::ForeignInScope { whose, .. }
            if *whose == OtherOwner::OnceReplica =>
        {
            hint::ONCE_REPLICA
        }
        FindingKind::Foreign { whose, .. } | FindingKind::ForeignInScope { whose, .. }
            if *whose == OtherOwner::FormerTarget =>
        {
            hint::FORMER_TARGET
        }
        FindingKind::Foreign { .. } => "only its owner may change it, or release it with `keywright release`",
        FindingKind::ForeignInScope { .. } => "another project or target shares this scope: narrow one of the two",
        FindingKind::OwnedByService { .. } => {
            "remove its manifest, and change the secret through that service; metadata.managedBy declares what its \
             users may change (tags, schedule)"
        }
        FindingKind::ManagedMissing { .. } => {
            "a new one has another name: take the name from the service (MasterUserSecret), or remove the manifest"
        }
        FindingKind::ManagedOtherwise { .. } => "correct or remove metadata.managedBy",
        FindingKind::Replica { .. } => {
            "manage it from a target in its primary's region; `keywright promote` makes it a secret of its own"
        }
        FindingKind::OverwritesForeign { .. } => "move or release the secret there first, or leave the region out",
        FindingKind::ReplicaPlaceTaken { holder, .. } => replica_place_help(*holder),
        FindingKind::PolicyRejected { .. } => "correct the policy; nothing of it was put",
        FindingKind::PolicyNotValidated { .. } => "it is validated again before it is put",
        FindingKind::ReplicaInProgress { .. } => "they go on by themselves; --wait-replicas follows them",
        FindingKind::ReplicasKept { .. } => "the next apply after that removes them, with --allow-remove-replicas",
        FindingKind::CrossAccount(finding) => cross_account::help(finding),
        FindingKind::RotationWaitsForValue => "declare `value`, or put one by hand; the next apply sets rotation up",
        FindingKind::LooksRenamed { .. } => {
            "AWS cannot rename a secret: the new one starts without a value; metadata.renamedFrom with the old name \
             carries it over"
        }
        FindingKind::MoveRefused { obstacle, .. } => obstacle_help(obstacle),
        FindingKind::MoveWaits { .. } => "let the rotation finish, or `keywright rotate --repair` the old one",
        FindingKind::MoveOver { .. } => "take the field away once no target has the old secret any more",
        FindingKind::RotationPending { .. } => {
            "a put would drop what may be the only valid credential: let the rotation finish, or `keywright rotate \
             --repair`"
        }
        FindingKind::GeneratedFieldsChanged => {
            "--read-values puts them, and keeps the generated parts as they are live"
        }
        FindingKind::ValueNotApplied { .. } => {
            "write `ownership: enforce` to have git's value put, or `ownership: seed` to keep the live one"
        }
        FindingKind::ValueReEncrypted { noted: true } => {
            "an apply with --read-values writes that down, and no plan asks again"
        }
        FindingKind::ValueReEncrypted { noted: false } => {
            "there is no room for the tag keywright:value that would say so: an apply without --read-values puts it \
             under git's own id"
        }
        FindingKind::ValueEdges(_) => "it is kept as it is; if nobody wants it there, take it out where it stands",
        FindingKind::MaybeNotGenerated => {
            "put another one by hand where it must not stay; `ownership: seed` says that it is meant"
        }
        FindingKind::ValueUnknown => "--read-values reads and compares it",
        FindingKind::ValueUnreadable { .. } => "it was left alone; check the permission to read it, and the key",
        FindingKind::Unreadable { error } => return error.hint().map(hint::service),
        FindingKind::DependencyUnreadable { .. } => "it is planned once that one can be read",
        FindingKind::DependencyRefused { .. } => "it is planned once that one can be applied",
        FindingKind::DependencyNotSelected { .. } => "select it too, or apply it first",
        FindingKind::DependencyAbsent { .. } => "remove the dependency, or let the other secret be present",
    };
    Some(help)
}

/// What takes an obstacle of a move away.
fn obstacle_help(obstacle: &MoveObstacle) -> &'static str {
    match obstacle {
        MoveObstacle::NotOurs { .. } => "adopt the old one under its own name first, or take renamedFrom away",
        MoveObstacle::NotDeletable => "take renamedFrom away; the value can be copied by hand",
        MoveObstacle::ScheduledForDeletion => {
            "cancel the deletion with `keywright restore`, or take renamedFrom away and set a value"
        }
        MoveObstacle::Diverged { .. } => {
            "take renamedFrom away to keep the new one's value; or delete the new one, to have the old one's"
        }
        MoveObstacle::OwnershipUnclear => {
            "write `ownership: seed` to keep the live value, or `ownership: enforce` to put git's"
        }
    }
}
