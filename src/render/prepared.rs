//! The plans of all targets of a run, in every form in which `plan`, `apply` and `graph` show them.

use super::error::{target_line, target_text};
use super::escape::{Escaped, Json, Terminal};
use super::graph::{Extent, Graph, GraphTarget};
use super::paint::Paint;
use super::{PlanView, PlannedView, TargetView, escaped, plan_json, plan_text, rehearsal, words};
use crate::domain::AccountId;
use crate::plan::Selection;
use crate::reconcile::TargetPlan;
use crate::workflow::{Prepared, PreparedTarget};

/// Every plan as text, with what the guards would refuse.
pub fn text(paint: Paint, prepared: &Prepared<'_>) -> Escaped<Terminal> {
    let failed = prepared.targets.iter().filter(|target| target.planned.is_err()).count();
    let first = (failed > 0).then(|| -> Escaped<Terminal> {
        let not_planned: Escaped<Terminal> = words::not_planned(failed, prepared.targets.len());
        escaped!("{}\n\n", paint.error(not_planned))
    });
    let sections = Escaped::join(prepared.targets.iter().map(|target| section(paint, target)), "\n");
    escaped!("{}{}", first, sections)
}

fn section(paint: Paint, prepared: &PreparedTarget<'_>) -> Escaped<Terminal> {
    match &prepared.planned {
        Ok(planned) => {
            let mut plan = plan_text::target(paint, &planned.target.plan, &planned.target.report);
            if let Some(rehearsed) = &planned.rehearsed {
                plan.push(&rehearsal::text(paint, &planned.target.plan, rehearsed));
            }
            let refusals = plan_text::refusals(paint, &planned.refusals);
            if refusals.is_empty() { plan } else { escaped!("{}\n{}", plan, refusals) }
        }
        Err(error) => {
            let target = &prepared.desired.target;
            let heading = plan_text::heading(
                paint,
                &target.name,
                target.account.as_ref().map(AccountId::as_str),
                target.region.as_str(),
                prepared.endpoint(),
            );
            // The artifact stands by itself: it may be read where standard error is not.
            escaped!("{}\n  {}: {}\n", heading, paint.error("NOT PLANNED"), target_line(error))
        }
    }
}

/// Every plan as a JSON document.
pub fn json(prepared: &Prepared<'_>) -> Escaped<Json> {
    let targets = prepared
        .targets
        .iter()
        .map(|prepared| match &prepared.planned {
            Ok(planned) => {
                let TargetPlan { plan, report, live: _, facts: _ } = &planned.target;
                plan_json::target(plan, report, &planned.refusals, planned.rehearsed.as_ref())
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
    plan_json::document(prepared.project, targets)
}

/// Every plan as documents show it.
pub fn view<'a>(prepared: &'a Prepared<'_>, selection: &Selection) -> PlanView<'a> {
    let graph = graph(prepared, selection, Extent::Changes);
    let targets = prepared
        .targets
        .iter()
        .zip(graph.targets)
        .map(|(prepared, graph)| TargetView {
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
                    Ok(PlannedView { plan, report, refusals: &planned.refusals, rehearsed })
                }
                Err(error) => Err(target_text(error)),
            },
            graph,
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
