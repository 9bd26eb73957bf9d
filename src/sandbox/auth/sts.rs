//! STS, as far as a client of Secrets Manager needs it: GetCallerIdentity and AssumeRole, in the query protocol with
//! XML answers.
//!
//! AssumeRole checks the form of its input and trusts everybody: the sandbox has no IAM. The keys that it hands out
//! carry the role's account.

use std::collections::HashMap;
use std::fmt::Write as _;

use bytes::Bytes;
use http::Request;

use super::identity::{AssumedRole, is_account, is_plain_name, partition, temporary_key};
use crate::sandbox::clock::Moment;
use crate::sandbox::wire::{Caller, Constraints, ErrorCode, Reply, ServiceError};

/// The media type of every answer of STS.
pub(crate) const XML: &str = "text/xml";

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The `Action` of a query request, from its body or its address.
pub(crate) fn action(request: &Request<Bytes>) -> Option<String> {
    let query = request.uri().query().unwrap_or_default().as_bytes();
    [request.body().as_ref(), query]
        .into_iter()
        .find_map(|parameters| url::form_urlencoded::parse(parameters).find(|(name, _)| name == "Action"))
        .map(|(_, action)| action.into_owned())
}

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

/// Who the caller is, for IAM.
pub(crate) fn arn_of(caller: &Caller) -> String {
    let account = &caller.home.account;
    let partition = partition(&caller.home.region);
    match &caller.role {
        Some(AssumedRole { role, session }) => {
            format!("arn:{partition}:sts::{account}:assumed-role/{role}/{session}")
        }
        None => format!("arn:{partition}:iam::{account}:user/sandbox"),
    }
}

fn caller_identity(caller: &Caller) -> String {
    let account = &caller.home.account;
    let user_id = match &caller.role {
        Some(AssumedRole { role: _, session }) => format!("AROASANDBOX{account}:{session}"),
        None => format!("AIDASANDBOX{account}"),
    };
    let arn = arn_of(caller);
    format!("<Arn>{}</Arn><UserId>{}</UserId><Account>{}</Account>", escape(&arn), escape(&user_id), escape(account))
}

fn assume_role(parameters: &[u8], now: Moment) -> Result<String, ServiceError> {
    let mut parameters: HashMap<_, _> = url::form_urlencoded::parse(parameters).into_owned().collect();
    let mut constraints = Constraints::new();
    let role_arn = constraints.required_text("roleArn", parameters.remove("RoleArn"), 20..=2048);
    let session = constraints.required_text("roleSessionName", parameters.remove("RoleSessionName"), 2..=64);
    if !session.is_empty() {
        constraints.pattern("roleSessionName", &session, is_plain_name(&session), "[\\w+=,.@-]*");
    }
    let duration = parameters
        .remove("DurationSeconds")
        .map(|text| text.parse::<i64>().map_err(|_| ServiceError::validation("DurationSeconds is not a whole number")));
    let duration = duration.transpose()?;
    constraints.number("durationSeconds", duration, 900..=43_200);
    constraints.finish()?;
    let Some((partition, account, role)) = parse_role(&role_arn) else {
        return Err(ServiceError::validation(format!("{role_arn} is invalid")));
    };
    let expires = Moment(now.0.saturating_add(duration.unwrap_or(3600) * 1000));
    let expires =
        jiff::Timestamp::from_millisecond(expires.0 - expires.0.rem_euclid(1000)).unwrap_or(jiff::Timestamp::MAX);
    let token = AssumedRole { role: role.to_owned(), session: session.clone() }.to_token();
    Ok(format!(
        "<AssumedRoleUser><AssumedRoleId>AROASANDBOX{account}:{session}</AssumedRoleId>\
         <Arn>arn:{partition}:sts::{account}:assumed-role/{role}/{session}</Arn></AssumedRoleUser>\
         <Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>sandbox</SecretAccessKey>\
         <SessionToken>{token}</SessionToken><Expiration>{expires}</Expiration></Credentials>",
        temporary_key(account),
    ))
}

/// The partition, account and name of a role's ARN. The role's path is no part of its sessions' ARNs.
fn parse_role(arn: &str) -> Option<(&str, &str, &str)> {
    let rest = arn.strip_prefix("arn:")?;
    let (partition, rest) = rest.split_once(':')?;
    let (account, resource) = rest.strip_prefix("iam::")?.split_once(':')?;
    let role = resource.strip_prefix("role/")?.rsplit('/').next()?;
    let known = ["aws", "aws-cn", "aws-us-gov"].contains(&partition);
    (known && is_account(account) && is_plain_name(role)).then_some((partition, account, role))
}

/// The whole document around the result of an action.
pub(crate) fn envelope(action: &str, result: &str, request_id: &str) -> String {
    format!(
        "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    )
}

/// The status and body of an error. STS has its own names for what its framework refuses.
pub(crate) fn error(error: &ServiceError, request_id: &str) -> (u16, String) {
    let (status, code) = match &error.code {
        ErrorCode::AccessDenied => (403, "AccessDenied"),
        ErrorCode::IncompleteSignature => (400, "IncompleteSignature"),
        ErrorCode::InvalidSignature => (403, "SignatureDoesNotMatch"),
        ErrorCode::MissingAuthenticationToken => (403, "MissingAuthenticationToken"),
        ErrorCode::UnknownOperation => (400, "InvalidAction"),
        ErrorCode::Validation => (400, "ValidationError"),
        ErrorCode::InternalServiceError => (500, "InternalFailure"),
        other => (other.status(), other.name()),
    };
    let kind = if status >= 500 { "Receiver" } else { "Sender" };
    let body = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{kind}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{request_id}</RequestId></ErrorResponse>",
        escape(code),
        escape(&error.message)
    );
    (status, body)
}

/// Escapes text for XML; what XML 1.0 cannot hold at all becomes a replacement character.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            '\n' | '\r' | '\t' => {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "&#{};", u32::from(character));
            }
            control if control < ' ' => escaped.push('\u{FFFD}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_is_escaped() {
        assert_eq!(escape("<a & \"b\"'\u{1}\n"), "&lt;a &amp; &quot;b&quot;&apos;\u{FFFD}&#10;");
    }

    #[test]
    fn a_role_arn_gives_its_account_and_last_name() {
        assert_eq!(parse_role("arn:aws:iam::111122223333:role/ci/deploy"), Some(("aws", "111122223333", "deploy")));
        for bad in ["", "arn:aws:iam::1:role/x", "arn:aws:iam::111122223333:user/x", "arn:<x>:iam::111122223333:role/x"]
        {
            assert_eq!(parse_role(bad), None, "{bad}");
        }
    }
}
