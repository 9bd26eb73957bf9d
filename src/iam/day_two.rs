//! What the day-2 commands need: one secret is looked at, and one call is made.

use super::arn::Place;
use super::document::{Draft, Permission};
use super::needs::{managed, replicas, rotation_functions};
use super::read::owner_pattern;
use super::{Purpose, Scope};
use crate::desired::{Desired, OWNER_TAG};

/// Adds what a day-2 command reads and calls.
pub(super) fn add(desired: &Desired, scope: Scope, draft: &mut Draft) {
    let place = Place::of(&desired.target);
    let everywhere = || desired.scope.prefixes().iter().map(|prefix| place.secrets(prefix));
    let mut read = vec!["secretsmanager:DescribeSecret"];
    if matches!(scope.purpose, Purpose::Versions | Purpose::Rollback) {
        read.push("secretsmanager:ListSecretVersionIds");
    }
    draft.add(Permission::new("ReadMetadata", read).on(everywhere()));
    // These commands refuse what this target does not own.
    let owned = |name, actions: &[&'static str]| {
        let permission = Permission::new(name, actions.iter().copied()).on(everywhere());
        permission.when("StringLike", format!("aws:ResourceTag/{OWNER_TAG}"), [owner_pattern(desired)])
    };
    match scope.purpose {
        Purpose::Versions if scope.read_values => {
            draft.add(Permission::new("ReadValues", ["secretsmanager:GetSecretValue"]).on(everywhere()));
        }
        Purpose::Rollback => draft.add(owned("MoveLabels", &["secretsmanager:UpdateSecretVersionStage"])),
        Purpose::Rotate => {
            let actions = [
                "secretsmanager:CancelRotateSecret",
                "secretsmanager:RotateSecret",
                "secretsmanager:UpdateSecretVersionStage",
            ];
            draft.add(owned("Rotate", &actions));
            let managed = managed(desired).map(|desired_secret| place.secret(&desired_secret.name));
            draft.add(Permission::new("RotateServiceSecrets", ["secretsmanager:RotateSecret"]).on(managed));
            let functions = rotation_functions(desired);
            draft.add(Permission::new("InvokeRotationFunctions", ["lambda:InvokeFunction"]).on(functions));
        }
        Purpose::Restore => draft.add(owned("Restore", &["secretsmanager:RestoreSecret"])),
        Purpose::Release => draft.add(owned("Release", &["secretsmanager:UntagResource"])),
        Purpose::Promote => add_promotion(desired, draft),
        Purpose::Versions | Purpose::Plan | Purpose::Apply | Purpose::Drift | Purpose::Inventory => {}
    }
}

/// A replica is promoted in its own region, and who owns it is asked at its primary, which may be anywhere. Whether it
/// carries its primary's tags is not documented, so there is no condition on them.
fn add_promotion(desired: &Desired, draft: &mut Draft) {
    let place = Place::of(&desired.target);
    let in_region = |region: &str| {
        let there = place.in_region(region);
        desired.scope.prefixes().iter().map(move |prefix| there.secrets(prefix)).collect::<Vec<_>>()
    };
    draft.add(Permission::new("ReadPrimaries", ["secretsmanager:DescribeSecret"]).on(in_region("*")));
    let own = std::iter::once(&desired.target.region);
    let regions = own.chain(replicas(desired).map(|(_, region, _)| region));
    let promoted = regions.flat_map(|region| in_region(region.as_str()));
    let actions = ["secretsmanager:StopReplicationToReplica", "secretsmanager:UntagResource"];
    draft.add(Permission::new("Promote", actions).on(promoted));
}
