//! A plan as JSON: everything that the text shows, for programs.
//!
//! The types here are the format, and `schemas/plan.schema.json` is made of them. A new member is a compatible change;
//! a member that changes its meaning or goes raises `formatVersion`.

mod documents;

use std::collections::BTreeSet;

use super::awaiting;
use super::cross_account;
use super::entry::{Entry, entries};
use super::escape::{Escaped, Json};
use super::finding::{finding_help, finding_text, finding_word};
use super::leaving::why;
use super::move_words;
use super::plan_view::PlanView;
use super::rehearsal;
use super::words::{self, Cost};
use crate::collect::CollectMap as _;
use crate::desired::{Deletion, RotationSetup, Rotator};
use crate::domain::{Arn, Frequency, KmsKey, Region};
use crate::origin::Origin;
use crate::plan::{
    Change, Commit, Counts, Fact, Finding, FindingKind, LIST_PRICE_CENTS, LIST_PRICE_DATE, Leaving, LeftItem,
    OtherValue, Plan, PlanReport, PlannedPolicy, PlannedText, Refusal, RotationRun, SecretPlan, Severity, Verb,
};
use crate::rehearse::Rehearsed;

pub use documents::{
    ChangeDocument, CommitDocument, CostDocument, FactDocument, FindingDocument, GroupDocument, LeavingDocument,
    LeftListDocument, OriginDocument, PlanDocument, RefusalDocument, SecretDocument, SummaryDocument, TargetDocument,
    VerbDocument,
};

/// The version of the format of [`PlanDocument`].
pub const FORMAT_VERSION: &str = "1";

/// One planned target as a document.
pub fn target(plan: &Plan, report: &PlanReport, refusals: &[Refusal], rehearsed: Option<&Rehearsed>) -> TargetDocument {
    let Plan { project: _, target, account, region, endpoint, secrets } = plan;
    let PlanReport {
        findings,
        counts,
        without_value: _,
        seeded: _,
        awaiting,
        deleted_in_other_shards: _,
        same_of_git: _,
    } = report;
    TargetDocument {
        name: target.clone(),
        account: account.as_ref().map(ToString::to_string),
        region: region.to_string(),
        endpoint: endpoint.clone(),
        error: None,
        summary: SummaryDocument { awaiting_value: awaiting.len(), ..summary(plan, *counts) },
        secrets: secrets.iter().map(secret).collect(),
        findings: findings.iter().map(finding).collect(),
        refusals: refusals.iter().map(refusal).collect(),
        rehearsal: rehearsed.map(|rehearsed| rehearsal::document(plan, rehearsed)),
    }
}

/// A target that could not be planned.
pub fn failed_target(
    name: &str,
    account: Option<&str>,
    region: &str,
    endpoint: Option<String>,
    error: String,
) -> TargetDocument {
    TargetDocument {
        name: name.to_owned(),
        account: account.map(str::to_owned),
        region: region.to_owned(),
        endpoint,
        error: Some(error),
        summary: SummaryDocument::default(),
        secrets: Vec::new(),
        findings: Vec::new(),
        refusals: Vec::new(),
        rehearsal: None,
    }
}

/// The document of a whole run, as JSON text with a final line feed.
pub fn document(view: &PlanView<'_>, targets: Vec<TargetDocument>) -> Escaped<Json> {
    let groups = entries(view.each_planned().map(|(_, planned)| planned.plan), false);
    let document = PlanDocument {
        format_version: FORMAT_VERSION,
        project: view.project.to_owned(),
        has_changes: has_changes(&targets),
        monthly_cost: view.cost().as_ref().map(cost),
        targets,
        groups: groups.iter().filter(|entry| entry.single().is_none()).map(group).collect(),
        awaiting_value: awaiting::documents(&view.awaiting()),
    };
    super::escape::json(&document)
}

fn cost(Cost { change, after }: &Cost) -> CostDocument {
    let cents = |number: i64| number.saturating_mul(i64::try_from(LIST_PRICE_CENTS).unwrap_or_default());
    CostDocument {
        change_usd_cents: cents(*change),
        total_usd_cents: after.map(cents),
        list_price_date: LIST_PRICE_DATE,
    }
}

fn group(entry: &Entry<'_>) -> GroupDocument {
    let fields: BTreeSet<&'static str> = entry.rows.iter().map(|row| row.label).collect();
    GroupDocument {
        verb: entry.verb.into(),
        fields: fields.into_iter().filter(|field| !field.is_empty()).collect(),
        secrets: entry
            .targets()
            .into_iter()
            .map(|(target, names)| (target.to_owned(), names.into_iter().map(ToString::to_string).collect()))
            .collect_map(),
    }
}

/// None where nothing is known to change and something could not be looked at.
fn has_changes(targets: &[TargetDocument]) -> Option<bool> {
    let changes = targets.iter().any(|target| !target.secrets.is_empty());
    let unknown = targets
        .iter()
        .any(|target| target.error.is_some() || target.summary.unreadable > 0 || target.summary.blocked > 0);
    (changes || !unknown).then_some(changes)
}

fn summary(plan: &Plan, counts: Counts) -> SummaryDocument {
    let Counts {
        desired,
        unchanged,
        blocked,
        held_back,
        unreadable,
        unread,
        owned_live,
        billed: _,
        owned_kept: _,
        owned_by_all_shards: _,
        whole_scope: _,
        removals_in_other_shards: _,
        missing_in_other_shards: _,
    } = counts;
    let planned = |verb| plan.secrets.iter().filter(|secret| secret.verb == verb).count();
    SummaryDocument {
        desired,
        unchanged,
        blocked,
        held_back,
        awaiting_value: 0,
        unreadable,
        unread,
        owned_live,
        create: planned(Verb::Create),
        moves: planned(Verb::Move),
        restore: planned(Verb::Restore),
        adopt: planned(Verb::Adopt),
        change: planned(Verb::Change),
        re_encrypted: plan.re_encrypted(),
        release: planned(Verb::Release),
        delete: planned(Verb::Delete),
        actions: plan.action_count(),
    }
}

/// One secret with something to do as a document.
pub(super) fn secret(plan: &SecretPlan) -> SecretDocument {
    let SecretPlan { name, origin, verb, changes, actions, depends_on, observed, leaving, moved: _, item } = plan;
    let from = plan.moved_from().map(|from| from.secret.name.as_str().to_owned());
    SecretDocument {
        name: name.as_str().to_owned(),
        verb: (*verb).into(),
        moved_from: from,
        arn: observed.as_ref().map(|secret| secret.arn.to_string()),
        origin: origin.as_ref().map(place),
        item: item.as_ref().map(place),
        depends_on: depends_on.iter().map(|name| name.as_str().to_owned()).collect(),
        leaving: matches!(verb, Verb::Delete | Verb::Release).then(|| leaving_of(plan, leaving)),
        changes: changes.iter().map(change).collect(),
        actions: actions.iter().map(crate::plan::Action::operation).collect(),
        who: None,
    }
}

fn leaving_of(plan: &SecretPlan, leaving: &Leaving) -> LeavingDocument {
    let Leaving { by_hand: _, other_targets: _, left_list: left, removed_in, named_by } = leaving;
    let last_accessed = plan.observed.as_ref().and_then(|secret| secret.last_accessed);
    LeavingDocument {
        reason: why(plan).into_owned(),
        left_list: left.as_ref().map(left_list),
        removed_in: removed_in.as_ref().map(|Commit { id, date, subject }| CommitDocument {
            id: id.clone(),
            date: date.map(|date| date.to_string()),
            subject: subject.clone(),
        }),
        last_accessed: last_accessed.map(|date| date.to_string()),
        named_by: named_by.iter().map(|name| name.as_str().to_owned()).collect(),
    }
}

impl From<Verb> for VerbDocument {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Create => Self::Create,
            Verb::Move => Self::Move,
            Verb::Restore => Self::Restore,
            Verb::Adopt => Self::Adopt,
            Verb::Change => Self::Change,
            Verb::Release => Self::Release,
            Verb::Delete => Self::Delete,
        }
    }
}

fn left_list(left: &LeftItem) -> LeftListDocument {
    LeftListDocument { item: left.item.clone(), list: place(&left.list) }
}

pub(super) fn place(origin: &Origin) -> OriginDocument {
    let Origin { file, line, column } = origin;
    OriginDocument { file: file.to_string(), line: *line, column: *column }
}

fn change(change: &Change) -> ChangeDocument {
    let none = ChangeDocument::default();
    let unknown = |text: &Option<PlannedText>| text.as_ref().is_some_and(|text| !text.known);
    let planned = |text: &Option<PlannedText>| text.as_ref().map(|text| text.text.clone().into());
    match change {
        Change::Description { before, after, origin } => ChangeDocument {
            field: "description",
            before: before.clone().map(Into::into),
            after: planned(after),
            known_after_apply: unknown(after),
            origin: Some(place(origin)),
            ..none
        },
        Change::KmsKey { before, after, origin } => ChangeDocument {
            field: "kmsKeyId",
            before: before.as_ref().map(|key| key.as_str().into()),
            after: after.as_ref().map(|key| key.as_str().into()),
            origin: Some(place(origin)),
            ..none
        },
        Change::Tag { key, before, after, origin } => ChangeDocument {
            field: "tags",
            key: Some(key.to_string()),
            before: before.clone().map(Into::into),
            after: planned(after),
            known_after_apply: unknown(after),
            origin: origin.as_ref().map(place),
            ..none
        },
        Change::Policy { before, after, origin } => ChangeDocument {
            field: "policy",
            before: policy(before),
            after: policy(after),
            known_after_apply: matches!(**after, PlannedPolicy::Document { known: false, .. }),
            note: match **before {
                PlannedPolicy::Unreadable => Some("the live policy cannot be read before the restore".to_owned()),
                PlannedPolicy::Unparsable(_) => Some("the live policy is not a JSON object".to_owned()),
                PlannedPolicy::None | PlannedPolicy::Document { .. } => None,
            },
            origin: Some(place(origin)),
            ..none
        },
        Change::Value { reason, source, generated_kept, noted, text, parts, origin } => ChangeDocument {
            field: "value",
            before: text.as_ref().and_then(|text| text.before.clone()).map(Into::into),
            after: text.as_ref().map(|text| text.after.clone().into()),
            note: Some(format!(
                "{}: {}",
                words::source(source),
                words::value_change(reason, source, *generated_kept, *noted)
            )),
            parts: parts.iter().flat_map(|parts| parts.named.iter().chain(&parts.made_anew)).cloned().collect(),
            origin: Some(place(origin)),
            ..none
        },
        Change::LabelRemoved { label, before, origin } => ChangeDocument {
            field: "labels",
            key: Some(label.to_string()),
            before: Some(before.as_str().into()),
            origin: Some(place(origin)),
            ..none
        },
        Change::Label { label, before, after, origin } => ChangeDocument {
            field: "labels",
            key: Some(label.to_string()),
            before: before.as_ref().map(|id| id.as_str().into()),
            after: after.as_ref().map(|id| id.as_str().into()),
            known_after_apply: after.is_none(),
            origin: Some(place(origin)),
            ..none
        },
        Change::Restored { rotation_stays_off, other_value } => {
            let text = restored_note(*rotation_stays_off, other_value.as_ref());
            ChangeDocument { field: "deletion", note: Some(text), ..none }
        }
        Change::Type { before, after, origin } => ChangeDocument {
            field: "type",
            before: before.clone().map(Into::into),
            after: after.clone().map(Into::into),
            origin: Some(place(origin)),
            ..none
        },
        Change::Rotation { .. }
        | Change::Replica { .. }
        | Change::CrossAccountPrimary { .. }
        | Change::CrossAccountReplica { .. }
        | Change::Moved { .. }
        | Change::Carried { .. } => upkeep(change, none),
        Change::Deleted { deletion, replicas, linked, rotates } => ChangeDocument {
            field: "deletion",
            before: deleted_with(replicas, linked, *rotates),
            after: Some(deletion_document(*deletion)),
            note: Some(words::deletion(*deletion).into_owned()),
            ..none
        },
    }
}

/// What is to be known of a secret whose deletion is cancelled.
fn restored_note(rotation_stays_off: bool, other_value: Option<&OtherValue>) -> String {
    let notes = std::iter::once("the scheduled deletion is cancelled".to_owned())
        .chain(rotation_stays_off.then(|| words::ROTATION_STAYS_OFF.to_owned()))
        .chain(other_value.map(|other| move_words::restored_value(other).into_owned()));
    notes.collect::<Vec<_>>().join("; ")
}

/// What a deletion ends.
fn deleted_with(replicas: &BTreeSet<Region>, linked: &BTreeSet<Arn>, rotates: bool) -> Option<serde_json::Value> {
    if replicas.is_empty() && linked.is_empty() && !rotates {
        return None;
    }
    let mut ends = serde_json::json!({ "replicas": replicas, "rotates": rotates });
    if !linked.is_empty() {
        ends["crossAccount"] = serde_json::json!(linked);
    }
    Some(ends)
}

fn deletion_document(deletion: Deletion) -> serde_json::Value {
    match deletion {
        Deletion::Window(days) => serde_json::json!({ "recoveryWindowDays": days }),
        Deletion::Force => serde_json::json!({ "force": true }),
    }
}

/// A difference in rotation or in one replica, or what a move does.
fn upkeep(change: &Change, none: ChangeDocument) -> ChangeDocument {
    match change {
        Change::Rotation { before, after, run, earlier_may_run, next, origin } => ChangeDocument {
            field: "rotation",
            before: before.as_ref().map(rotation),
            after: after.as_ref().map(rotation),
            note: rotation_note(*run, *earlier_may_run),
            next_rotation: next.map(|window| window.opens.to_string()),
            origin: Some(place(origin)),
            ..none
        },
        Change::Replica { region, before, after, reason, origin } => ChangeDocument {
            field: "replicas",
            key: Some(region.to_string()),
            before: before.as_ref().map(|key| replica(key.named())),
            after: after.as_ref().map(|key| replica(key.named())),
            note: words::replica_reason(region.as_str(), reason).map(Escaped::into_owned),
            origin: Some(place(origin)),
            ..none
        },
        Change::CrossAccountPrimary { before, after, origin } => ChangeDocument {
            field: "crossAccountPrimary",
            before: before.as_ref().map(|arn| serde_json::json!({ "arn": arn })),
            after: after.as_ref().map(cross_account::other_document),
            origin: Some(place(origin)),
            ..none
        },
        Change::CrossAccountReplica { before, after, reason, origin } => ChangeDocument {
            field: "crossAccountReplica",
            before: before.as_ref().map(|arn| serde_json::json!({ "arn": arn })),
            after: after.as_ref().map(cross_account::link_document),
            note: cross_account::reason(reason),
            origin: Some(place(origin)),
            ..none
        },
        Change::Moved { from, deletion, replicas, rotates, left_behind, origin } => ChangeDocument {
            field: "from",
            before: Some(serde_json::json!({ "name": from.as_str(), "replicas": replicas, "rotates": rotates })),
            after: Some(deletion_document(*deletion)),
            note: Some(format!("left behind: {}", move_words::left_behind(left_behind))),
            origin: Some(place(origin)),
            ..none
        },
        Change::Carried { version, there, stays, origin } => ChangeDocument {
            field: "value",
            note: Some(
                [move_words::carried(version, *there).into_owned()]
                    .into_iter()
                    .chain(stays.iter().map(|stays| move_words::stays_current(stays).into_owned()))
                    .collect::<Vec<_>>()
                    .join("; "),
            ),
            origin: Some(place(origin)),
            ..none
        },
        _ => none,
    }
}

/// What happens at once, and what may still happen.
fn rotation_note(run: RotationRun, earlier_may_run: bool) -> Option<String> {
    let notes = words::rotation_run(run).into_iter().chain(earlier_may_run.then_some(words::EARLIER_ROTATION));
    let notes: Vec<&str> = notes.collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// A rotation with the names that manifests use.
fn rotation(setup: &RotationSetup) -> serde_json::Value {
    let RotationSetup { rotator, frequency, duration } = setup;
    let mut members = serde_json::Map::new();
    match rotator {
        Rotator::OwningService => {}
        Rotator::Lambda(arn) => drop(members.insert("lambdaArn".to_owned(), arn.as_str().into())),
        Rotator::External { role_arn, metadata } => {
            let external = serde_json::json!({ "roleArn": role_arn, "metadata": metadata });
            members.insert("externalRotation".to_owned(), external);
        }
    }
    match frequency {
        Frequency::EveryDays(days) => members.insert("everyDays".to_owned(), (*days).into()),
        Frequency::Expression(expression) => members.insert("schedule".to_owned(), expression.as_str().into()),
    };
    if let Some(duration) = duration {
        members.insert("duration".to_owned(), duration.as_str().into());
    }
    members.into()
}

fn replica(key: Option<&KmsKey>) -> serde_json::Value {
    serde_json::json!({ "kmsKeyId": key.map_or(KmsKey::DEFAULT_ALIAS, KmsKey::as_str) })
}

fn policy(policy: &PlannedPolicy) -> Option<serde_json::Value> {
    match policy {
        PlannedPolicy::None | PlannedPolicy::Unreadable => None,
        PlannedPolicy::Unparsable(text) => Some(text.clone().into()),
        PlannedPolicy::Document { policy, known: _ } => Some(policy.spelled_as(&[])),
    }
}

/// Something that was found as a document.
pub(super) fn finding(finding: &Finding) -> FindingDocument {
    FindingDocument {
        kind: finding_word(&finding.kind),
        severity: match finding.severity() {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        },
        secret: finding.secret.as_str().to_owned(),
        message: finding_text(finding).into_owned(),
        help: finding_help(finding).map(str::to_owned),
        origin: finding.origin.as_ref().map(place),
        left_list: match &finding.kind {
            FindingKind::Orphaned { left, .. } => left.as_ref().map(left_list),
            _ => None,
        },
    }
}

pub(super) fn refusal(refusal: &Refusal) -> RefusalDocument {
    let Refusal { guard, words: _, target: _, secrets, facts, needs: _ } = refusal;
    let fact = |fact: &Fact| match fact {
        Fact::Number(number) => FactDocument::Number(*number),
        Fact::Text(text) => FactDocument::Text(text.clone()),
    };
    RefusalDocument {
        guard: guard.name,
        message: words::refusal(refusal),
        facts: facts.iter().map(|(name, found)| (*name, fact(found))).collect_map(),
        secrets: secrets.iter().map(|name| name.as_str().to_owned()).collect(),
        overridden_by: refusal.overridden_by(),
    }
}
