//! `spec.rotation`, `spec.replicas` and `spec.labels`.

use std::collections::HashMap;

use super::super::codes;
use super::super::diagnostic::{Problem, Report};
use super::super::field::{Field, Map};
use super::super::schema::{ReplicaSpec, RotationSpec};
use super::super::source::Span;
use super::arn::{Arn, Home, check_home, check_kms_key};
use super::name::{is_account, is_region};
use super::schedule::{ScheduleFault, check_duration, check_schedule};
use super::{in_range, required};

/// Checks a rotation. `key` is the place of `rotation`.
pub(crate) fn check_rotation(rotation: &RotationSpec, key: Span, home: Home<'_>, report: &mut Report) {
    if let Some(lambda) = required(&rotation.lambda_arn, "Secret.spec.rotation.lambdaArn", key, report) {
        match Arn::parse(&lambda.value).filter(|arn| is_function(*arn)) {
            Some(arn) => check_home(arn, lambda.span, home, report),
            None => report.push(
                Problem::new(
                    &codes::ROTATION,
                    lambda.span,
                    format!("`{}` is not the ARN of a Lambda function", lambda.value),
                )
                .label("expected arn:aws:lambda:REGION:ACCOUNT:function:NAME"),
            ),
        }
    }
    let interval = match (rotation.schedule.get(), rotation.every_days.get()) {
        (Some(schedule), Some(days)) => {
            report.push(
                Problem::new(&codes::ROTATION, days.span, "a rotation has either `schedule` or `everyDays`, not both")
                    .label("either this")
                    .related(schedule.span, "or this"),
            );
            None
        }
        (Some(schedule), None) => match check_schedule(&schedule.value) {
            Ok(hours) => Some(hours),
            Err(fault) => {
                report.push(schedule_problem(&codes::ROTATION_SCHEDULE, schedule.span, fault));
                None
            }
        },
        (None, Some(_)) => in_range(&rotation.every_days, &codes::ROTATION, "everyDays", 1..=1000, report)
            .and_then(|days| u32::try_from(days * 24).ok()),
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
    };
    if let Some(duration) = rotation.duration.get() {
        match (check_duration(&duration.value), interval) {
            (Err(fault), _) => report.push(schedule_problem(&codes::ROTATION_DURATION, duration.span, fault)),
            (Ok(window), Some(interval)) if window > interval || (window == interval && interval < 24) => report.push(
                Problem::new(
                    &codes::ROTATION_DURATION,
                    duration.span,
                    format!("a window of {window} hours doesn't end before the next one begins"),
                )
                .label(format!("it rotates every {interval} hours")),
            ),
            _ => {}
        }
    }
}

fn schedule_problem(code: &'static codes::Code, span: Span, fault: ScheduleFault) -> Problem {
    Problem::new(code, span, fault.message).help_if(fault.help)
}

fn is_function(arn: Arn<'_>) -> bool {
    arn.service == "lambda"
        && is_region(arn.region)
        && is_account(arn.account)
        && arn.resource.strip_prefix("function:").is_some_and(|name| {
            let (name, qualifier) = name.split_once(':').unwrap_or((name, "LATEST"));
            let plain = |text: &str| {
                !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'$'))
            };
            plain(name) && plain(qualifier)
        })
}

/// Checks replicas.
pub(crate) fn check_replicas(replicas: &[Field<ReplicaSpec>], home: Home<'_>, report: &mut Report) {
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for replica in replicas.iter().filter_map(Field::get) {
        let start = Span { end: replica.span.start, ..replica.span };
        let Some(region) = required(&replica.value.region, "Secret.spec.replicas.region", start, report) else {
            continue;
        };
        if !is_region(&region.value) {
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
        if let Some(&first) = seen.get(region.value.as_str()) {
            report.push(
                Problem::new(&codes::REPLICA, region.span, format!("two replicas in {}", region.value))
                    .label("again here")
                    .related(first, "first here"),
            );
        }
        seen.insert(&region.value, region.span);
        if let Some((key, span)) = replica.value.kms_key_id.set() {
            check_kms_key(key, span, Home { region: &region.value, ..home }, report);
        }
    }
}

/// Checks staging labels.
pub(crate) fn check_labels(labels: &Map<String>, has_value: bool, report: &mut Report) {
    for (label, version) in &labels.0 {
        let length = label.value.chars().count();
        if matches!(label.value.as_str(), "AWSCURRENT" | "AWSPREVIOUS" | "AWSPENDING") {
            report.push(
                Problem::new(&codes::LABEL, label.span, format!("{} is moved by Secrets Manager itself", label.value))
                    .label("reserved")
                    .help("declare `value` to say what is current; labels are for names of your own"),
            );
        } else if !(1..=256).contains(&length) {
            report.push(Problem::new(
                &codes::LABEL,
                label.span,
                format!("a label has 1 to 256 characters, this one has {length}"),
            ));
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
