//! What exists before anything happens: secrets from a text in YAML, as a test or a rehearsal needs them.
//!
//! Each is made by the operations of the service, so that there is nothing among them that a client could not have
//! made, but for the service that owns a secret. All of it is one change.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::home::{DEFAULT_ACCOUNT, Home, is_account};
use crate::operations::{self, Context};
use crate::state::{StoreError, Tag, Writer};
use crate::wire::ServiceError;

/// The tag that AWS sets on a secret which one of its services owns.
const OWNING_SERVICE_TAG: &str = "aws:secretsmanager:owningService";

/// The region of a secret that names none.
const DEFAULT_REGION: &str = "us-east-1";

/// Why no fixture was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FixtureError {
    /// The text is not YAML, or says something that a fixture cannot say.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// The line, counted from 1; 0 if it is not known.
        line: usize,
        /// The column, counted from 1; 0 if it is not known.
        column: usize,
        /// What is wrong there. It never quotes a value of a secret.
        message: String,
    },
    /// The service would not make such a secret.
    #[error("the secret {name} cannot be made: {message} ({code})")]
    Refused {
        /// The name of the secret.
        name: String,
        /// The service's error code.
        code: String,
        /// The service's message.
        message: String,
    },
    /// The store failed.
    #[error("the store failed: {0}")]
    Failed(String),
}

impl From<ServiceError> for FixtureError {
    fn from(error: ServiceError) -> Self {
        Self::Failed(error.message.into_owned())
    }
}

impl From<StoreError> for FixtureError {
    fn from(error: StoreError) -> Self {
        ServiceError::from(error).into()
    }
}

/// The secrets that a text describes.
pub(crate) struct Fixtures(Vec<Fixture>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fixture {
    name: String,
    account: Option<String>,
    region: Option<String>,
    description: Option<String>,
    r#type: Option<String>,
    kms_key_id: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    policy: Option<Value>,
    value: Option<Sensitive>,
    binary: Option<Sensitive>,
    version_id: Option<String>,
    owning_service: Option<String>,
    #[serde(default)]
    replicas: Vec<ReplicaFixture>,
    cross_account_primary: Option<PrimaryFixture>,
    rotation: Option<RotationFixture>,
    scheduled_for_deletion: Option<DeletionFixture>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReplicaFixture {
    region: String,
    kms_key_id: Option<String>,
}

/// The primary of a replica: a secret of another account that is there already, in the same region.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PrimaryFixture {
    account: String,
    name: String,
    /// Whether the primary's owner has associated the replica.
    #[serde(default = "associated")]
    associated: bool,
}

fn associated() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RotationFixture {
    lambda_arn: Option<String>,
    schedule: Option<String>,
    every_days: Option<i64>,
    duration: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "true, false, or a map such as { recoveryWindowDays: 7 }")]
enum DeletionFixture {
    Plain(bool),
    #[serde(rename_all = "camelCase")]
    Within {
        recovery_window_days: i64,
    },
}

/// A value. What is wrong with it is said without quoting it.
struct Sensitive(Zeroizing<String>);

impl<'de> Deserialize<'de> for Sensitive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        const NO_TEXT: &str = "the value of a secret is a text: put it in quotes";
        impl<'de> Visitor<'de> for Text {
            type Value = Sensitive;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Sensitive, E> {
                Ok(Sensitive(Zeroizing::new(text.to_owned())))
            }

            fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Sensitive, E> {
                Err(E::custom(NO_TEXT))
            }

            fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Sensitive, E> {
                Err(E::custom(NO_TEXT))
            }

            fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Sensitive, E> {
                Err(E::custom(NO_TEXT))
            }

            fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Sensitive, E> {
                Err(E::custom(NO_TEXT))
            }

            // Numbers that are too large for these.
            fn visit_i128<E: serde::de::Error>(self, _: i128) -> Result<Sensitive, E> {
                Err(E::custom(NO_TEXT))
            }

            fn visit_u128<E: serde::de::Error>(self, _: u128) -> Result<Sensitive, E> {
                Err(E::custom(NO_TEXT))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Sensitive, A::Error> {
                Err(A::Error::custom(NO_TEXT))
            }

            fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Sensitive, A::Error> {
                Err(A::Error::custom(NO_TEXT))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

/// Reads a text.
pub(crate) fn read(text: &str) -> Result<Fixtures, FixtureError> {
    if text.trim().is_empty() {
        return Ok(Fixtures(Vec::new()));
    }
    let fixtures: Vec<Fixture> = serde_yaml::from_str(text).map_err(|error| {
        let (line, column) = error.location().map_or((0, 0), |location| (location.line(), location.column()));
        let message = error.to_string();
        // The parser repeats the place behind the message.
        let message = message.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&message).to_owned();
        FixtureError::Syntax { line, column, message }
    })?;
    Ok(Fixtures(fixtures))
}

/// Makes those secrets that do not exist; how many these were.
pub(crate) fn make_all(context: &Context<'_>, Fixtures(fixtures): Fixtures) -> Result<usize, FixtureError> {
    operations::run_due(context)?;
    context.store.write(context.now, |writer| {
        let mut made = 0;
        for fixture in fixtures {
            let account = fixture.account.clone().unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned());
            if !is_account(&account) {
                let (name, code) = (fixture.name, "InvalidAccount".to_owned());
                return Err(FixtureError::Refused { name, code, message: "an account has twelve digits".to_owned() });
            }
            let home = Home::new(&account, fixture.region.as_deref().unwrap_or(DEFAULT_REGION));
            if writer.secret(&home, &fixture.name)?.is_none() {
                let context = Context { caller: &home, within: Some(writer), ..*context };
                make(&context, writer, &fixture)?;
                made += 1;
            }
        }
        Ok(made)
    })
}

/// Makes one secret: an operation for each part of it, in the order in which a client would call them.
fn make(context: &Context<'_>, writer: &Writer<'_>, fixture: &Fixture) -> Result<(), FixtureError> {
    let Fixture { name, policy, rotation, owning_service, scheduled_for_deletion, .. } = fixture;
    create(context, writer, fixture)?;
    if let Some(policy) = policy {
        let text = policy.as_str().map_or_else(|| policy.to_string(), str::to_owned);
        call(context, name, "PutResourcePolicy", json!({"SecretId": name, "ResourcePolicy": text}))?;
    }
    // First, since a service rotates what it manages without a function.
    if let Some(service) = owning_service {
        set_owning_service(writer, context.caller, name, service)?;
    }
    if let Some(rotation) = rotation {
        configure_rotation(context, name, rotation)?;
    }
    let window = match scheduled_for_deletion {
        None | Some(DeletionFixture::Plain(false)) => return Ok(()),
        Some(DeletionFixture::Plain(true)) => None,
        Some(DeletionFixture::Within { recovery_window_days }) => Some(*recovery_window_days),
    };
    call(context, name, "DeleteSecret", json!({"SecretId": name, "RecoveryWindowInDays": window}))
}

/// Calls an operation. Members that are null are left out.
fn call(context: &Context<'_>, name: &str, operation: &str, mut members: Value) -> Result<(), FixtureError> {
    strip_nulls(&mut members);
    // The body holds the value.
    let body = Zeroizing::new(members.to_string());
    operations::run(context, operation, body.as_bytes()).map(drop).map_err(|error| FixtureError::Refused {
        name: name.to_owned(),
        code: error.code.name().to_owned(),
        message: error.message.into_owned(),
    })
}

fn create(context: &Context<'_>, writer: &Writer<'_>, fixture: &Fixture) -> Result<(), FixtureError> {
    let primary = fixture.cross_account_primary.as_ref();
    let primary_home = primary.map(|primary| Home::new(&primary.account, &context.caller.region));
    let primary_arn = match (primary, &primary_home) {
        (Some(primary), Some(home)) => arn_of(writer, home, &primary.name, &fixture.name)?,
        _ => None,
    };
    let tags = fixture.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value}));
    let replicas =
        fixture.replicas.iter().map(|replica| json!({"Region": replica.region, "KmsKeyId": replica.kms_key_id}));
    let replicas: Vec<Value> = replicas.collect();
    let token = fixture.version_id.clone().unwrap_or_else(|| context.new_version_id());
    let members = json!({
        "Name": fixture.name,
        "ClientRequestToken": token,
        "Description": fixture.description,
        "Type": fixture.r#type,
        "KmsKeyId": fixture.kms_key_id,
        "Tags": tags.collect::<Vec<Value>>(),
        "SecretString": fixture.value.as_ref().map(|value| value.0.as_str()),
        "SecretBinary": fixture.binary.as_ref().map(|value| value.0.as_str()),
        "AddReplicaRegions": (!replicas.is_empty()).then_some(replicas),
        "CrossAccountPrimaryARN": primary_arn,
    });
    call(context, &fixture.name, "CreateSecret", members)?;
    if let (Some(primary), Some(home)) = (primary.filter(|primary| primary.associated), &primary_home) {
        let replica = arn_of(writer, context.caller, &fixture.name, &fixture.name)?;
        let members = json!({
            "SecretId": primary.name, "CrossAccountReplicaARN": replica, "ReplicaRestriction": "NoRestriction"
        });
        call(&Context { caller: home, ..*context }, &fixture.name, "AssociateCrossAccountReplica", members)?;
    }
    Ok(())
}

/// The ARN of a secret that a fixture needs.
fn arn_of(writer: &Writer<'_>, home: &Home, name: &str, fixture: &str) -> Result<Option<String>, FixtureError> {
    let found = writer.secret(home, name)?;
    found.map(|record| Some(record.arn)).ok_or_else(|| FixtureError::Refused {
        name: fixture.to_owned(),
        code: "ResourceNotFoundException".to_owned(),
        message: format!("its primary {name} in account {} must stand before it", home.account),
    })
}

fn configure_rotation(context: &Context<'_>, name: &str, rotation: &RotationFixture) -> Result<(), FixtureError> {
    let RotationFixture { lambda_arn, schedule, every_days, duration } = rotation;
    let mut rules = json!({
        "ScheduleExpression": schedule, "AutomaticallyAfterDays": every_days, "Duration": duration
    });
    strip_nulls(&mut rules);
    let rules = rules.as_object().is_some_and(|members| !members.is_empty()).then_some(rules);
    let members = json!({
        "SecretId": name, "ClientRequestToken": context.new_version_id(), "RotationLambdaARN": lambda_arn,
        "RotationRules": rules, "RotateImmediately": false
    });
    call(context, name, "RotateSecret", members)
}

fn strip_nulls(members: &mut Value) {
    fn strip(members: &mut Map<String, Value>) {
        members.retain(|_, value| !value.is_null());
        for value in members.values_mut().flat_map(|value| value.as_array_mut().into_iter().flatten()) {
            strip_nulls(value);
        }
    }
    if let Value::Object(members) = members {
        strip(members);
    }
}

/// Gives a secret to a service, as no operation can; false if there is no such secret.
pub(crate) fn set_owning_service(
    writer: &Writer<'_>,
    home: &Home,
    name: &str,
    service: &str,
) -> Result<bool, StoreError> {
    let Some(mut record) = writer.secret(home, name)? else { return Ok(false) };
    record.owning_service = Some(service.to_owned());
    let tags = record.tags.get_or_insert_default();
    tags.retain(|tag| tag.key != OWNING_SERVICE_TAG);
    tags.push(Tag { key: OWNING_SERVICE_TAG.to_owned(), value: service.to_owned() });
    writer.save(home, &record)?;
    Ok(true)
}
