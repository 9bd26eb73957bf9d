//! `spec.rotation`, `spec.replicas` and `spec.labels`.

use std::collections::{BTreeMap, HashMap};

use super::super::codes;
use super::super::diagnostic::{Problem, Report};
use super::super::field::{Field, Map};
use super::super::schema::{ExternalRotationSpec, ReplicaSpec, RotationSpec};
use super::super::source::{Sources, Span};
use super::arn::{Home, check_home, check_kms_key, check_partition, check_region_exists};
use super::{in_range, required};
use crate::desired::{DesiredReplica, DesiredRotation, RotationSetup, Rotator};
use crate::domain::KmsKey;
use crate::domain::schedule::Expression;
use crate::domain::{
    AccountId, Arn, ArnParts, Frequency, MAX_STAGING_LABELS, Partition, Region, RotationDuration, Schedule,
    ScheduleFault, StagingLabel, WindowLength,
};

/// Longest key and value of a managed external secret's metadata, in characters (ExternalSecretRotationMetadataItem).
const MAX_METADATA: (usize, usize) = (256, 2_048);

/// Checks a rotation, and gives the desired rotation when it is whole. `key` is the place of `rotation`; `by_service`
/// is for a secret that a service manages and rotates.
pub(crate) fn check_rotation(
    rotation: &RotationSpec,
    by_service: bool,
    key: Span,
    home: Home<'_>,
    report: &mut Report,
) -> Option<DesiredRotation> {
    let rotator = if by_service { owning_service(rotation, report) } else { rotator(rotation, key, home, report) };
    let frequency = frequency(rotation, key, report);
    check_window(rotation, frequency.as_ref().and_then(Frequency::schedule), report);
    let setup = RotationSetup {
        rotator: rotator?,
        frequency: frequency?,
        duration: rotation.duration.value().cloned().map(RotationDuration::of_service),
    };
    let rotate_immediately = rotation.rotate_immediately.value().copied().unwrap_or(false);
    Some(DesiredRotation { setup, rotate_immediately })
}

/// Who rotates: a function or a partner, and not both.
fn rotator(rotation: &RotationSpec, key: Span, home: Home<'_>, report: &mut Report) -> Option<Rotator> {
    if let (Some(lambda), Some(external)) = (rotation.lambda_arn.get(), rotation.external_rotation.get()) {
        report.push(
            Problem::new(
                &codes::ROTATION,
                external.span,
                "a rotation has either `lambdaArn` or `externalRotation`, not both",
            )
            .label("either this")
            .related(lambda.span, "or this"),
        );
        return None;
    }
    if let Some(external) = rotation.external_rotation.get() {
        return external_rotator(&external.value, external.span, home, report);
    }
    let lambda = required(&rotation.lambda_arn, "Secret.spec.rotation.lambdaArn", key, report)?;
    let Some(arn) = ArnParts::parse(&lambda.value).filter(|arn| is_function(*arn)) else {
        report.push(
            Problem::new(
                &codes::ROTATION,
                lambda.span,
                format!("`{}` is not the ARN of a Lambda function", lambda.value),
            )
            .label("expected arn:aws:lambda:REGION:ACCOUNT:function:NAME"),
        );
        return None;
    };
    check_home(arn, lambda.span, home, report);
    Some(Rotator::Lambda(Arn::of_service(lambda.value.clone())))
}

/// The service that manages the secret: nobody else can be named.
fn owning_service(rotation: &RotationSpec, report: &mut Report) -> Option<Rotator> {
    let lambda = rotation.lambda_arn.get().map(|named| ("lambdaArn", named.span));
    let external = rotation.external_rotation.get().map(|named| ("externalRotation", named.span));
    let Some((field, span)) = lambda.or(external) else { return Some(Rotator::OwningService) };
    let message = format!("`{field}` beside `managedBy`: the service itself rotates the secret");
    report.push(
        Problem::new(&codes::MANAGED_BY, span, message)
            .label("nobody else can rotate it")
            .help("leave it out; `schedule` or `everyDays`, and `duration`, can be declared"),
    );
    None
}

fn external_rotator(
    external: &ExternalRotationSpec,
    span: Span,
    home: Home<'_>,
    report: &mut Report,
) -> Option<Rotator> {
    let start = span.begin();
    let role = required(&external.role_arn, "Secret.spec.rotation.externalRotation.roleArn", start, report)?;
    if !ArnParts::parse(&role.value).is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("role/")) {
        report.push(
            Problem::new(&codes::ROTATION, role.span, format!("`{}` is not the ARN of a role", role.value))
                .label("expected arn:aws:iam::ACCOUNT:role/NAME"),
        );
    } else if let Some(arn) = ArnParts::parse(&role.value) {
        check_partition(arn, role.span, home.region, report);
    }
    let mut metadata = BTreeMap::new();
    for (name, value) in external.metadata.value().map_or(&[][..], |items| items.0.as_slice()) {
        let Some(value) = value.get() else { continue };
        let fits = |text: &str, most: usize| (1..=most).contains(&text.chars().count());
        if !fits(&name.value, MAX_METADATA.0) || !fits(&value.value, MAX_METADATA.1) {
            report.push(Problem::new(
                &codes::ROTATION,
                name.span,
                format!("a key has 1 to {} characters, and its value 1 to {}", MAX_METADATA.0, MAX_METADATA.1),
            ));
        }
        metadata.insert(name.value.clone(), value.value.clone());
    }
    Some(Rotator::External { role_arn: Some(Arn::of_service(role.value.clone())), metadata })
}

/// When it rotates: a schedule or a number of days.
fn frequency(rotation: &RotationSpec, key: Span, report: &mut Report) -> Option<Frequency> {
    match (rotation.schedule.get(), rotation.every_days.get()) {
        (Some(schedule), Some(days)) => {
            report.push(
                Problem::new(&codes::ROTATION, days.span, "a rotation has either `schedule` or `everyDays`, not both")
                    .label("either this")
                    .related(schedule.span, "or this"),
            );
            None
        }
        (Some(schedule), None) => match Expression::parse(&schedule.value) {
            Ok(expression) => Some(Frequency::Expression(expression)),
            Err(fault) => {
                report.push(schedule_problem(&codes::ROTATION_SCHEDULE, schedule.span, fault));
                None
            }
        },
        (None, Some(_)) => in_range(&rotation.every_days, &codes::ROTATION, "everyDays", 1..=1000, report)
            .and_then(|days| u32::try_from(days).ok())
            .map(Frequency::EveryDays),
        (None, None) => {
            if rotation.schedule.is_absent() && rotation.every_days.is_absent() {
                report.push(
                    Problem::new(&codes::ROTATION, key, "a rotation needs `schedule` or `everyDays`")
                        .label("when should it rotate?")
                        .help("for example everyDays: 30, or schedule: cron(0 16 1,15 * ? *)"),
                );
            }
            None
        }
    }
}

/// The window: it ends before the next one begins, and with the UTC day.
fn check_window(rotation: &RotationSpec, schedule: Option<Schedule>, report: &mut Report) {
    let Some(duration) = rotation.duration.get() else { return };
    let checked = WindowLength::parse(&duration.value)
        .and_then(|length| schedule.map_or(Ok(()), |schedule| schedule.check_window(length)));
    if let Err(fault) = checked {
        report.push(schedule_problem(&codes::ROTATION_DURATION, duration.span, fault));
    }
}

fn schedule_problem(code: &'static codes::Code, span: Span, fault: ScheduleFault) -> Problem {
    Problem::new(code, span, fault.message).help(fault.help)
}

fn is_function(arn: ArnParts<'_>) -> bool {
    arn.service == "lambda"
        && Region::parse(arn.region).is_some()
        && AccountId::parse(arn.account).is_some()
        && arn.resource.strip_prefix("function:").is_some_and(|name| {
            let (name, qualifier) = name.split_once(':').unwrap_or((name, "LATEST"));
            let plain = |text: &str| {
                !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'$'))
            };
            plain(name) && plain(qualifier)
        })
}

/// Checks replicas, and gives them by region.
pub(crate) fn check_replicas(
    replicas: &[Field<ReplicaSpec>],
    home: Home<'_>,
    sources: &Sources,
    report: &mut Report,
) -> BTreeMap<Region, DesiredReplica> {
    let mut desired = BTreeMap::new();
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for replica in replicas.iter().filter_map(Field::get) {
        let start = replica.span.begin();
        let ReplicaSpec { region, kms_key_id, overwrite } = &replica.value;
        let Some(region) = required(region, "Secret.spec.replicas.region", start, report) else {
            continue;
        };
        if Region::parse(&region.value).is_none() {
            report.push(
                Problem::new(&codes::REPLICA, region.span, format!("`{}` is not a region", region.value))
                    .label("expected something like us-west-2"),
            );
        } else if region.value == home.region {
            report.push(
                Problem::new(
                    &codes::REPLICA,
                    region.span,
                    format!("{} is where the secret itself is, in target `{}`", region.value, home.target),
                )
                .label("a replica is in another region"),
            );
        }
        check_region_exists(&region.value, region.span, &codes::REPLICA, report);
        let (here, there) = (Partition::of_region(home.region), Partition::of_region(&region.value));
        if here != there {
            report.push(
                Problem::new(
                    &codes::REPLICA,
                    region.span,
                    format!("{} is in partition {there}, and target `{}` is in {here}", region.value, home.target),
                )
                .label("a replica is in the same partition"),
            );
        }
        if let Some(&first) = seen.get(region.value.as_str()) {
            report.push(
                Problem::new(&codes::REPLICA, region.span, format!("two replicas in {}", region.value))
                    .label("again here")
                    .related(first, "first here"),
            );
        }
        seen.insert(&region.value, region.span);
        if let Some((key, span)) = kms_key_id.set() {
            check_kms_key(key, span, Home { region: &region.value, ..home }, report);
        }
        let replica = DesiredReplica {
            kms_key_id: kms_key_id.set().map(|(key, _)| KmsKey::of_service(key.as_str())),
            overwrite: overwrite.value().copied().unwrap_or(false),
            origin: sources.origin(region.span),
        };
        desired.insert(Region::of_service(region.value.clone()), replica);
    }
    desired
}

/// Checks staging labels.
pub(crate) fn check_labels(labels: &Map<String>, has_value: bool, is_rotated: bool, report: &mut Report) {
    // The service's own count: AWSCURRENT, AWSPREVIOUS once the value changes, and AWSPENDING while a rotation goes on.
    let (own, named) = if is_rotated {
        (3, "AWSCURRENT, AWSPREVIOUS and the AWSPENDING of a rotation count")
    } else {
        (2, "AWSCURRENT and AWSPREVIOUS count")
    };
    let most = MAX_STAGING_LABELS - own;
    if let Some((extra, _)) = labels.0.get(most) {
        let message = format!("{} labels, and a secret has room for {most} of its own", labels.0.len());
        report.push(
            Problem::new(&codes::LABEL, extra.span, message)
                .label("one too many")
                .help(format!("all versions of a secret have {MAX_STAGING_LABELS} labels together, and {named}")),
        );
    }
    for (label, version) in &labels.0 {
        match StagingLabel::parse(&label.value) {
            Some(reserved) if reserved.is_reserved() => report.push(
                Problem::new(&codes::LABEL, label.span, format!("{reserved} is moved by Secrets Manager itself"))
                    .label("reserved")
                    .help("declare `value` to say what is current; labels are for names of your own"),
            ),
            Some(_) => {}
            None => report.push(Problem::new(
                &codes::LABEL,
                label.span,
                format!("a label has 1 to 256 characters, this one has {}", label.value.chars().count()),
            )),
        }
        if let Some(version) = version.get()
            && version.value == "git"
            && !has_value
        {
            report.push(
                Problem::new(&codes::LABEL, version.span, "there is no version of git's to hold this label")
                    .label("`git` is the version that holds the committed value")
                    .help("declare `value`, or write the version's id"),
            );
        }
        if let Some(version) = version.get()
            && version.value != "git"
            && !(32..=64).contains(&version.value.len())
        {
            report.push(
                Problem::new(&codes::LABEL, version.span, "a label points to `git` or to a version id")
                    .label("a version id has 32 to 64 characters")
                    .help("`git` is the version that holds the committed value"),
            );
        }
    }
}
