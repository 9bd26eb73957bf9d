//! The plans of all targets of a run, in every form in which `plan`, `apply` and `graph` show them.

use super::awaiting::OfTarget;
use super::error::{target_line, target_text};
use super::escape::{Escaped, Json, Terminal};
use super::graph::{Extent, Graph, GraphTarget};
use super::paint::Paint;
use super::{PlanView, PlannedView, TargetView, plan_json, plan_text, who};
use crate::apply::SecretOutcome;
use crate::domain::AccountId;
use crate::plan::{AwaitingValue, Selection};
use crate::reconcile::TargetPlan;
use crate::workflow::{ApplyRun, Prepared, PreparedTarget};

/// Every plan as text, with what the guards would refuse.
pub fn text(paint: Paint, prepared: &Prepared<'_>, extent: plan_text::Extent) -> Escaped<Terminal> {
    plan_text::text(paint, &view(prepared), extent)
}

/// The secrets that exist when an apply has ended, or was not begun, and that wait for a value.
pub fn awaiting<'a>(prepared: &'a Prepared<'_>, applied: Option<&ApplyRun<'_>>) -> Vec<OfTarget<'a>> {
    let is_done = |target: &str, one: &AwaitingValue| {
        let run = applied.and_then(|run| run.targets.iter().find(|of| of.plan.target == target));
        run.is_some_and(|run| run.report.outcomes.get(&one.secret) == Some(&SecretOutcome::Done))
    };
    let of = |prepared: &'a PreparedTarget<'_>| {
        let name = prepared.desired.target.name.as_str();
        let planned = prepared.planned.as_ref().ok()?;
        let awaiting = planned.target.report.awaiting.iter().filter(|one| one.exists || is_done(name, one));
        Some((name, awaiting.collect()))
    };
    prepared.targets.iter().filter_map(of).collect()
}

/// Every plan as a JSON document.
pub fn json(prepared: &Prepared<'_>) -> Escaped<Json> {
    let targets = prepared
        .targets
        .iter()
        .map(|prepared| match &prepared.planned {
            Ok(planned) => {
                let TargetPlan { plan, report, live: _, facts: _ } = &planned.target;
                let mut document = plan_json::target(plan, report, &planned.refusals, planned.rehearsed.as_ref());
                for secret in &mut document.secrets {
                    secret.who = planned.who.get(secret.name.as_str()).map(who::document);
                }
                document
            }
            Err(error) => {
                let target = &prepared.desired.target;
                plan_json::failed_target(
                    &target.name,
                    target.account.as_ref().map(AccountId::as_str),
                    target.region.as_str(),
                    prepared.endpoint().map(str::to_owned),
                    target_text(error).into_owned(),
                )
            }
        })
        .collect();
    plan_json::document(&view(prepared), targets)
}

/// Every plan as documents show it that draw what changes, too.
pub fn view_with_graphs<'a>(prepared: &'a Prepared<'_>, selection: &Selection) -> PlanView<'a> {
    let mut view = view(prepared);
    let graphs = graph(prepared, selection, Extent::Changes).targets;
    view.targets.iter_mut().zip(graphs).for_each(|(target, graph)| target.graph = graph);
    view
}

/// Every plan as it is shown, without graphs.
fn view<'a>(prepared: &'a Prepared<'_>) -> PlanView<'a> {
    let targets = prepared
        .targets
        .iter()
        .map(|prepared| TargetView {
            name: &prepared.desired.target.name,
            account: match &prepared.planned {
                Ok(planned) => planned.target.plan.account.as_ref().map(AccountId::as_str),
                Err(_) => prepared.desired.target.account.as_ref().map(AccountId::as_str),
            },
            region: prepared.desired.target.region.as_str(),
            endpoint: prepared.endpoint(),
            planned: match &prepared.planned {
                Ok(planned) => {
                    let TargetPlan { plan, report, live: _, facts: _ } = &planned.target;
                    let rehearsed = planned.rehearsed.as_ref();
                    Ok(PlannedView { plan, report, refusals: &planned.refusals, rehearsed, who: Some(&planned.who) })
                }
                Err(error) => Err(target_line(error)),
            },
            graph: GraphTarget::default(),
        })
        .collect();
    PlanView { project: prepared.project, targets }
}

/// Every target as its plan has it; one that could not be planned as its manifests have it.
pub fn graph(prepared: &Prepared<'_>, selection: &Selection, extent: Extent) -> Graph {
    let targets = prepared
        .targets
        .iter()
        .map(|target| match &target.planned {
            Ok(planned) => {
                let (plan, report) = (&planned.target.plan, &planned.target.report);
                GraphTarget::planned(target.desired, plan, report, selection, extent)
            }
            Err(_) => GraphTarget::declared(target.desired, selection, extent)
                .with_note("could not be planned: drawn as the manifests have it"),
        })
        .collect();
    Graph { project: prepared.project.to_owned(), targets }
}
