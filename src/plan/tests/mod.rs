//! The planner by its rules. What a plan looks like to a reader is in `tests/scenarios`.

mod approved;
mod moves;
mod planner;
mod replicas;
mod revived;
mod rules;
mod stages;
mod whole;

use std::collections::BTreeSet;
use std::path::Path;

use super::{Plan, PlanReport, Rules, Selection, ValueFacts, plan};
use crate::desired::{Desired, OWNER_TAG};
use crate::domain::{Region, SecretName, StagingLabel, TagKey, VersionId};
use crate::live::{Live, LiveSecret};
use crate::origin::Origin;

fn at(line: u32) -> Origin {
    Origin::new(Path::new("app.yaml"), line, 1)
}

fn region(name: &str) -> Region {
    Region::of_service(name)
}

fn name(name: &str) -> SecretName {
    SecretName::new(name)
}

/// A live secret of this target, with a value that did not come from git.
fn ours(desired: &Desired, name: &str) -> LiveSecret {
    let mut secret = LiveSecret::bare(name);
    secret.tags.insert(TagKey::of_service(OWNER_TAG), desired.owner_tag(&secret.name));
    secret.versions.insert(VersionId::of_service("v1"), BTreeSet::from([StagingLabel::current()]));
    secret
}

fn live(secrets: Vec<LiveSecret>) -> Live {
    let secrets = secrets.into_iter().map(|secret| (secret.name.clone(), secret)).collect();
    Live { region: region("eu-west-1"), secrets, ..Live::default() }
}

fn planned(desired: &Desired, secrets: Vec<LiveSecret>) -> (Plan, PlanReport) {
    planned_of(desired, secrets, Selection::default())
}

fn planned_of(desired: &Desired, secrets: Vec<LiveSecret>, selection: Selection) -> (Plan, PlanReport) {
    plan(desired, &live(secrets), &ValueFacts::default(), &Rules { selection, as_of: None })
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.secrets.iter().map(|secret| secret.name.as_str()).collect()
}
