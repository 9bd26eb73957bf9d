//! The forms of principals, as IAM documents them for resource policies ("Specifying a principal").

/// What is wrong with a principal, and what would be right.
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) help: &'static str,
}

/// Whether this is an account's id: twelve digits.
pub(super) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Checks one principal of a kind (`AWS`, `Service`, `Federated` or `CanonicalUser`) by its form alone.
pub(super) fn check(kind: &str, principal: &str) -> Result<(), Wrong> {
    match kind {
        "AWS" => check_aws(principal),
        "Service" => check_service(principal),
        _ if principal.is_empty() => wrong("an empty principal", "name the principal, or leave it out"),
        _ => Ok(()),
    }
}

fn check_aws(principal: &str) -> Result<(), Wrong> {
    if principal == "*" || is_account_id(principal) || is_unique_id(principal) {
        return Ok(());
    }
    if principal.contains("${") {
        return wrong(
            format!("`{principal}` has a variable in it, and IAM fills in none in a principal"),
            "name the principal; in a policy file nothing is filled in at all: write the policy into the manifest, for \
             `${target.account}` and the like",
        );
    }
    if principal.contains(['*', '?']) {
        return wrong(
            format!("`{principal}` has a wildcard in it: only the whole principal can be `*`"),
            "name every principal, or allow their account and add a Condition on `aws:PrincipalArn` with `ArnLike`",
        );
    }
    let parts: Vec<&str> = principal.splitn(6, ':').collect();
    let [arn, partition, service, region, account, resource] = parts[..] else {
        return wrong(
            format!("`{principal}` is not a principal"),
            "write `*`, a twelve-digit account id, or an ARN such as `arn:aws:iam::123456789012:role/name`",
        );
    };
    if arn != "arn" || !partition.starts_with("aws") || !region.is_empty() || !is_account_id(account) {
        return wrong(
            format!("`{principal}` is not the ARN of a principal"),
            "the form is `arn:aws:iam::` (or `arn:aws:sts::`), twelve digits, `:`, and the principal",
        );
    }
    let path: Vec<&str> = resource.split('/').collect();
    match (service, path.as_slice()) {
        ("iam", ["root"]) => Ok(()),
        ("iam", ["user" | "role", .., name]) if !name.is_empty() => Ok(()),
        ("sts", ["assumed-role", role, session]) if !role.is_empty() && !session.is_empty() => Ok(()),
        ("sts", ["federated-user", name]) if !name.is_empty() => Ok(()),
        ("iam", ["group", ..]) => wrong(
            format!("`{principal}` is a group, and a group can't be a principal"),
            "name the users, or a role that they may assume",
        ),
        _ => wrong(
            format!("`{principal}` is not the ARN of a principal"),
            "it ends in `root`, `user/NAME` or `role/NAME` (iam), or in `assumed-role/ROLE/SESSION` or \
             `federated-user/NAME` (sts)",
        ),
    }
}

/// The unique id of a user or a role, which IAM takes for a principal.
fn is_unique_id(text: &str) -> bool {
    has_form_of_id(text, &["AIDA", "AROA"])
}

/// The unique id of a user, role, group or managed policy. A live policy shows the id of a principal that was deleted,
/// for IAM keeps ids and turns them into ARNs when it is asked. Access keys (`AKIA`, `ASIA`) look alike and are none.
pub(super) fn is_id_of_deleted(text: &str) -> bool {
    has_form_of_id(text, &["AIDA", "AROA", "AGPA", "ANPA"])
}

/// The account of a principal that names one: an account's id, or an ARN.
pub(super) fn account_of(principal: &str) -> Option<&str> {
    let account = if is_account_id(principal) { principal } else { principal.split(':').nth(4)? };
    (is_account_id(account) && (principal == account || principal.starts_with("arn:"))).then_some(account)
}

/// Whether a principal is an account as a whole: its id, or the ARN of its root.
pub(super) fn is_account(principal: &str) -> bool {
    is_account_id(principal) || account_of(principal).is_some() && principal.ends_with(":root")
}

fn has_form_of_id(text: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| text.starts_with(prefix))
        && (16..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn check_service(principal: &str) -> Result<(), Wrong> {
    let labels_are_names = principal
        .split('.')
        .all(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    if principal.contains('.') && labels_are_names {
        return Ok(());
    }
    wrong(
        format!("`{principal}` is not a service principal"),
        "write the service's DNS name, for example `rds.amazonaws.com`",
    )
}

fn wrong(message: impl Into<String>, help: &'static str) -> Result<(), Wrong> {
    Err(Wrong { message: message.into(), help })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_forms_are_taken() {
        let aws = [
            "*",
            "123456789012",
            "arn:aws:iam::123456789012:root",
            "arn:aws-cn:iam::123456789012:root",
            "arn:aws:iam::123456789012:user/division/team/ada",
            "arn:aws-us-gov:iam::123456789012:role/service-role/payments",
            "arn:aws:sts::123456789012:assumed-role/payments/session@host",
            "arn:aws:sts::123456789012:federated-user/ada",
            "AROADBQP57FF2AEXAMPLE",
            "AIDACKCEVSQ6C2EXAMPLE",
        ];
        for principal in aws {
            assert!(check("AWS", principal).is_ok(), "{principal}");
        }
        for principal in ["rds.amazonaws.com", "logs.eu-west-1.amazonaws.com", "ec2.amazonaws.com.cn"] {
            assert!(check("Service", principal).is_ok(), "{principal}");
        }
        assert!(check("Federated", "accounts.google.com").is_ok());
    }

    #[test]
    fn other_forms_are_refused() {
        let aws = [
            "",
            "12345678901",
            "1234567890123",
            "ada",
            "arn:aws:iam::123456789012:role/*",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:group/admins",
            "arn:aws:iam::12345:root",
            "arn:aws:iam:eu-west-1:123456789012:root",
            "arn:aws:s3:::bucket",
            "arn:aws:sts::123456789012:assumed-role/payments",
            "arn:aws:iam::123456789012:saml-provider/okta",
            "AROAshort",
        ];
        for principal in aws {
            assert!(check("AWS", principal).is_err(), "{principal}");
        }
        for principal in ["rds", "", "rds..com", "rds.amazonaws.com/"] {
            assert!(check("Service", principal).is_err(), "{principal}");
        }
        assert!(check("CanonicalUser", "").is_err());
    }
}
