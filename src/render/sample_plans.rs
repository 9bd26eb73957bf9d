//! Plans for the tests of several formats.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::graph::{Edge, GraphTarget, Node, Status};
use super::{PlanView, PlannedView, TargetView};
use crate::apply::{ApplyError, ApplyReport, SecretOutcome};
use crate::desired::{Deletion, OtherOwner};
use crate::domain::{AccountId, Arn, KmsKey, Region, SecretName, TagKey};
use crate::origin::Origin;
use crate::plan::{
    Change, Counts, Fact, Finding, FindingKind, Plan, PlanReport, PlannedPolicy, PlannedText, Refusal, SecretPlan, Verb,
};
use crate::policy::PolicyDocument;
use crate::rehearse::RehearsalReport;
use crate::rehearse::Rehearsed;

/// A target's plan with everything that is shown beside it.
pub(super) struct Sample {
    pub(super) plan: Plan,
    pub(super) report: PlanReport,
    pub(super) refusals: Vec<Refusal>,
    pub(super) rehearsed: Option<Rehearsed>,
    pub(super) graph: GraphTarget,
}

pub(super) fn origin(file: &str, line: u32) -> Origin {
    Origin::new(Path::new(file), line, 3)
}

fn text(text: &str) -> PlannedText {
    PlannedText { text: text.to_owned(), known: true }
}

/// A secret of which `text` is description, tag, policy and much more.
pub(super) fn secret(name: &str, shown: &str) -> SecretPlan {
    let policy = PolicyDocument::from_checked(serde_json::json!({ "Statement": [], "Id": shown }));
    let at = || origin("secrets/db.yaml", 6);
    SecretPlan {
        moved: None,
        name: SecretName::new(name),
        origin: Some(origin("secrets/db.yaml", 4)),
        verb: Verb::Change,
        changes: vec![
            Change::Description {
                before: Some("An old text of few words".to_owned()),
                after: Some(text(shown)),
                origin: at(),
            },
            Change::Description { before: Some(shown.to_owned()), after: None, origin: at() },
            Change::KmsKey {
                before: Some(KmsKey::of_service(shown)),
                after: Some(KmsKey::of_service("alias/payments")),
                origin: at(),
            },
            Change::Tag {
                key: TagKey::of_service(shown),
                before: Some(shown.to_owned()),
                after: Some(text("new")),
                origin: Some(origin("defaults.yaml", 9)),
            },
            Change::Tag { key: TagKey::of_service("gone"), before: Some(shown.to_owned()), after: None, origin: None },
            Change::Policy {
                before: Box::new(PlannedPolicy::Unparsable(shown.to_owned())),
                after: Box::new(PlannedPolicy::Document { policy, known: true }),
                origin: at(),
            },
            Change::Deleted {
                deletion: Deletion::Force,
                replicas: BTreeSet::from([Region::of_service(shown)]),
                linked: BTreeSet::from([Arn::of_service(shown)]),
                rotates: true,
            },
        ],
        actions: Vec::new(),
        depends_on: BTreeSet::from([SecretName::new(shown)]),
        observed: None,
        leaving: crate::plan::Leaving::default(),
        item: None,
    }
}

impl Sample {
    /// A target all of whose texts are `shown`.
    pub(super) fn of(shown: &str, secrets: usize) -> Self {
        let name = SecretName::new(shown);
        let node = |status| Node { name: shown.to_owned(), status, replicas: vec![shown.to_owned()] };
        let finding = |kind| Finding { secret: name.clone(), origin: Some(origin("secrets/db.yaml", 4)), kind };
        Self {
            plan: Plan {
                project: "payments".to_owned(),
                target: "staging".to_owned(),
                account: Some(AccountId::of_service("111111111111")),
                region: Region::of_service("eu-west-1"),
                endpoint: None,
                secrets: (0..secrets).map(|number| secret(&format!("staging/db-{number}"), shown)).collect(),
            },
            report: PlanReport {
                findings: vec![
                    finding(FindingKind::Foreign { owner: shown.to_owned(), whose: OtherOwner::Another }),
                    finding(FindingKind::LooksRenamed { from: name.clone() }),
                    finding(FindingKind::Unmanaged { last_changed: None }),
                    finding(FindingKind::ValueUnreadable { reason: shown.to_owned() }),
                ],
                counts: Counts {
                    desired: secrets + 3,
                    unchanged: 2,
                    blocked: 1,
                    held_back: 0,
                    unreadable: 1,
                    unread: 0,
                    owned_live: secrets,
                    billed: secrets,
                    owned_kept: secrets,
                    owned_by_all_shards: secrets,
                    whole_scope: true,
                    removals_in_other_shards: 0,
                    missing_in_other_shards: 0,
                },
                without_value: std::collections::BTreeSet::new(),
                seeded: std::collections::BTreeMap::new(),
                awaiting: Vec::new(),
                deleted_in_other_shards: std::collections::BTreeSet::new(),
                same_of_git: BTreeMap::new(),
            },
            refusals: crate::plan::guards()
                .filter(|guard| guard.name == "foreign-owner")
                .map(|guard| Refusal {
                    guard,
                    words: guard.words,
                    target: "staging".to_owned(),
                    secrets: vec![name.clone(); 7],
                    facts: vec![("owner", Fact::Text(shown.to_owned()))],
                    needs: None,
                })
                .collect(),
            rehearsed: Some(Ok(RehearsalReport {
                applied: ApplyReport {
                    outcomes: BTreeMap::from([(
                        SecretName::new("staging/db-0"),
                        SecretOutcome::Failed {
                            done: Vec::new(),
                            failed: "UpdateSecret",
                            remaining: Vec::new(),
                            error: ApplyError::Value { message: shown.to_owned(), hint: None },
                        },
                    )]),
                    ..ApplyReport::default()
                },
                remaining: Plan {
                    project: "payments".to_owned(),
                    target: "staging".to_owned(),
                    account: None,
                    region: Region::of_service("eu-west-1"),
                    endpoint: None,
                    secrets: vec![secret(shown, shown)],
                },
                differs: BTreeSet::from([name.clone()]),
                next: BTreeSet::new(),
                waits: BTreeSet::new(),
            })),
            graph: GraphTarget {
                name: shown.to_owned(),
                account: None,
                region: shown.to_owned(),
                note: None,
                nodes: vec![node(Status::Blocked), node(Status::Planned(Verb::Change))],
                links: Vec::new(),
                edges: vec![Edge { needed: 0, waiting: 1 }],
            },
        }
    }

    pub(super) fn view<'a>(&'a self, name: &'a str) -> TargetView<'a> {
        TargetView {
            name,
            account: self.plan.account.as_ref().map(AccountId::as_str),
            region: self.plan.region.as_str(),
            endpoint: self.plan.endpoint.as_deref(),
            planned: Ok(PlannedView {
                plan: &self.plan,
                report: &self.report,
                refusals: &self.refusals,
                rehearsed: self.rehearsed.as_ref(),
                who: None,
            }),
            graph: self.graph.clone(),
        }
    }

    /// A project of this target, and of one that could not be planned.
    pub(super) fn project<'a>(&'a self, name: &'a str) -> PlanView<'a> {
        let failed = TargetView { planned: Err(super::escape::line(name)), ..self.view(name) };
        PlanView { project: name, targets: vec![self.view(name), failed] }
    }
}
