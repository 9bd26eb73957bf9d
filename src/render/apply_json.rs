//! What became of an apply, as JSON: for the step behind it in a pipeline.
//!
//! The types here are the format, and `schemas/apply.schema.json` is made of them.

use serde::Serialize;

use super::apply_text::{error_text, skip_reason};
use super::awaiting::{self, AwaitingDocument, OfTarget};
use super::error::target_line;
use super::escape::{self, Escaped, Json, Terminal};
use super::plan_json::{self, FindingDocument, RefusalDocument};
use super::{escaped, hint, words};
use crate::apply::{ApplyError, ApplyReport, CallRecord, SecretOutcome};
use crate::domain::SecretName;
use crate::plan::{Finding, Plan, SecretPlan, Severity};
use crate::reconcile::{PoliciesVerified, TargetPlan};
use crate::sort_few::SortFew as _;
use crate::workflow::{self, ApplyRun, Error, Planned, Prepared, ReadAgain};

/// The version of the format of [`ApplyDocument`].
pub const FORMAT_VERSION: &str = "1";

/// What became of an apply, over all chosen targets.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ApplyDocument {
    /// The version of this format: `1`.
    pub format_version: &'static str,
    /// The project's name.
    pub project: String,
    /// What the process ends with.
    pub exit_code: u8,
    /// Why nothing was begun where something was planned: a guard, an error of the plan, an approved plan that is
    /// stale, a question that was answered with no. `targets` is empty then. Absent when the apply began, and when
    /// there was nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_begun: Option<String>,
    /// The guards that refused, by target.
    pub refused: Vec<RefusedDocument>,
    /// The targets that something was planned for, in the order of the project file, once the apply has begun.
    pub targets: Vec<AppliedTarget>,
    /// The targets that could not be planned, each with the reason: nothing was applied there.
    pub not_planned: Vec<NotPlannedDocument>,
    /// What is not as the manifests say and was left alone, each with the reason, by target: as it was read again after
    /// the writes, and as it was planned where nothing was.
    pub held_back: Vec<HeldBackDocument>,
    /// Secrets that could not be read, or whose values could not, when they were planned or after they were written.
    pub not_read: Vec<NotReadDocument>,
    /// The secrets that exist now, whose value is left to people and that have none, by the tag that says whom they
    /// wait for; secrets without an owner tag come last.
    pub awaiting_value: Vec<AwaitingDocument>,
}

/// What guards refused of one target.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RefusedDocument {
    /// The target's name.
    pub target: String,
    /// The guards, as in a plan.
    pub refusals: Vec<RefusalDocument>,
}

/// A target that could not be planned.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NotPlannedDocument {
    /// The target's name.
    pub target: String,
    /// Why, and what can be done about it.
    pub error: String,
}

/// What of one target was left alone.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct HeldBackDocument {
    /// The target's name.
    pub target: String,
    /// What was found, by secret: why it was left alone, and what can be done.
    pub findings: Vec<FindingDocument>,
}

/// A secret that could not be read.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NotReadDocument {
    /// The target's name.
    pub target: String,
    /// The secret's name.
    pub secret: String,
    /// `planning`: it, or its value, was left alone. `verifying`: its writes were acknowledged, and nothing is known
    /// beyond that.
    pub when: &'static str,
    /// What was found, in one sentence without the secret's name.
    pub message: String,
    /// What can be done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// One target.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AppliedTarget {
    /// The target's name.
    pub name: String,
    /// The twelve-digit account, when it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The region.
    pub region: String,
    /// Writing calls that were carried out.
    pub calls_done: usize,
    /// Whether what was read again of what was done matches the manifests; `readAgain` says what that was. False too
    /// where a value was to be compared (`--read-values`) and could not be, and where one of several secrets could not
    /// be read again. Absent when nothing could be read, was not
    /// to be (`--verify none`), or nothing was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
    /// What was read again after the writes; absent when nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_again: Option<ReadAgainDocument>,
    /// The secrets that something was planned for, by name.
    pub secrets: Vec<AppliedSecret>,
}

/// What was read again after the writes.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReadAgainDocument {
    /// Secrets that were described again.
    pub secrets: usize,
    /// Of these, the ones whose value may or may not be the declared one, since it was neither put nor read.
    pub unread: usize,
    /// Their declared policies; absent when none of them declares one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policies: Option<PoliciesDocument>,
}

/// What was read again of declared policies. Of those that were not read it is known that their write was acknowledged,
/// where there was one.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PoliciesDocument {
    /// Distinct documents that were put.
    pub documents: usize,
    /// Secrets that they were put on.
    pub put: usize,
    /// Of these, the ones whose policy was read again.
    pub put_read: usize,
    /// Secrets whose policy was deleted.
    pub deleted: usize,
    /// Of these, the ones whose policy was read again.
    pub deleted_read: usize,
    /// Secrets whose policy was neither written nor read again.
    pub not_read: usize,
}

impl ReadAgainDocument {
    fn of(read: &ReadAgain) -> Option<Self> {
        if !read.is_something() {
            return None;
        }
        let PoliciesVerified { documents, put, put_read, deleted, deleted_read, not_read } = read.policies;
        let policies = (put + deleted + not_read > 0).then_some(PoliciesDocument {
            documents,
            put,
            put_read,
            deleted,
            deleted_read,
            not_read,
        });
        Some(Self { secrets: read.secrets, unread: read.unread, policies })
    }
}

/// One secret.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AppliedSecret {
    /// The secret's name.
    pub name: String,
    /// What was planned, in one word.
    pub verb: &'static str,
    /// `done`, `failed`, `stale` (it had changed since it was planned, and was left alone) or `skipped`.
    pub result: &'static str,
    /// The writing calls that were sent, in the order of their answers.
    pub calls: Vec<CallDocument>,
    /// The operation that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<&'static str>,
    /// Why it is not done, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The id of the request that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// One writing call that was sent.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CallDocument {
    /// The operation's name in the API.
    pub operation: &'static str,
    /// `done`, `failed`, `lost` (no answer came: it may have been carried out or not) or `recovered` (refused, since an
    /// earlier one whose answer was lost had been carried out).
    pub result: &'static str,
    /// The service's error code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The request's id, by which CloudTrail finds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl CallDocument {
    fn of(call: &CallRecord) -> Self {
        let CallRecord { at: _, operation, secret: _, arn: _, answer, request_id } = call;
        let code = answer.code().map(str::to_owned);
        Self { operation, result: answer.word(), code, request_id: request_id.clone() }
    }
}

/// One target's apply as a document.
pub fn target(target: &workflow::AppliedTarget<'_>) -> AppliedTarget {
    let workflow::AppliedTarget { plan, report, read_again, .. } = target;
    AppliedTarget {
        name: plan.target.clone(),
        account: plan.account.as_ref().map(ToString::to_string),
        region: plan.region.to_string(),
        calls_done: report.calls_done(),
        verified: read_again.matches.filter(|_| read_again.is_something()),
        read_again: ReadAgainDocument::of(read_again),
        secrets: secrets(plan, report),
    }
}

/// Each secret, and the old ones of those that take another one's place, by name.
fn secrets(plan: &Plan, report: &ApplyReport) -> Vec<AppliedSecret> {
    let old = if plan.has_moves() { plan.split_removals().1.secrets } else { Vec::new() };
    let old = old.iter().filter(|secret| secret.moved_to().is_some());
    let mut secrets: Vec<_> = plan.secrets.iter().chain(old).filter_map(|secret| applied(secret, report)).collect();
    secrets.sort_few_by(|a, b| a.name.cmp(&b.name));
    secrets
}

/// The document of a whole run, as JSON text with a final line feed.
pub fn document(
    prepared: &Prepared<'_>,
    applied: Option<&ApplyRun<'_>>,
    awaiting: &[OfTarget<'_>],
    (exit_code, not_begun): (u8, Option<&Error>),
) -> Escaped<Json> {
    let (held_back, not_read) = left_alone(prepared, applied);
    super::escape::json(&ApplyDocument {
        format_version: FORMAT_VERSION,
        project: prepared.project.to_owned(),
        exit_code,
        not_begun: not_begun.map(|error| error.kind.to_string()),
        refused: refused(prepared),
        targets: applied.into_iter().flat_map(|applied| &applied.targets).map(target).collect(),
        not_planned: not_planned(prepared),
        held_back,
        not_read,
        awaiting_value: awaiting::documents(awaiting),
    })
}

fn refused(prepared: &Prepared<'_>) -> Vec<RefusedDocument> {
    let refused = prepared.planned().filter(|(_, planned)| !planned.refusals.is_empty());
    let document = |(_, planned): (_, &Planned)| RefusedDocument {
        target: planned.target.plan.target.clone(),
        refusals: planned.refusals.iter().map(plan_json::refusal).collect(),
    };
    refused.map(document).collect()
}

fn not_planned(prepared: &Prepared<'_>) -> Vec<NotPlannedDocument> {
    let failed = prepared.targets.iter().filter_map(|target| {
        let error = target.planned.as_ref().err()?;
        Some(NotPlannedDocument { target: target.desired.target.name.clone(), error: target_line(error).into_owned() })
    });
    failed.collect()
}

/// What was held back and what could not be read, in the order of the targets and by secret.
fn left_alone(
    prepared: &Prepared<'_>,
    applied: Option<&ApplyRun<'_>>,
) -> (Vec<HeldBackDocument>, Vec<NotReadDocument>) {
    let (mut held_back, mut not_read) = (Vec::new(), Vec::new());
    for (_, planned) in prepared.planned() {
        let TargetPlan { plan, report, .. } = &planned.target;
        let target = &plan.target;
        let run = applied.and_then(|run| run.targets.iter().find(|of| of.plan.target == *target));
        let read_again = run.map(|run| run.read_again.clone()).unwrap_or_default();
        let (failures, others): (Vec<&Finding>, Vec<&Finding>) =
            report.findings.iter().partition(|finding| finding.is_failure());
        let kept = |finding: &&Finding| finding.holds_back() || finding.severity() == Severity::Error;
        let planned = others.into_iter().filter(kept).filter(|finding| !read_again.names.contains(&finding.secret));
        let mut findings: Vec<&Finding> = planned.chain(&read_again.held_back).collect();
        findings.sort_few_by(|a, b| a.secret.cmp(&b.secret));
        if !findings.is_empty() {
            let findings = findings.into_iter().map(plan_json::finding).collect();
            held_back.push(HeldBackDocument { target: target.clone(), findings });
        }
        let of = |secret: &SecretName, when, message: String, help: Option<String>| NotReadDocument {
            target: target.clone(),
            secret: secret.as_str().to_owned(),
            when,
            message,
            help,
        };
        not_read.extend(failures.iter().map(|finding| {
            let FindingDocument { message, help, .. } = plan_json::finding(finding);
            of(&finding.secret, "planning", message, help)
        }));
        not_read.extend(read_again.unreadable.iter().map(|(secret, error)| {
            let message: Escaped<Terminal> = escaped!("could not be read again: {}", escape::line(&error.to_string()));
            of(secret, "verifying", message.into_owned(), error.hint().map(|hint| hint::service(hint).to_owned()))
        }));
    }
    (held_back, not_read)
}

/// What became of one secret as a document.
pub(super) fn applied(plan: &SecretPlan, report: &ApplyReport) -> Option<AppliedSecret> {
    let outcome = report.outcomes.get(&plan.name)?;
    let none = AppliedSecret {
        name: plan.name.as_str().to_owned(),
        verb: words::verb(plan.verb).1,
        result: "done",
        calls: report.calls_of(&plan.name).map(CallDocument::of).collect(),
        failed: None,
        reason: None,
        request_id: None,
    };
    Some(match outcome {
        SecretOutcome::Done => none,
        SecretOutcome::Failed { done: _, failed, remaining: _, error } => AppliedSecret {
            result: "failed",
            failed: Some(failed),
            reason: Some(error_text(error).into_owned()),
            request_id: match error {
                ApplyError::Service(error) => error.request_id.clone(),
                _ => None,
            },
            ..none
        },
        SecretOutcome::Conflict { changed } => {
            let what: Vec<_> = changed.iter().map(|field| words::observed_field(*field)).collect();
            AppliedSecret { result: "stale", reason: Some(format!("changed: {}", what.join(", "))), ..none }
        }
        SecretOutcome::Skipped { reason } => {
            AppliedSecret { result: "skipped", reason: Some(skip_reason(reason).into_owned()), ..none }
        }
    })
}
