//! What is to be done about a secret's rotation.
//!
//! Source: RotateSecret and CancelRotateSecret. Putting a secret under rotation also runs the function: all its steps
//! when RotateImmediately is true, and its testSecret step alone otherwise. So a plan says which of the two would
//! happen.

use super::action::Action;
use super::change::{Change, RotationRun};
use super::diff::Difference;
use super::report::FindingKind;
use crate::desired::{Declared, DesiredRotation, RotationSetup};
use crate::live::LiveSecret;

/// Adds what the declared rotation asks for; what stands in the way comes back. `difference` holds the rest of the
/// secret's plan already, since a rotation needs a value to begin with.
pub(super) fn plan_rotation(
    declared: &Declared<DesiredRotation>,
    observed: Option<&LiveSecret>,
    difference: &mut Difference,
) -> Option<FindingKind> {
    // DeleteSecret switches rotation off, and RestoreSecret does not switch it on again.
    let live = observed.and_then(|secret| secret.rotation.setup());
    let Some(desired) = &declared.value else {
        if let Some(before) = live {
            difference.actions.push(Action::CancelRotation);
            difference.changes.push(Change::Rotation {
                before: Some(before),
                after: None,
                run: RotationRun::Nothing,
                origin: declared.origin.clone(),
            });
        }
        return None;
    };
    if live.as_ref().is_some_and(|live| desired.setup.is_met_by(live)) {
        return None;
    }
    let has_value = observed.is_some_and(|secret| secret.current_version().is_some());
    let gets_value = difference.actions.iter().any(|action| match action {
        Action::PutValue(value) => value.labels.is_empty(),
        Action::Create { value, .. } => value.is_some(),
        _ => false,
    });
    if !has_value && !gets_value {
        return Some(FindingKind::RotationWaitsForValue);
    }
    if let Some(stuck) = observed.and_then(LiveSecret::stuck_version) {
        return Some(FindingKind::RotationPending { version: stuck.to_owned(), held_back: None });
    }
    let setup = with_the_window_kept(&desired.setup, live.as_ref());
    difference.actions.push(Action::Rotate { setup: setup.clone(), immediately: desired.rotate_immediately });
    difference.changes.push(Change::Rotation {
        before: live,
        after: Some(setup),
        run: if desired.rotate_immediately { RotationRun::Now } else { RotationRun::TestOnly },
        origin: declared.origin.clone(),
    });
    None
}

/// RotationRules are replaced as a whole, so a window that the desired leaves alone is sent again, while the schedule
/// that it belongs to stays.
fn with_the_window_kept(desired: &RotationSetup, live: Option<&RotationSetup>) -> RotationSetup {
    let kept = live.filter(|live| live.frequency == desired.frequency).and_then(|live| live.duration.clone());
    RotationSetup { duration: desired.duration.clone().or(kept), ..desired.clone() }
}
