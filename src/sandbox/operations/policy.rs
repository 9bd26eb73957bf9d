//! GetResourcePolicy, PutResourcePolicy, DeleteResourcePolicy and ValidateResourcePolicy.
//!
//! Policies are checked and kept; the sandbox evaluates none of them, but for the question whether one shuts its caller
//! out.

use serde::{Deserialize, Serialize};

use super::{Context, SecretOutput};
use crate::policy::PolicyDocument;
use crate::sandbox::auth::{lock_out, policy_text};
use crate::sandbox::home::partition;
use crate::sandbox::state::SecretId;
use crate::sandbox::wire::{Constraints, ErrorCode, Reply, ServiceError, input, limits};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretIdInput {
    secret_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetOutput<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_policy: Option<&'a str>,
}

/// That a secret scheduled for deletion is refused is not proven for the policy operations; the error is documented
/// for them.
pub(super) fn get_resource_policy(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let id = named_secret(body)?;
    context.read(|reader| {
        let found = context.find_live(reader, &id)?;
        let policy = reader.policy(found.record.serial)?;
        Reply::json(&GetOutput { arn: &found.record.arn, name: &found.record.name, resource_policy: policy.as_deref() })
    })
}

/// Deleting where there is no policy succeeds (documented by what Terraform and others rely on) and changes nothing.
pub(super) fn delete_resource_policy(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let id = named_secret(body)?;
    context.write(|writer| {
        let mut found = context.find_primary(writer, &id)?;
        if writer.policy(found.record.serial)?.is_some() {
            writer.save_policy(found.record.serial, None)?;
            found.save_changed(writer)?;
        }
        Reply::json(&SecretOutput::secret(&found))
    })
}

fn named_secret(body: &[u8]) -> Result<SecretId, ServiceError> {
    let input: SecretIdInput = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    constraints.finish()?;
    SecretId::parse(&id)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutInput {
    secret_id: Option<String>,
    resource_policy: Option<String>,
    block_public_policy: Option<bool>,
}

/// The text is not kept as it was sent: the service writes the document in a layout of its own, with ARNs for the ids
/// of accounts.
pub(super) fn put_resource_policy(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: PutInput = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    let text = constraints.required_text("resourcePolicy", input.resource_policy, limits::RESOURCE_POLICY);
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    context.write(|writer| {
        let mut found = context.find_primary(writer, &id)?;
        let policy = checked(&text)?;
        if input.block_public_policy.unwrap_or(false) && policy.grants_broad_access() {
            return Err(ServiceError::new(ErrorCode::PublicPolicy, BROAD_ACCESS));
        }
        let kept = policy_text::with_root_arns(policy.as_written().clone(), &partition(&context.caller.region));
        writer.save_policy(found.record.serial, Some(&policy_text::laid_out(&kept)))?;
        found.save_changed(writer)?;
        Reply::json(&SecretOutput::secret(&found))
    })
}

const BROAD_ACCESS: &str = "You can't attach a resource-based policy that allows broad access to the secret.";

const LOCK_OUT: &str = "Your requested changes will not allow you to manage this secret in the future.";

/// Checks a policy. The service names principals that it does not take, and says of everything else that the syntax
/// is wrong.
fn checked(text: &str) -> Result<PolicyDocument, ServiceError> {
    PolicyDocument::parse(text).map_err(|problems| {
        let all_about = |part: &str| problems.iter().all(|problem| problem.pointer.contains(part));
        let message = if all_about("/Principal/AWS") {
            "This resource policy contains an unsupported principal."
        } else if all_about("/Principal/Service") {
            "This resource policy contains an invalid service principal."
        } else {
            "This resource policy contains a syntax error."
        };
        ServiceError::new(ErrorCode::MalformedPolicyDocument, message)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ValidateInput {
    secret_id: Option<String>,
    resource_policy: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ValidateOutput {
    policy_validation_passed: bool,
    validation_errors: Vec<ValidationProblem>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ValidationProblem {
    check_name: &'static str,
    error_message: &'static str,
}

/// A policy with a syntax error is the error that PutResourcePolicy gives. One that opens the secret to everyone, or
/// shuts the caller out, is a failed check (both are documented; the checks' names are not known from the real
/// service). PutResourcePolicy documents no error for a policy that shuts its caller out, and takes it.
pub(super) fn validate_resource_policy(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: ValidateInput = input(body)?;
    let mut constraints = Constraints::new();
    constraints.text("secretId", input.secret_id.as_deref(), limits::SECRET_ID);
    let text = constraints.required_text("resourcePolicy", input.resource_policy, limits::RESOURCE_POLICY);
    constraints.finish()?;
    let id = input.secret_id.as_deref().map(SecretId::parse).transpose()?;
    if let Some(id) = id {
        context.read(|reader| context.find_live(reader, &id).map(drop))?;
    }
    let policy = checked(&text)?;
    let broad_access = ValidationProblem { check_name: "BLOCK_PUBLIC_POLICY", error_message: BROAD_ACCESS };
    let lock_out = ValidationProblem { check_name: "LOCK_OUT", error_message: LOCK_OUT };
    let broad = policy.grants_broad_access().then_some(broad_access);
    let shut_out = lock_out::shuts_out(&policy, &context.caller.account, context.role).then_some(lock_out);
    let validation_errors: Vec<_> = [broad, shut_out].into_iter().flatten().collect();
    Reply::json(&ValidateOutput { policy_validation_passed: validation_errors.is_empty(), validation_errors })
}
