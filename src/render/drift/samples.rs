//! Reports for tests of the formats.

use std::sync::Arc;

use jiff::Timestamp;

use super::DriftView;
use crate::domain::{Region, SecretName, VersionId};
use crate::drift::{Class, Clue, Difference, Drift, DriftReport, Field, Found, TargetDrift};
use crate::live::{ServiceError, ServiceErrorKind};
use crate::origin::Origin;
use crate::plan::MadeBy;
use crate::reconcile::{PlanError, TargetError};
use crate::render::who::sample;

/// What formats that need more than the report are given.
pub(super) fn view(report: &DriftReport) -> DriftView<'_> {
    DriftView { report, folder: "", fail_on: &[], last_success: None }
}

fn drift(class: Class, secret: &str, what: Difference, origin: Option<Origin>) -> Drift {
    Drift {
        class,
        secret: SecretName::new(secret),
        origin,
        what,
        hints: vec![Clue::LastChanged(Timestamp::from_second(1_767_268_800).unwrap_or_default())],
        since: None,
        who: None,
    }
}

fn at(line: u32) -> Origin {
    Origin { file: "secrets/db.yaml".into(), line, column: 9 }
}

fn of(targets: Vec<TargetDrift>) -> DriftReport {
    DriftReport {
        project: "payments".to_owned(),
        started: Timestamp::from_second(1_767_268_800).unwrap_or_default(),
        seconds: 0.5,
        calls: [("ListSecrets".to_owned(), 2)].into(),
        targets,
    }
}

/// What a target could not be looked at for.
fn refused(message: &str) -> Arc<TargetError> {
    Arc::new(TargetError::Plan(PlanError::Service(ServiceError {
        operation: "DescribeSecret",
        kind: ServiceErrorKind::Rejected,
        code: Some("AccessDeniedException".to_owned()),
        message: message.to_owned(),
        request_id: None,
    })))
}

fn target(name: &str, outcome: Result<Found, Arc<TargetError>>) -> TargetDrift {
    TargetDrift {
        name: name.to_owned(),
        account: Some("111111111111".to_owned()),
        region: "eu-west-1".to_owned(),
        endpoint: None,
        outcome,
    }
}

/// Three drifts in one target, and another target that cannot be reached.
pub(super) fn report() -> DriftReport {
    let drifts = vec![
        drift(Class::Changed, "prod/db", Difference::Fields(vec![Field::Description]), Some(at(4))),
        drift(Class::Missing, "prod/gone", Difference::Missing, Some(at(20))),
        drift(Class::Orphaned, "prod/old", Difference::Orphaned { pruned: false, item: None }, None),
    ];
    of(vec![
        target("prod", Ok(Found { checked: 4, unread: 1, drifts, ignored: 1 })),
        target("west", Err(refused("not allowed"))),
    ])
}

/// One target with many drifts.
pub(super) fn many(number: u32) -> DriftReport {
    let what = || Difference::Fields(vec![Field::Description]);
    let drifts = (0..number).map(|n| drift(Class::Changed, &format!("prod/{n:05}"), what(), Some(at(n + 1)))).collect();
    of(vec![target("prod", Ok(Found { checked: 4, unread: 0, drifts, ignored: 0 }))])
}

/// Text that would like to be read as something else, wherever text can be.
pub(super) fn hostile() -> DriftReport {
    let text = "<img src=x onerror=alert(1)> ]]> `|` | @octocat #12 ![x](http://e) \u{202e} \
        \u{0}\u{ffff}\n::error::x\n| a | b | c |\n\\";
    let what = Difference::ReplicaFailed { region: Region::of_service("us-west-2"), message: text.to_owned() };
    let mut hostile = drift(Class::ReplicaFailed, "prod/`|<b>\"\n::set-env", what, Some(at(1)));
    hostile.hints =
        vec![Clue::CurrentVersion { version: VersionId::of_service(text), made_by: MadeBy::Rotation, differs: false }];
    hostile.who = Some(sample(text));
    if let Some(origin) = &mut hostile.origin {
        origin.file = "a|`b,c:d\n<e>.yaml".into();
    }
    let mut report = of(vec![
        target("a\"} 1\nup 1 \\", Ok(Found { checked: 1, unread: 0, drifts: vec![hostile], ignored: 0 })),
        target("b|<c>", Err(refused(text))),
    ]);
    report.project = "pay\"ments\n--><script>".to_owned();
    report
}
