//! PutSecretValue.

use serde::{Deserialize, Serialize};

use super::versions::{self, Placed};
use super::{Context, rotation};
use crate::state::{CURRENT, SecretId};
use crate::wire::{Constraints, Reply, SensitiveBytes, SensitiveText, ServiceError, input, limits};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    secret_id: Option<String>,
    client_request_token: Option<String>,
    secret_binary: Option<SensitiveBytes>,
    secret_string: Option<SensitiveText>,
    version_stages: Option<Vec<String>>,
    rotation_token: Option<SensitiveText>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
    name: &'a str,
    version_id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    version_stages: Vec<&'a str>,
}

pub(super) fn put_secret_value(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: Input = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    constraints.request_token(input.client_request_token.as_deref());
    super::check_value_lengths(&mut constraints, input.secret_binary.as_ref(), input.secret_string.as_ref());
    constraints.count("versionStages", input.version_stages.as_deref(), limits::VERSION_STAGES);
    for (index, label) in input.version_stages.iter().flatten().enumerate() {
        constraints.text(&format!("versionStages.{}.member", index + 1), Some(label), limits::VERSION_STAGE);
    }
    check_rotation_token(&mut constraints, input.rotation_token.as_ref());
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    let token = super::required_token(input.client_request_token)?;
    let value = super::one_value(input.secret_binary, input.secret_string)?
        .ok_or_else(|| ServiceError::invalid_request("You must provide either SecretString or SecretBinary."))?;
    let labels: Vec<&str> = match &input.version_stages {
        Some(labels) => labels.iter().map(String::as_str).collect(),
        None => vec![CURRENT],
    };
    context.write(|writer| {
        let mut found = context.find_origin(writer, &id)?;
        found.refuse_foreign_account(context.caller)?;
        if versions::place(writer, &mut found, &token, &value, &labels)? == Placed::New {
            if found.record.labels.holder(CURRENT) == Some(token.as_str()) {
                rotation::note_new_value(&mut found, writer.now());
            }
            found.save_changed(writer)?;
        }
        let record = &found.record;
        let version_stages = record.labels.of(&token);
        Reply::json(&Output { arn: &record.arn, name: &record.name, version_id: &token, version_stages })
    })
}

/// The token of a rotation function that acts across accounts. The sandbox checks its form and needs it for nothing.
fn check_rotation_token(constraints: &mut Constraints, token: Option<&SensitiveText>) {
    let Some(SensitiveText(token)) = token else { return };
    constraints.sensitive("rotationToken", Some(token.len()), limits::ROTATION_TOKEN);
    let plain = token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    constraints.sensitive_pattern("rotationToken", plain, "^[a-zA-Z0-9\\-]+$");
}
