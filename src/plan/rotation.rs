//! What is to be done about a secret's rotation.
//!
//! Source: RotateSecret and CancelRotateSecret. Putting a secret under rotation also runs the function: all its steps
//! when RotateImmediately is true, and its testSecret step alone otherwise. So a plan says which of the two would
//! happen.

use jiff::Timestamp;

use super::action::Action;
use super::change::{Change, RotationRun};
use super::diff::Difference;
use super::report::FindingKind;
use crate::desired::{Declared, DesiredRotation, RotationSetup, Rotator};
use crate::domain::{Schedule, Window, WindowLength};
use crate::live::LiveSecret;

/// Adds what the declared rotation asks for; what stands in the way comes back. `difference` holds the rest of the
/// secret's plan already, since a rotation needs a value to begin with. `as_of` is the time of the plan.
pub(super) fn plan_rotation(
    declared: &Declared<DesiredRotation>,
    observed: Option<&LiveSecret>,
    as_of: Option<Timestamp>,
    difference: &mut Difference,
) -> Option<FindingKind> {
    // DeleteSecret switches rotation off, and RestoreSecret does not switch it on again.
    let live = observed.and_then(LiveSecret::rotation_setup);
    let Some(desired) = &declared.value else {
        if let Some(before) = live {
            difference.actions.push(Action::CancelRotation);
            difference.changes.push(Change::Rotation {
                before: Some(before),
                after: None,
                run: RotationRun::Nothing,
                earlier_may_run: false,
                next: None,
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
        Action::CarryVersion(version) => version.current,
        _ => false,
    });
    if !has_value && !gets_value {
        return Some(FindingKind::RotationWaitsForValue);
    }
    if let Some(stuck) = observed.and_then(LiveSecret::stuck_version) {
        return Some(FindingKind::RotationPending { version: stuck.to_owned(), held_back: None });
    }
    let earlier_may_run = !desired.rotate_immediately
        && desired.setup.frequency.interval_hours().is_some()
        && live.as_ref().is_some_and(|live| live.frequency != desired.setup.frequency);
    let setup = with_the_window_kept(&desired.setup, live.as_ref());
    let same_times = live.as_ref().is_some_and(|live| {
        live.frequency == setup.frequency && live.duration == setup.duration && !desired.rotate_immediately
    });
    let next = as_of.filter(|_| !same_times).and_then(|as_of| next_window(&setup, desired.rotate_immediately, as_of));
    difference.actions.push(Action::Rotate { setup: setup.clone(), immediately: desired.rotate_immediately });
    difference.changes.push(Change::Rotation {
        before: live,
        after: Some(setup),
        run: match &desired.setup.rotator {
            _ if desired.rotate_immediately => RotationRun::Now,
            // There is no function that would be tested.
            Rotator::OwningService => RotationRun::Nothing,
            Rotator::Lambda(_) | Rotator::External { .. } => RotationRun::TestOnly,
        },
        earlier_may_run,
        next,
        origin: declared.origin.clone(),
    });
    None
}

/// The first window of a new schedule. An interval runs from the last rotation, so that one is known only where a
/// rotation starts at once.
fn next_window(setup: &RotationSetup, immediately: bool, as_of: Timestamp) -> Option<Window> {
    let schedule = setup.frequency.schedule()?;
    let told = immediately || matches!(schedule, Schedule::Cron(_));
    let length = setup.duration.as_ref().and_then(|duration| WindowLength::parse(duration.as_str()).ok());
    if told { schedule.next_window(as_of, length) } else { None }
}

/// RotationRules are replaced as a whole, so a window that the desired leaves alone is sent again, while the schedule
/// that it belongs to stays.
fn with_the_window_kept(desired: &RotationSetup, live: Option<&RotationSetup>) -> RotationSetup {
    let kept = live.filter(|live| live.frequency == desired.frequency).and_then(|live| live.duration.clone());
    RotationSetup { duration: desired.duration.clone().or(kept), ..desired.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Arn, Frequency, StagingLabel, VersionId};
    use crate::origin::Origin;

    const AS_OF: Timestamp = Timestamp::UNIX_EPOCH;
    const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111111111111:function:rotate";

    fn planned(live: Option<&str>, expression: &str, rotate_immediately: bool) -> Change {
        let mut secret = LiveSecret::bare("app/db");
        let current = [StagingLabel::of_service("AWSCURRENT")].into();
        secret.versions.insert(VersionId::of_service("v1"), current);
        secret.rotation.enabled = live.is_some();
        secret.rotation.lambda_arn = Some(Arn::of_service(FUNCTION));
        secret.rotation.expression = live.map(str::to_owned);
        let setup = RotationSetup {
            rotator: Rotator::Lambda(Arn::of_service(FUNCTION)),
            frequency: Frequency::of_service(expression),
            duration: None,
        };
        let value = Some(DesiredRotation { setup, rotate_immediately });
        let mut difference = Difference::default();
        let declared = Declared { value, origin: Origin::new(std::path::Path::new("db.yaml"), 1, 1) };
        assert_eq!(plan_rotation(&declared, Some(&secret), Some(AS_OF), &mut difference), None);
        difference.changes.remove(0)
    }

    fn earlier_may_run(live: Option<&str>, expression: &str, rotate_immediately: bool) -> bool {
        match planned(live, expression, rotate_immediately) {
            Change::Rotation { earlier_may_run, .. } => earlier_may_run,
            _ => unreachable!("only rotation differs"),
        }
    }

    #[test]
    fn the_rotation_scheduled_before_may_run_when_an_interval_replaces_a_schedule() {
        assert!(earlier_may_run(Some("rate(10 days)"), "rate(30 days)", false));
        assert!(earlier_may_run(Some("cron(0 8 1 * ? *)"), "rate(12 hours)", false));
    }

    #[test]
    fn it_may_not_with_a_cron_schedule_an_immediate_rotation_or_none_before() {
        assert!(!earlier_may_run(Some("rate(10 days)"), "cron(0 8 1 * ? *)", false));
        assert!(!earlier_may_run(Some("rate(10 days)"), "rate(30 days)", true));
        assert!(!earlier_may_run(None, "rate(30 days)", false));
    }

    fn opens(expression: &str, rotate_immediately: bool) -> Option<String> {
        match planned(Some("rate(10 days)"), expression, rotate_immediately) {
            Change::Rotation { next, .. } => next.map(|next| next.opens.to_string()),
            _ => unreachable!("only rotation differs"),
        }
    }

    #[test]
    fn the_next_window_is_told_where_it_is_known() {
        assert_eq!(opens("cron(0 16 2 * ? *)", false).as_deref(), Some("1970-01-02T16:00:00Z"));
        assert_eq!(opens("rate(12 hours)", true).as_deref(), Some("1970-01-01T12:00:00Z"));
        assert_eq!(opens("rate(12 hours)", false), None, "it runs from the last rotation");
    }
}
