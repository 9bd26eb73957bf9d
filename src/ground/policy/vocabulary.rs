//! The names that IAM and Secrets Manager know, in the spelling of their documentation.
//!
//! Sources: the IAM User Guide (grammar of the policy language, condition operators, global condition context keys) and
//! the Service Authorization Reference for AWS Secrets Manager (actions and condition keys, API version 2017-10-17).

/// The keys of a document, in the order in which people write them.
pub(super) const DOCUMENT_KEYS: [&str; 3] = ["Version", "Id", "Statement"];

/// The keys of a statement, in the order in which people write them.
pub(super) const STATEMENT_KEYS: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// The kinds of principals.
pub(super) const PRINCIPAL_KEYS: [&str; 4] = ["AWS", "Service", "Federated", "CanonicalUser"];

/// The current version of the policy language.
pub(super) const CURRENT_VERSION: &str = "2012-10-17";

/// The version of the policy language that a document without `Version` has. Policy variables are plain text in it.
pub(super) const DEFAULT_VERSION: &str = "2008-10-17";

const SET_PREFIXES: [&str; 2] = ["ForAllValues", "ForAnyValue"];

const IF_EXISTS: &str = "IfExists";

const OPERATORS: [&str; 27] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Null",
];

/// The actions of Secrets Manager, named after its operations; `AcceptCrossAccountReplication` is an action alone.
pub(super) const ACTIONS: [&str; 27] = [
    "AcceptCrossAccountReplication",
    "AssociateCrossAccountReplica",
    "BatchGetSecretValue",
    "CancelRotateSecret",
    "CreateSecret",
    "DeleteResourcePolicy",
    "DeleteSecret",
    "DescribeSecret",
    "DisassociateCrossAccountReplica",
    "GetRandomPassword",
    "GetResourcePolicy",
    "GetSecretValue",
    "ListResourcePolicies",
    "ListSecretVersionIds",
    "ListSecrets",
    "PutResourcePolicy",
    "PutSecretValue",
    "RemoveRegionsFromReplication",
    "ReplicateSecretToRegions",
    "RestoreSecret",
    "RotateSecret",
    "StopReplicationToReplica",
    "TagResource",
    "UntagResource",
    "UpdateSecret",
    "UpdateSecretVersionStage",
    "ValidateResourcePolicy",
];

/// Condition keys whose documented spelling is not all lower case. A key that is not here is written in lower case.
const CONDITION_KEYS: [&str; 61] = [
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:FederatedProvider",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:PrincipalType",
    "aws:Referer",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIdentity",
    "aws:SourceIp",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceOwner",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:TagKeys",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:ViaAWSService",
    "aws:VpcSourceIp",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "aws:VpceOrgPaths",
    "secretsmanager:AddReplicaRegions",
    "secretsmanager:BlockPublicPolicy",
    "secretsmanager:Description",
    "secretsmanager:ExternalSecretRotationRoleArn",
    "secretsmanager:ForceDeleteWithoutRecovery",
    "secretsmanager:ForceOverwriteReplicaSecret",
    "secretsmanager:KmsKeyArn",
    "secretsmanager:KmsKeyId",
    "secretsmanager:ModifyRotationRules",
    "secretsmanager:Name",
    "secretsmanager:PolicyName",
    "secretsmanager:RecoveryWindowInDays",
    "secretsmanager:RotateImmediately",
    "secretsmanager:RotationLambdaARN",
    "secretsmanager:SecretId",
    "secretsmanager:SecretPrimaryRegion",
    "secretsmanager:Type",
    "secretsmanager:VersionId",
    "secretsmanager:VersionStage",
    "secretsmanager:resource/AllowRotationLambdaArn",
    "kms:CallerAccount",
    "kms:ViaService",
];

/// The beginnings of condition keys that end in the key of a tag.
const TAG_CONDITION_KEYS: [&str; 4] =
    ["aws:PrincipalTag/", "aws:RequestTag/", "aws:ResourceTag/", "secretsmanager:ResourceTag/"];

/// A condition operator, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operator {
    /// `ForAllValues` or `ForAnyValue`.
    pub(super) set: Option<&'static str>,
    /// The operator itself, for example `StringEquals`.
    pub(super) base: &'static str,
    /// Whether it ends in `IfExists`: it holds too where the request lacks the key.
    pub(super) if_exists: bool,
}

impl Operator {
    /// Reads an operator in any case, or none where IAM knows no such operator. `Null` takes no `IfExists`.
    pub(super) fn read(written: &str) -> Option<Self> {
        let (set, name) = match written.split_once(':') {
            Some((prefix, name)) => (Some(known(&SET_PREFIXES, prefix)?), name),
            None => (None, written),
        };
        if let Some(base) = known(&OPERATORS, name) {
            return Some(Self { set, base, if_exists: false });
        }
        let at = name.len().checked_sub(IF_EXISTS.len())?;
        let base = known(&OPERATORS, name.get(..at)?)?;
        let if_exists = name.get(at..)?.eq_ignore_ascii_case(IF_EXISTS);
        (if_exists && base != "Null").then_some(Self { set, base, if_exists })
    }

    /// Its documented spelling.
    pub(super) fn spelling(self) -> String {
        let Self { set, base, if_exists } = self;
        let set = set.map(|set| format!("{set}:")).unwrap_or_default();
        let suffix = if if_exists { IF_EXISTS } else { "" };
        format!("{set}{base}{suffix}")
    }

    /// The known operator that is nearest to one that IAM does not know.
    pub(super) fn nearest(written: &str) -> Option<String> {
        let spellings = [None, Some("ForAllValues"), Some("ForAnyValue")]
            .into_iter()
            .flat_map(|set| OPERATORS.map(|base| (set, base)))
            .flat_map(|(set, base)| [false, true].map(|if_exists| Self { set, base, if_exists }))
            .filter(|operator| !(operator.if_exists && operator.base == "Null"))
            .map(Self::spelling);
        nearest(written, spellings)
    }
}

/// The one form of a condition key, whose names are not case-sensitive, tag keys in them included.
pub(super) fn condition_key(written: &str) -> String {
    if let Some(spelling) = known(&CONDITION_KEYS, written) {
        return spelling.to_owned();
    }
    TAG_CONDITION_KEYS
        .iter()
        .find_map(|prefix| {
            let (head, tag) = written.split_at_checked(prefix.len())?;
            head.eq_ignore_ascii_case(prefix).then(|| format!("{prefix}{}", tag.to_ascii_lowercase()))
        })
        .unwrap_or_else(|| written.to_ascii_lowercase())
}

/// The one form of an action, whose service and name are not case-sensitive.
///
/// The operations of Secrets Manager get their documented spelling, and so does the part before a wildcard
/// (`secretsmanager:Get*`); everything else is written in lower case.
pub(super) fn action(written: &str) -> String {
    let lower = written.to_ascii_lowercase();
    let Some(pattern) = lower.strip_prefix("secretsmanager:") else {
        return lower;
    };
    let literal = pattern.find(['*', '?']).unwrap_or(pattern.len());
    let spelling = if literal == pattern.len() {
        known(&ACTIONS, pattern)
    } else {
        ACTIONS.iter().find_map(|name| name.get(..literal).filter(|head| pattern[..literal].eq_ignore_ascii_case(head)))
    };
    match spelling {
        Some(spelling) => format!("secretsmanager:{spelling}{}", &pattern[literal..]),
        None => lower,
    }
}

/// In bytes: a name that is three letters away may be written in letters of four bytes.
const MAX_LENGTH_DIFFERENCE: usize = 12;

/// The name of `names` that is nearest to `written`, unless all are far away: more than three letters, or a third.
pub(super) fn nearest<N: AsRef<str>>(written: &str, names: impl IntoIterator<Item = N>) -> Option<String> {
    // The distance is at least the difference of the lengths, and counting it takes the product of the two.
    let may_be_near = |name: &N| written.len().abs_diff(name.as_ref().len()) <= MAX_LENGTH_DIFFERENCE;
    let lower = written.to_ascii_lowercase();
    names
        .into_iter()
        .filter(may_be_near)
        .map(|name| (strsim::osa_distance(&lower, &name.as_ref().to_ascii_lowercase()), name))
        .filter(|(distance, name)| *distance <= 3.min(name.as_ref().len() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name.as_ref().to_owned())
}

fn known<'a>(names: &[&'a str], written: &str) -> Option<&'a str> {
    names.iter().copied().find(|name| name.eq_ignore_ascii_case(written))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_read_in_any_case() {
        let spelling = |written: &str| Operator::read(written).map(Operator::spelling);
        assert_eq!(spelling("stringequals").as_deref(), Some("StringEquals"));
        assert_eq!(spelling("forallvalues:stringlikeifexists").as_deref(), Some("ForAllValues:StringLikeIfExists"));
        assert_eq!(spelling("Null").as_deref(), Some("Null"));
        for unknown in ["NullIfExists", "StringEqual", "ForSomeValues:StringEquals", "IfExists", "", "ü"] {
            assert_eq!(spelling(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn the_nearest_operator_keeps_prefix_and_suffix() {
        assert_eq!(Operator::nearest("StringEqual").as_deref(), Some("StringEquals"));
        assert_eq!(Operator::nearest("StringMatchesIfExists"), None);
        assert_eq!(
            Operator::nearest("ForAnyValues:StringLikeIfExist").as_deref(),
            Some("ForAnyValue:StringLikeIfExists")
        );
        assert_eq!(Operator::nearest("colour"), None);
    }

    #[test]
    fn condition_keys_have_one_form() {
        assert_eq!(condition_key("AWS:principalorgid"), "aws:PrincipalOrgID");
        assert_eq!(condition_key("aws:resourcetag/Team"), "aws:ResourceTag/team");
        assert_eq!(condition_key("Vendor:New-Key"), "vendor:new-key");
        assert_eq!(condition_key("aws:PrincipalTagé"), "aws:principaltagé");
    }

    #[test]
    fn actions_have_one_form() {
        assert_eq!(action("SecretsManager:getsecretvalue"), "secretsmanager:GetSecretValue");
        assert_eq!(action("secretsmanager:get*"), "secretsmanager:Get*");
        assert_eq!(action("secretsmanager:LISTSECRETV??sionIds"), "secretsmanager:ListSecretV??sionids");
        assert_eq!(action("secretsmanager:*"), "secretsmanager:*");
        assert_eq!(action("secretsmanager:*Value"), "secretsmanager:*value");
        assert_eq!(action("KMS:Decrypt"), "kms:decrypt");
        assert_eq!(action("*"), "*");
    }
}
