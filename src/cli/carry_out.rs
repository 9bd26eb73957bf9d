//! One target's plan, carried out: told while it runs, noted in the journal, read again, and followed until its
//! replicas are made.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use tokio::sync::watch;

use super::interrupt;
use super::journal::{self, Entry};
use super::prepare::TargetError;
use super::progress::{ApplyLines, Spinner};
use super::shell::{Output, Shell};
use crate::apply::{ApplyError, ApplyEvent, ApplyOptions, ApplyReport, SecretOutcome, Values, Work, apply};
use crate::aws::Writer;
use crate::desired::{Desired, SecretName};
use crate::exit_code::ExitCode;
use crate::live::{ReplicaStatus, describe_all};
use crate::reconcile::{PlanError, TargetPlan, verify};
use crate::render::apply_json::{self, AppliedTarget};
use crate::render::{apply_text, escape};

/// How often replicas that are being made are looked at. A replication takes seconds to minutes.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// How one run carries plans out.
pub(super) struct CarryOut<'a> {
    pub(super) options: ApplyOptions,
    /// A line for each call goes here.
    pub(super) journal: Option<&'a Path>,
    /// Follow replicas until they are made, at most so long.
    pub(super) wait_replicas: Option<Duration>,
    pub(super) stop: &'a watch::Receiver<bool>,
    /// Where summaries for people go.
    pub(super) talk: Output,
}

/// What a target is reached with, and by whom.
pub(super) struct Place<'a> {
    pub(super) writer: &'a Writer,
    pub(super) caller: Option<&'a str>,
    pub(super) desired: &'a Desired,
    pub(super) target: &'a TargetPlan,
}

impl CarryOut<'_> {
    /// Applies one target's plan. The document is none when the run was stopped at once.
    pub(super) async fn target(
        &self,
        place: &Place<'_>,
        values: &impl Values,
        shell: &Shell,
    ) -> (ExitCode, Option<AppliedTarget>) {
        let Place { writer, caller: _, desired, target } = *place;
        shell.err.line(&format!("\nApplying to {}", escape::line(&desired.target.name)));
        let report = {
            let lines = ApplyLines::new(shell, &desired.target.name, target.plan.action_count());
            let stopping = async {
                interrupt::stopped(self.stop).await;
                shell.err.line("Interrupted: what is in flight is finished first. Again to stop at once.");
                std::future::pending::<()>().await;
            };
            let tell = |event: ApplyEvent<'_>| {
                lines.tell(&event);
                self.note(place, &event, shell);
            };
            let work = Work { plan: &target.plan, live: &target.live, ignored: &desired.ignore_tags };
            let carrying_out = apply(writer, values, work, self.options, self.stop.clone(), &tell);
            tokio::select! {
                report = carrying_out => report,
                () = stopping => return (ExitCode::Interrupted, None),
            }
        };
        let paint = self.talk.paint();
        self.talk.line(&format!("\n{}", apply_text::summary(paint, &target.plan, &report)));
        let (mut code, verified) = self.verify(place, values, &report, shell).await;
        if let Some(timeout) = self.wait_replicas {
            code = code.worst(self.follow_replicas(place, &report, timeout, shell).await);
        }
        (code, Some(apply_json::target(&target.plan, &report, verified)))
    }

    /// Reads what was done once more, and compares it with the manifests.
    async fn verify(
        &self,
        place: &Place<'_>,
        values: &impl Values,
        report: &ApplyReport,
        shell: &Shell,
    ) -> (ExitCode, Option<bool>) {
        let code = outcome(report);
        if report.done() == 0 {
            return (code, None);
        }
        let touched: BTreeSet<SecretName> = report.touched().cloned().collect();
        match verify(place.writer, place.desired, &place.target.live, &touched, values).await {
            Ok(mut remaining) => {
                // What failed is known to differ already; verification is about what was reported as done.
                let done = |name: &SecretName| report.outcomes.get(name) == Some(&SecretOutcome::Done);
                remaining.secrets.retain(|secret| done(&secret.name));
                self.talk.line(&apply_text::verified(self.talk.paint(), &remaining, report.done()));
                let verified = remaining.is_empty();
                (if verified { code } else { code.worst(ExitCode::Partial) }, Some(verified))
            }
            Err(error) => {
                let error = TargetError::Plan(error);
                let message = format!("what was applied could not be read again: {}", error.text());
                shell.error(&message, error.hint().as_deref());
                (code.worst(ExitCode::Error), None)
            }
        }
    }

    /// Looks at the secrets that were done until none of their replicas is InProgress.
    async fn follow_replicas(
        &self,
        place: &Place<'_>,
        report: &ApplyReport,
        timeout: Duration,
        shell: &Shell,
    ) -> ExitCode {
        let declared = |name: &&SecretName| {
            place.desired.secrets.get(*name).is_some_and(|desired_secret| {
                desired_secret
                    .replicas
                    .as_ref()
                    .and_then(|declared| declared.value.as_ref())
                    .is_some_and(|map| !map.is_empty())
            })
        };
        let names: Vec<SecretName> = report.touched().filter(declared).cloned().collect();
        if names.is_empty() {
            return ExitCode::Success;
        }
        let spinner = Spinner::new(shell, "waiting for replicas");
        let following = async {
            let mut waiting = names.clone();
            let mut failed = 0_usize;
            loop {
                let seen = describe_all(place.writer, waiting.drain(..), &|_| {}).await?;
                for (name, secret) in seen {
                    let statuses = secret.iter().flat_map(|secret| &secret.replicas);
                    let mut in_progress = false;
                    for (region, replica) in statuses {
                        match &replica.status {
                            ReplicaStatus::InSync => {}
                            ReplicaStatus::InProgress => in_progress = true,
                            ReplicaStatus::Failed { message } => {
                                failed += 1;
                                let text = format!("{name}: the replica in {region} failed: {message}");
                                shell.error(&escape::line(&text), None);
                            }
                        }
                    }
                    if in_progress {
                        waiting.push(name);
                    }
                }
                if waiting.is_empty() {
                    return Ok(failed);
                }
                spinner.say(format!("waiting for the replicas of {} secrets", waiting.len()));
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        let ended = tokio::select! {
            ended = following => Some(ended),
            () = tokio::time::sleep(timeout) => None,
            () = interrupt::stopped(self.stop) => return ExitCode::Interrupted,
        };
        drop(spinner);
        match ended {
            Some(Ok(0)) => {
                self.talk.line(&format!("  replicas of {} in sync", crate::render::count(names.len(), "secret")));
                ExitCode::Success
            }
            Some(Ok(_)) => ExitCode::Partial,
            Some(Err(error)) => {
                let error = TargetError::Plan(PlanError::Service(error));
                shell.error(&format!("replicas could not be followed: {}", error.text()), error.hint().as_deref());
                ExitCode::Error
            }
            None => {
                let message = format!("replicas are still being made after {} seconds", timeout.as_secs());
                shell.error(&message, Some("they go on by themselves; keywright plan shows how they stand"));
                ExitCode::Partial
            }
        }
    }

    /// Notes a call that was made in the journal.
    fn note(&self, place: &Place<'_>, event: &ApplyEvent<'_>, shell: &Shell) {
        let Some(path) = self.journal else { return };
        let Place { writer: _, caller, desired, target } = *place;
        let (secret, action, request_id, result) = match event {
            ApplyEvent::ActionDone { secret, action, receipt } => {
                (*secret, action.operation(), receipt.request_id.as_deref(), "done")
            }
            ApplyEvent::Finished { secret, outcome: SecretOutcome::Failed { failed, error, .. }, .. } => {
                let request_id = match error {
                    ApplyError::Service(error) => error.request_id.as_deref(),
                    _ => None,
                };
                (*secret, *failed, request_id, "failed")
            }
            _ => return,
        };
        // A secret that this run creates is known by its name alone.
        let arn = target.live.arn(secret);
        let entry = Entry {
            command: "apply",
            caller,
            project: &desired.project,
            target: &desired.target.name,
            account: target.live.account.as_deref(),
            region: &desired.target.region,
            secret: arn.as_deref().unwrap_or(secret.as_str()),
            action: action.to_owned(),
            request_id,
            result,
        };
        journal::append(path, &entry, shell);
    }
}

/// The exit code of one target's apply.
fn outcome(report: &ApplyReport) -> ExitCode {
    if report.interrupted {
        ExitCode::Interrupted
    } else if report.is_complete() {
        ExitCode::Success
    } else if report.actions_done > 0 {
        ExitCode::Partial
    } else if report.outcomes.values().all(|outcome| matches!(outcome, SecretOutcome::Conflict { .. })) {
        ExitCode::Stale
    } else {
        ExitCode::Error
    }
}
