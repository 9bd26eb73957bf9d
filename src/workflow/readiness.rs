//! What must hold for all targets before anything is written to any.

use super::error::{Error, ErrorKind};
use super::event::{Event, Listener};
use super::failures::{group_targets, group_values};
use super::prepare::Prepared;
use super::session::Run;
use crate::desired::Desired;
use crate::domain::SecretName;
use crate::plan::{Action, FindingKind, PlanReport};
use crate::value::{Edges, Known, SecretValue, ValueError, Values};

/// Whether an apply may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It may.
    Ready,
    /// There is nothing that it would do.
    NothingToDo,
    /// A target could not be planned, or an error was found in it.
    Errors,
    /// A guard refuses.
    Guard,
}

/// Whether plans may be applied.
pub fn readiness(prepared: &Prepared<'_>) -> Readiness {
    if prepared.planned().count() < prepared.targets.len() || prepared.has_blockers() {
        return Readiness::Errors;
    }
    if prepared.is_refused() {
        return Readiness::Guard;
    }
    if prepared.has_changes() { Readiness::Ready } else { Readiness::NothingToDo }
}

impl Prepared<'_> {
    /// Why targets could not be planned, and which plans did not come through their rehearsal.
    pub fn failures(&self) -> Vec<Error> {
        let failed = self
            .targets
            .iter()
            .filter_map(|target| Some((target.desired.target.name.as_str(), target.planned.as_ref().err()?)));
        let mut failures = group_targets(failed);
        let failed = self.planned().filter(|(_, planned)| {
            let rehearsed = planned.rehearsed.as_ref();
            rehearsed.is_some_and(|rehearsed| !rehearsed.as_ref().is_ok_and(crate::rehearse::RehearsalReport::passed))
        });
        failures.extend(
            failed.map(|(desired, _)| Error::from(ErrorKind::Rehearsal { target: desired.target.name.clone() })),
        );
        failures
    }

    /// Secrets that could not be read, whose values could not, or that cannot be as they are declared, as an error:
    /// they were left alone, and the others go on.
    pub fn left_alone(&self) -> Option<Error> {
        let reports = || self.planned().map(|(_, planned)| &planned.target.report);
        let (mut unreadable, mut uncompared) = (0, 0);
        for (secrets, values) in reports().map(PlanReport::unreadable) {
            unreadable += secrets;
            uncompared += values;
        }
        let refused: usize = reports().map(PlanReport::declared_refused).sum();
        let left_alone = || ErrorKind::LeftAlone { unreadable, uncompared, refused }.into();
        (unreadable + uncompared + refused > 0).then(left_alone)
    }

    /// Whether findings of a plan keep it from being applied.
    pub fn has_blockers(&self) -> bool {
        self.planned().any(|(_, planned)| planned.target.report.has_blockers())
    }
}

impl Run<'_> {
    /// Makes every value that will be put, and drops it again: what is wrong with one is known before the first write.
    /// What is known only later, a password to be generated or the ARN of a new secret, is left for then. What stands
    /// at the edges of an encrypted value is seen here first, since a plan has no key: it is told.
    pub async fn validate_values(&self, prepared: &Prepared<'_>, listener: Listener<'_>) -> Vec<Error> {
        let values = self.values();
        let mut wrong = Vec::new();
        for (desired, planned) in prepared.planned() {
            let target = &planned.target;
            let arns = |name: &SecretName| target.live.arn(name);
            for secret in &target.plan.secrets {
                let sources = secret.actions.iter().filter_map(|action| match action {
                    Action::PutValue(value) | Action::Create { value: Some(value), .. } => Some(&value.source),
                    _ => None,
                });
                for source in sources {
                    let later = source.is_made_once() || source.references().any(|name| arns(name).is_none());
                    if later {
                        continue;
                    }
                    let rendered = values.render(source, None, &arns).await;
                    if let Ok(value) = &rendered {
                        let clear = values.in_clear(source);
                        let broken = broken_shapes(desired, &secret.name, value, &clear);
                        wrong.extend(broken.map(|error| (secret.name.clone(), error)));
                    }
                    match rendered {
                        Ok(value) => report_edges(&secret.name, &value, &target.report, listener),
                        Err(error) => wrong.push((secret.name.clone(), error)),
                    }
                }
            }
        }
        group_values(wrong)
    }
}

/// The rules of the project that a value breaks. What is `clear` of it is known without a key.
fn broken_shapes(
    desired: &Desired,
    name: &SecretName,
    value: &SecretValue,
    clear: &Known,
) -> impl Iterator<Item = ValueError> {
    let declared = desired.secrets.get(name).and_then(|secret| secret.value.as_ref());
    let shapes = declared.map_or(&[][..], |declared| &declared.shapes);
    let known = Known::of_value(value);
    shapes.iter().filter_map(move |(rule, shape)| {
        let breaches = shape.check(&known, clear);
        (!breaches.is_empty()).then(|| ValueError::Shape { rule: rule.clone(), breaches })
    })
}

/// Tells what stands at the edges of a value, unless its plan has said so.
fn report_edges(name: &SecretName, value: &SecretValue, report: &PlanReport, listener: Listener<'_>) {
    let Some(edges) = Edges::of_value(value) else { return };
    let said = report.findings.iter().any(|finding| {
        finding.secret == *name && matches!(&finding.kind, FindingKind::ValueEdges(said) if *said == edges)
    });
    if !said {
        listener(Event::ValueEdges { secret: name, edges: &edges });
    }
}
