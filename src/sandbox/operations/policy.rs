//! ListResourcePolicies, GetResourcePolicy, PutResourcePolicy, DeleteResourcePolicy and ValidateResourcePolicy.
//!
//! Policies are checked and kept; the sandbox evaluates none of them, but for the question whether one shuts its caller
//! out. The policy that clients write is named `default`; a replica of another account's secret has a managed one too.

use serde::{Deserialize, Serialize};

use super::cross_account;
use super::{Context, cut, page_size};
use crate::auth::{lock_out, policy_text};
use crate::clock::Moment;
use crate::home::partition;
use crate::state::cross_account::MANAGED_POLICY;
use crate::state::{Found, SecretId};
use crate::wire::{Constraints, ErrorCode, Place, Query, Reply, ServiceError, input, limits};
use keywright_ground::policy::PolicyDocument;

/// The policy that operations mean where none is named, and the only one that can be changed.
const DEFAULT_POLICY: &str = "default";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NamedInput {
    secret_id: Option<String>,
    policy_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_policy: Option<&'a str>,
    policy_name: &'a str,
}

impl<'a> Output<'a> {
    fn of(found: &'a Found, policy_name: &'a str) -> Self {
        Self { arn: &found.record.arn, name: &found.record.name, resource_policy: None, policy_name }
    }
}

/// That a secret scheduled for deletion is refused is not proven for the policy operations; the error is documented
/// for them.
pub(super) fn get_resource_policy(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let (id, name) = named(body)?;
    context.read(|reader| {
        let found = context.find_live(reader, &id)?;
        let policy = match name.as_str() {
            DEFAULT_POLICY => reader.policy(found.record.serial)?,
            MANAGED_POLICY => cross_account::managed_policy(&found.record).map(|policy| policy_text::laid_out(&policy)),
            _ => None,
        };
        if policy.is_none() && name != DEFAULT_POLICY {
            return Err(ServiceError::policy_not_found(&name));
        }
        Reply::json(&Output { resource_policy: policy.as_deref(), ..Output::of(&found, &name) })
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListInput {
    secret_id: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListOutput<'a> {
    resource_policies: Vec<Summary<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary<'a> {
    policy_name: &'a str,
}

/// The names of a secret's policies: `default` first, the others by the alphabet (documented).
pub(super) fn list_resource_policies(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: ListInput = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    constraints.number("maxResults", input.max_results, limits::LIST_PAGE);
    constraints.next_token(input.next_token.as_deref());
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    let size = page_size(input.max_results, &limits::LIST_PAGE);
    context.read(|reader| {
        let found = context.find_live(reader, &id)?;
        let query = Query::new(&("ListResourcePolicies", &found.record.arn));
        let after = input.next_token.as_deref().map(|token| query.place(token)).transpose()?;
        let default = reader.policy(found.record.serial)?.map(|_| DEFAULT_POLICY);
        let managed = found.record.cross_account_primary.as_ref().map(|_| MANAGED_POLICY);
        // False comes before true, and `default` before every other name.
        let order = |name: &str| (name != DEFAULT_POLICY, name.to_owned());
        let behind = |name: &&str| after.as_ref().is_none_or(|after| order(name) > order(&after.name));
        let mut names: Vec<&str> = [default, managed].into_iter().flatten().filter(behind).collect();
        let place = |name: &&str| Place { date: Moment(0), serial: 0, name: (*name).to_owned() };
        let next_token = cut(&mut names, size).map(|name| query.token(&place(name)));
        let resource_policies = names.into_iter().map(|policy_name| Summary { policy_name }).collect();
        Reply::json(&ListOutput { resource_policies, next_token })
    })
}

/// Deleting where there is no policy succeeds (documented by what Terraform and others rely on) and changes nothing.
pub(super) fn delete_resource_policy(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let (id, name) = named(body)?;
    refuse_other_name(&name)?;
    context.write(|writer| {
        let mut found = context.find_primary(writer, &id)?;
        if writer.policy(found.record.serial)?.is_some() {
            writer.save_policy(found.record.serial, None)?;
            found.save_changed(writer)?;
        }
        Reply::json(&Output::of(&found, &name))
    })
}

/// The secret and the policy of a request.
fn named(body: &[u8]) -> Result<(SecretId, String), ServiceError> {
    let input: NamedInput = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    check_name(&mut constraints, input.policy_name.as_deref());
    constraints.finish()?;
    Ok((SecretId::parse(&id)?, input.policy_name.unwrap_or_else(|| DEFAULT_POLICY.to_owned())))
}

fn check_name(constraints: &mut Constraints, name: Option<&str>) {
    constraints.text("policyName", name, limits::POLICY_NAME);
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        let matches = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        constraints.pattern("policyName", name, matches, "[0-9A-Za-z\\-\\_]+");
    }
}

/// Only the default policy can be changed (documented). Whether that is checked before the secret is looked for is not
/// known.
fn refuse_other_name(name: &str) -> Result<(), ServiceError> {
    if name == DEFAULT_POLICY { Ok(()) } else { Err(ServiceError::only_default_policy(name)) }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutInput {
    secret_id: Option<String>,
    resource_policy: Option<String>,
    policy_name: Option<String>,
    block_public_policy: Option<bool>,
}

/// The text is not kept as it was sent: the service writes the document in a layout of its own, with ARNs for the ids
/// of accounts.
pub(super) fn put_resource_policy(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: PutInput = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    let text = constraints.required_text("resourcePolicy", input.resource_policy, limits::RESOURCE_POLICY);
    check_name(&mut constraints, input.policy_name.as_deref());
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    refuse_other_name(input.policy_name.as_deref().unwrap_or(DEFAULT_POLICY))?;
    context.write(|writer| {
        let mut found = context.find_primary(writer, &id)?;
        let policy = checked(&text)?;
        if input.block_public_policy.unwrap_or(false) && policy.grants_broad_access() {
            return Err(ServiceError::new(ErrorCode::PublicPolicy, BROAD_ACCESS));
        }
        let kept = policy_text::with_root_arns(policy.as_written().clone(), &partition(&context.caller.region));
        writer.save_policy(found.record.serial, Some(&policy_text::laid_out(&kept)))?;
        found.save_changed(writer)?;
        Reply::json(&Output::of(&found, DEFAULT_POLICY))
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
    let shut_out = lock_out::shuts_out(&policy, &context.caller.account, context.named).then_some(lock_out);
    let validation_errors: Vec<_> = [broad, shut_out].into_iter().flatten().collect();
    Reply::json(&ValidateOutput { policy_validation_passed: validation_errors.is_empty(), validation_errors })
}
