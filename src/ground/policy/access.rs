//! Whether a policy opens a secret to everyone.
//!
//! Secrets Manager doesn't publish the rules behind BlockPublicPolicy beyond "broad access, for example a wildcard for
//! the principal". The rules here are those that AWS writes down for the same question elsewhere ("The meaning of
//! public" of Amazon S3): a grant is public unless it goes only to *fixed* values, without wildcards and policy
//! variables, of a principal, an account, an organisation, a network or a source ARN. One widening: a pattern of ARNs
//! may have wildcards in its resource where they fit one account alone, and in its region under an `Arn` operator.
//! Under `StringLike` a `*` crosses colons, so that one in the region would fit another account's ARN.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use serde_json::Value;

use super::principal::is_account_id;
use super::vocabulary::Operator;
use crate::domain::ArnParts;

/// Condition keys whose fixed values say who is asking, or from where. `aws:SourceIp` and the keys that hold paths of
/// organisations are judged apart.
const LIMITING_KEYS: [&str; 13] = [
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:PrincipalServiceName",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceOrgID",
    "aws:SourceOwner",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:userid",
    "aws:VpceAccount",
    "aws:VpceOrgID",
];

/// Condition keys that hold a path within an organisation, whose values usually end in a wildcard.
const ORG_PATH_KEYS: [&str; 3] = ["aws:PrincipalOrgPaths", "aws:SourceOrgPaths", "aws:VpceOrgPaths"];

/// Condition keys that hold an ARN. A pattern over those of one account says who is asking, too.
const ARN_KEYS: [&str; 2] = ["aws:PrincipalArn", "aws:SourceArn"];

/// Operators that hold only for the values that are written. The negative ones hold for everybody else.
const LIMITING_OPERATORS: [&str; 5] = ["StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"];

/// Whether a statement of a canonical document allows every principal, without a condition that narrows it.
pub(super) fn grants_broad_access(canonical: &Value) -> bool {
    items(canonical.get("Statement")).any(|statement| {
        statement.get("Effect").is_some_and(|effect| effect == "Allow")
            && names_everyone(statement)
            && !is_limited(statement.get("Condition"))
    })
}

/// Whether a canonical statement is about every principal, about every one but a few, or about whoever some identity
/// provider vouches for.
pub(super) fn names_everyone(statement: &Value) -> bool {
    // Everyone but a few is everyone.
    statement.get("NotPrincipal").is_some()
        || ["/Principal/AWS", "/Principal/Federated"]
            .iter()
            .any(|kind| items(statement.pointer(kind)).any(|principal| principal == "*"))
}

/// Whether one of the conditions, all of which must hold, narrows the statement to fixed values.
pub(super) fn is_limited(condition: Option<&Value>) -> bool {
    let Some(operators) = condition.and_then(Value::as_object) else {
        return false;
    };
    operators.iter().any(|(operator, keys)| {
        // With IfExists and ForAllValues a condition also holds for a request that lacks the key.
        let Some(operator @ Operator { if_exists: false, .. }) = Operator::read(operator) else {
            return false;
        };
        if operator.set == Some("ForAllValues") {
            return false;
        }
        keys.as_object().into_iter().flatten().any(|(key, values)| {
            let limits = |value: &Value| value.as_str().is_some_and(|value| value_limits(operator.base, key, value));
            items(Some(values)).next().is_some() && items(Some(values)).all(limits)
        })
    })
}

fn value_limits(operator: &str, key: &str, value: &str) -> bool {
    if operator == "IpAddress" {
        return key == "aws:SourceIp" && is_narrow_network(value);
    }
    if !LIMITING_OPERATORS.contains(&operator) {
        return false;
    }
    if ORG_PATH_KEYS.contains(&key) {
        return value.split('/').next().is_some_and(is_fixed);
    }
    let is_limiting_key = LIMITING_KEYS.iter().any(|known| known.eq_ignore_ascii_case(key));
    is_limiting_key && (is_fixed(value) || ARN_KEYS.contains(&key) && is_of_one_account(operator, value))
}

/// Whether a pattern fits ARNs of one account alone: all but its resource and region are fixed.
fn is_of_one_account(operator: &str, pattern: &str) -> bool {
    let Some(ArnParts { partition, service, region, account, resource }) = ArnParts::parse(pattern) else {
        return false;
    };
    // An `Arn` operator matches part by part, a `String` operator the whole text.
    let region_stays_one = operator.starts_with("Arn") || !region.contains(['*', '?']);
    let no_variable = !region.contains("${") && !resource.contains("${");
    is_account_id(account) && is_fixed(partition) && is_fixed(service) && region_stays_one && no_variable
}

/// Whether a value is one value: no wildcard, and no policy variable, whose value the caller may choose.
fn is_fixed(value: &str) -> bool {
    !value.is_empty() && !value.contains(['*', '?']) && !value.contains("${")
}

/// Whether a network is narrow enough not to be everyone: /8 or narrower (IPv4), /32 or narrower (IPv6). The private
/// ranges of RFC 1918 are all narrower than that.
fn is_narrow_network(value: &str) -> bool {
    let (address, prefix) = match value.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (value, None),
    };
    let prefix_is_in = |range: RangeInclusive<u8>| {
        prefix.is_none_or(|prefix| prefix.parse().is_ok_and(|bits: u8| range.contains(&bits)))
    };
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => prefix_is_in(8..=32),
        Ok(IpAddr::V6(_)) => prefix_is_in(32..=128),
        Err(_) => false,
    }
}

/// The members of a canonical set, which is a list or the one member itself.
pub(super) fn items(set: Option<&Value>) -> impl Iterator<Item = &Value> {
    match set {
        Some(Value::Array(items)) => items.as_slice(),
        Some(single) => std::slice::from_ref(single),
        None => &[],
    }
    .iter()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::PolicyDocument;
    use super::*;

    fn is_broad(statement: &Value) -> bool {
        PolicyDocument::from_checked(json!({"Version": "2012-10-17", "Statement": statement})).grants_broad_access()
    }

    fn is_broad_under(condition: &Value) -> bool {
        is_broad(&json!({
            "Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*",
            "Condition": condition,
        }))
    }

    #[test]
    fn everyone_is_broad_in_every_spelling() {
        let action = "secretsmanager:GetSecretValue";
        for principal in [json!("*"), json!({"AWS": "*"}), json!({"AWS": ["111111111111", "*"]})] {
            let allow = json!({"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"});
            assert!(is_broad(&allow), "{allow}");
            let mut deny = allow;
            deny["Effect"] = json!("Deny");
            assert!(!is_broad(&deny));
        }
        let all_but_one = json!({"AWS": "111111111111"});
        assert!(is_broad(&json!({"Effect": "Allow", "NotPrincipal": all_but_one, "Action": action, "Resource": "*"})));
        assert!(!is_broad(&json!({"Effect": "Allow", "Principal": all_but_one, "Action": action, "Resource": "*"})));
        assert!(!is_broad(&json!({"Effect": "Allow", "Principal": {"Service": "rds.amazonaws.com"}})));
    }

    #[test]
    fn one_open_statement_among_others_is_enough() {
        assert!(is_broad(&json!([
            {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"},
            {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "*", "Resource": "*"},
            {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"},
        ])));
    }

    #[test]
    fn fixed_values_narrow() {
        let narrowing = [
            json!({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
            json!({"StringEquals": {"AWS:principalorgid": ["o-a1b2c3d4e5", "o-f6g7h8i9j0"]}}),
            json!({"stringlike": {"aws:SourceVpc": "vpc-0a1b2c3d"}}),
            json!({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/payments"}}),
            json!({"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32", "198.51.100.7"]}}),
            json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*"}}),
            json!({"Bool": {"aws:SecureTransport": true}, "StringEquals": {"aws:SourceAccount": 111_111_111_111_u64}}),
            json!({"StringEquals": {"aws:userid": "AIDACKCEVSQ6C2EXAMPLE"}}),
        ];
        for condition in narrowing {
            assert!(!is_broad_under(&condition), "{condition}");
        }
    }

    #[test]
    fn other_conditions_do_not_narrow() {
        let open = [
            json!({}),
            json!({"Bool": {"aws:SecureTransport": "true"}}),
            json!({"StringLike": {"aws:SourceVpc": "vpc-*"}}),
            json!({"StringEquals": {"aws:PrincipalOrgID": ["o-a1b2c3d4e5", "*"]}}),
            json!({"StringEquals": {"aws:PrincipalOrgID": []}}),
            json!({"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/${aws:PrincipalTag/role}"}}),
            json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
            json!({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
            json!({"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*"}}),
            json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/r-ab12/*"}}),
            json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}),
            json!({"IpAddress": {"aws:SourceIp": "2001::/16"}}),
            json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/"}}),
            json!({"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/16"}}),
            json!({"StringEquals": {"aws:PrincipalTag/team": "payments"}}),
            json!({"StringLike": {"aws:userid": "AROADBQP57FF2AEXAMPLE:*"}}),
            json!({"Null": {"aws:SourceVpce": "false"}}),
        ];
        for condition in open {
            assert!(is_broad_under(&condition), "{condition}");
        }
    }
}
