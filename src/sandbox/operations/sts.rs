//! STS, as far as a client of Secrets Manager needs it: GetCallerIdentity and AssumeRole.
//!
//! AssumeRole checks the form of its input and trusts everybody: the sandbox has no IAM. The keys that it hands out
//! carry the role's account.

use std::collections::HashMap;

use crate::auth::{AssumedRole, Caller, is_path, is_plain_name, temporary_key};
use crate::clock::Moment;
use crate::home::is_account;
use crate::wire::query::escape;
use crate::wire::{Constraints, ErrorCode, Reply, ServiceError, limits};

/// Runs an action.
pub(crate) fn run(caller: &Caller, action: &str, parameters: &[u8], now: Moment) -> Result<Reply, ServiceError> {
    match action {
        "GetCallerIdentity" => Ok(Reply::Xml { action: "GetCallerIdentity", result: caller_identity(caller) }),
        "AssumeRole" => Ok(Reply::Xml { action: "AssumeRole", result: assume_role(parameters, now)? }),
        other => {
            let message = format!("Could not find operation {other} for version 2011-06-15");
            Err(ServiceError::new(ErrorCode::UnknownOperation, message))
        }
    }
}

fn caller_identity(caller: &Caller) -> String {
    let account = &caller.home.account;
    let user_id = caller.principal_id();
    let arn = caller.arn();
    format!("<Arn>{}</Arn><UserId>{}</UserId><Account>{}</Account>", escape(&arn), escape(&user_id), escape(account))
}

fn assume_role(parameters: &[u8], now: Moment) -> Result<String, ServiceError> {
    let mut parameters: HashMap<_, _> = url::form_urlencoded::parse(parameters).into_owned().collect();
    let mut constraints = Constraints::new();
    let role_arn = constraints.required_text("roleArn", parameters.remove("RoleArn"), limits::ROLE_ARN);
    let session =
        constraints.required_text("roleSessionName", parameters.remove("RoleSessionName"), limits::ROLE_SESSION_NAME);
    if !session.is_empty() {
        constraints.pattern("roleSessionName", &session, is_plain_name(&session), "[\\w+=,.@-]*");
    }
    let duration = parameters
        .remove("DurationSeconds")
        .map(|text| text.parse::<i64>().map_err(|_| ServiceError::validation("DurationSeconds is not a whole number")));
    let duration = duration.transpose()?;
    constraints.number("durationSeconds", duration, limits::ROLE_SESSION_SECONDS);
    constraints.finish()?;
    let Some((partition, account, path, role)) = parse_role(&role_arn) else {
        return Err(ServiceError::validation(format!("{role_arn} is invalid")));
    };
    let expires = Moment(now.0.saturating_add(duration.unwrap_or(limits::DEFAULT_ROLE_SESSION_SECONDS) * 1000));
    let expires =
        jiff::Timestamp::from_millisecond(expires.0 - expires.0.rem_euclid(1000)).unwrap_or(jiff::Timestamp::MAX);
    let token = AssumedRole { path: path.to_owned(), role: role.to_owned(), session: session.clone() }.to_token();
    Ok(format!(
        "<AssumedRoleUser><AssumedRoleId>AROASANDBOX{account}:{session}</AssumedRoleId>\
         <Arn>arn:{partition}:sts::{account}:assumed-role/{role}/{session}</Arn></AssumedRoleUser>\
         <Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>sandbox</SecretAccessKey>\
         <SessionToken>{token}</SessionToken><Expiration>{expires}</Expiration></Credentials>",
        temporary_key(account),
    ))
}

/// The partition, account, path and name of a role's ARN. The role's path is no part of its sessions' ARNs.
fn parse_role(arn: &str) -> Option<(&str, &str, &str, &str)> {
    let rest = arn.strip_prefix("arn:")?;
    let (partition, rest) = rest.split_once(':')?;
    let (account, resource) = rest.strip_prefix("iam::")?.split_once(':')?;
    let role = resource.strip_prefix("role/")?;
    let (path, role) = role.split_at(role.rfind('/').map_or(0, |slash| slash + 1));
    let known = ["aws", "aws-cn", "aws-us-gov"].contains(&partition);
    let plain = is_account(account) && is_path(path) && is_plain_name(role);
    (known && plain).then_some((partition, account, path, role))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_arn_has_an_account_and_a_name_without_its_path() {
        let role = parse_role("arn:aws:iam::111122223333:role/ci/deploy");
        assert_eq!(role, Some(("aws", "111122223333", "ci/", "deploy")));
        for bad in [
            "",
            "arn:aws:iam::1:role/x",
            "arn:aws:iam::111122223333:user/x",
            "arn:<x>:iam::111122223333:role/x",
            "arn:aws:iam::111122223333:role//x",
        ] {
            assert_eq!(parse_role(bad), None, "{bad}");
        }
    }
}
