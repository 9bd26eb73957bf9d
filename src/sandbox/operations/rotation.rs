//! RotateSecret and CancelRotateSecret.

use serde::Deserialize;

use super::rotate;
use super::{Context, SecretOutput};
use crate::clock::Moment;
use crate::faults::RotationOutcome;
use crate::state::{Found, Metadata, PENDING, Rotation, RotationRules, SecretId, Writer};
use crate::wire::{Constraints, ErrorCode, Reply, ServiceError, input, limits};
use keywright_ground::domain::{Schedule, WindowLength};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RotateInput {
    secret_id: Option<String>,
    client_request_token: Option<String>,
    #[serde(rename = "RotationLambdaARN")]
    rotation_lambda_arn: Option<String>,
    rotation_rules: Option<RulesInput>,
    external_secret_rotation_metadata: Option<Vec<MetadataInput>>,
    external_secret_rotation_role_arn: Option<String>,
    rotate_immediately: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RulesInput {
    automatically_after_days: Option<i64>,
    duration: Option<String>,
    schedule_expression: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetadataInput {
    key: Option<String>,
    value: Option<String>,
}

/// What a request changes of a secret's rotation; what it leaves out stays as it was.
struct RotationChange {
    lambda_arn: Option<String>,
    rules: Option<RotationRules>,
    external_metadata: Option<Vec<Metadata>>,
    external_role_arn: Option<String>,
}

/// Configures rotation and, unless RotateImmediately is false, rotates at once.
///
/// The answer of the real service comes before the rotation has run; here it has run when the answer comes. Without
/// RotateImmediately only the `testSecret` step runs, on a version that is removed again.
pub(super) fn rotate_secret(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: RotateInput = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    constraints.request_token(input.client_request_token.as_deref());
    constraints.text("rotationLambdaARN", input.rotation_lambda_arn.as_deref(), limits::ROTATION_LAMBDA_ARN);
    if let Some(rules) = &input.rotation_rules {
        check_rules(&mut constraints, rules);
    }
    let metadata = input.external_secret_rotation_metadata.unwrap_or_default();
    for (index, item) in metadata.iter().enumerate() {
        let member = |part: &str| format!("externalSecretRotationMetadata.{}.member.{part}", index + 1);
        constraints.text(&member("key"), item.key.as_deref(), limits::EXTERNAL_METADATA_KEY);
        constraints.text(&member("value"), item.value.as_deref(), limits::EXTERNAL_METADATA_VALUE);
    }
    let role_arn = input.external_secret_rotation_role_arn;
    constraints.text("externalSecretRotationRoleArn", role_arn.as_deref(), limits::ROLE_ARN);
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    // Other operations say InvalidRequestException.
    let token = input
        .client_request_token
        .ok_or_else(|| ServiceError { code: ErrorCode::InvalidParameter, ..ServiceError::token_missing() })?;
    let change = RotationChange {
        lambda_arn: input.rotation_lambda_arn.filter(|arn| !arn.is_empty()),
        rules: input.rotation_rules.map(read_rules).transpose()?,
        external_metadata: Some(read_metadata(metadata)).filter(|items| !items.is_empty()),
        external_role_arn: role_arn,
    };
    let immediately = input.rotate_immediately.unwrap_or(true);
    // A refusal may come with a change: an unfinished rotation is tried again. So the refusal is an outcome of the
    // transaction, and does not undo it.
    context.write(|writer| {
        let mut found = context.find_primary(writer, &id)?;
        found.refuse_cross_account_replica()?;
        if repeats(writer, &found, &token)? {
            return Ok(Reply::json(&SecretOutput::version(&found, Some(&token))));
        }
        let rotation = configured(&found, change)?;
        let outcome = context.functions.outcome(&found.record.name, rotation.lambda_arn.as_deref());
        if outcome == RotationOutcome::NotInvocable {
            return Err(ServiceError::function_not_invocable());
        }
        if rotate::is_unfinished(&found) {
            rotate::try_again(context, writer, &mut found, outcome)?;
            found.save_changed(writer)?;
            return Ok(Err(ServiceError::rotation_unfinished()));
        }
        rotate::refuse_without_value(&found)?;
        found.record.rotation = Some(rotation);
        schedule(&mut found, writer.now());
        if immediately {
            rotate::run(context, writer, &mut found, &token, outcome)?;
        }
        found.save_changed(writer)?;
        Ok(Reply::json(&SecretOutput::version(&found, Some(&token))))
    })?
}

fn check_rules(constraints: &mut Constraints, rules: &RulesInput) {
    constraints.number("rotationRules.automaticallyAfterDays", rules.automatically_after_days, limits::ROTATION_DAYS);
    if let Some(duration) = &rules.duration {
        constraints.text("rotationRules.duration", Some(duration), limits::ROTATION_DURATION);
        let digits = duration.strip_suffix('h').unwrap_or_default();
        let matches = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        constraints.pattern("rotationRules.duration", duration, matches, "[0-9]+h");
    }
    if let Some(expression) = &rules.schedule_expression {
        constraints.text("rotationRules.scheduleExpression", Some(expression), limits::SCHEDULE_EXPRESSION);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"()#?*-/, ".contains(&byte);
        let matches = expression.bytes().all(plain);
        let pattern = "[0-9A-Za-z\\(\\)#\\?\\*\\-\\/, ]+";
        constraints.pattern("rotationRules.scheduleExpression", expression, matches, pattern);
    }
}

/// The texts for a wrong expression and a wrong duration are not known from the real service.
fn read_rules(rules: RulesInput) -> Result<RotationRules, ServiceError> {
    let RulesInput { automatically_after_days: days, duration, schedule_expression: expression } = rules;
    if days.is_some() && expression.is_some() {
        return Err(ServiceError::invalid_parameter(
            "You cannot specify both rotation frequency and schedule expression together.",
        ));
    }
    if let Some(expression) = &expression
        && Schedule::parse(expression).is_err()
    {
        return Err(ServiceError::invalid_parameter("Invalid ScheduleExpression."));
    }
    let rules = RotationRules { days, duration, expression };
    let fits = |duration: &String| {
        let length = WindowLength::parse(duration);
        length.and_then(|length| rules.schedule().map_or(Ok(()), |schedule| schedule.check_window(length))).is_ok()
    };
    if !rules.duration.iter().all(fits) {
        return Err(ServiceError::invalid_parameter("Invalid rotation window Duration."));
    }
    Ok(rules)
}

fn read_metadata(items: Vec<MetadataInput>) -> Vec<Metadata> {
    let read =
        |item: MetadataInput| Metadata { key: item.key.unwrap_or_default(), value: item.value.unwrap_or_default() };
    items.into_iter().map(read).collect()
}

/// Whether a request is a repetition: its token is that of a version that its rotation made.
fn repeats(writer: &Writer<'_>, found: &Found, token: &str) -> Result<bool, ServiceError> {
    let record = &found.record;
    if writer.version(record.serial, token)?.is_none() {
        return Ok(false);
    }
    if record.labels.versions().contains(token) {
        return Ok(true);
    }
    // The operation documents no ResourceExistsException.
    Err(ServiceError { code: ErrorCode::InvalidRequest, ..ServiceError::token_in_use(token, &record.arn) })
}

/// Services that rotate the secrets that they manage ("Managed rotation" in the user guide).
const ROTATING_SERVICES: [&str; 4] = ["ecs-sc", "docdb", "rds", "redshift"];

/// A secret's rotation as it will be. A managed external secret (one with a Type) rotates without a function of its
/// owner's, and so does one that a service manages: there only the rules can be changed.
fn configured(found: &Found, change: RotationChange) -> Result<Rotation, ServiceError> {
    let RotationChange { lambda_arn, rules, external_metadata, external_role_arn } = change;
    let service = found.record.owning_service.as_deref();
    let by_rules_alone = lambda_arn.is_none() && external_role_arn.is_none() && external_metadata.is_none();
    if service.is_some_and(|service| !by_rules_alone || !ROTATING_SERVICES.contains(&service)) {
        return Err(ServiceError::managed_by_service());
    }
    let former = found.record.rotation.clone().unwrap_or_default();
    let rotation = Rotation {
        enabled: true,
        lambda_arn: lambda_arn.or(former.lambda_arn),
        rules: rules.or(former.rules),
        external_metadata: external_metadata.or(former.external_metadata),
        external_role_arn: external_role_arn.or(former.external_role_arn),
        ..former
    };
    let external = found.record.kind.is_some() && rotation.external_role_arn.is_some();
    if rotation.lambda_arn.is_none() && !external && service.is_none() {
        return Err(ServiceError::no_rotation_function());
    }
    Ok(rotation)
}

/// Computes the next window from a moment.
fn schedule(found: &mut Found, from: Moment) {
    if let Some(rotation) = &mut found.record.rotation {
        let rules = rotation.rules.as_ref().filter(|_| rotation.enabled);
        rotation.window = rules.and_then(|rules| rules.next_window(from));
    }
}

/// A new value counts as a rotation where the rules are a number of days (documented): the next one comes that many
/// days later.
pub(super) fn note_new_value(found: &mut Found, now: Moment) {
    let rotation = found.record.rotation.as_ref();
    if rotation.and_then(|rotation| rotation.rules.as_ref()).is_some_and(|rules| rules.days.is_some()) {
        schedule(found, now);
    }
}

/// How often each secret has rotated while what was overdue is settled.
#[derive(Default)]
pub(super) struct Overdue(std::collections::HashMap<u64, u32>);

/// A clock that jumps by years would rotate a secret more often than anybody wants to wait for. Beyond this many
/// rotations of a secret at once, the windows that are left are passed over.
const MAX_OVERDUE: u32 = 500;

/// Rotates a secret whose window has opened. The next window comes whether this rotation succeeds or not.
pub(super) fn rotate_if_due(
    context: &Context<'_>,
    writer: &Writer<'_>,
    found: &mut Found,
    overdue: &mut Overdue,
) -> Result<(), ServiceError> {
    let window = found.record.rotation.as_ref().and_then(|rotation| rotation.window);
    let Some(window) = window.filter(|window| window.opens <= writer.now()) else { return Ok(()) };
    let count = overdue.0.entry(found.record.serial).or_default();
    *count += 1;
    schedule(found, if *count > MAX_OVERDUE { context.now } else { window.opens });
    let lambda_arn = found.record.rotation.as_ref().and_then(|rotation| rotation.lambda_arn.as_deref());
    let outcome = context.functions.outcome(&found.record.name, lambda_arn);
    if rotate::is_unfinished(found) {
        rotate::try_again(context, writer, found, outcome)?;
    } else if rotate::refuse_without_value(found).is_ok() && outcome != RotationOutcome::NotInvocable {
        // The real service makes up an identifier of this kind.
        let token = context.new_version_id();
        match rotate::run(context, writer, found, &token, outcome) {
            Err(error) if error.code == ErrorCode::InternalServiceError => return Err(error),
            // A secret that cannot rotate, for its many labels, must not stop what is due of others.
            _ => {}
        }
    }
    found.save_changed(writer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CancelInput {
    secret_id: Option<String>,
}

/// Turns rotation off. Function and rules stay, for the day when it is turned on again, and so does AWSPENDING
/// (documented). What a secret that never rotated gets is not known from the real service.
pub(super) fn cancel_rotate_secret(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: CancelInput = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    context.write(|writer| {
        let mut found = context.find_origin(writer, &id)?;
        let rotation = found.record.rotation.as_mut().ok_or_else(ServiceError::no_rotation_function)?;
        rotation.enabled = false;
        rotation.window = None;
        rotation.unfinished = None;
        found.save_changed(writer)?;
        let pending = found.record.labels.holder(PENDING);
        Reply::json(&SecretOutput::version(&found, pending))
    })
}
