//! Whom the policy of a secret lets in, by itself: whether a call is allowed in the end also depends on identity
//! policies, boundaries and organisations.

use std::collections::BTreeSet;

use crate::live::{LivePolicy, LiveSecret};
use crate::policy::{Deed, Lint, LintContext, LintedSecret, PolicyDocument, Shift, Turn, Who, lint};

/// Whom a policy lets in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// Whom it lets read the value.
    pub readers: Vec<Who>,
    /// Other accounts in what it allows, and organizations, as `organization o-…`, that a condition lets in.
    pub other_accounts: BTreeSet<String>,
    /// Whether it gives broad access, by the rules of BlockPublicPolicy.
    pub public: bool,
    /// Whether it denies reading to everybody, or to everybody but those that it names.
    pub restricts: bool,
    /// Principals that were deleted, in words.
    pub dangling: Vec<String>,
}

impl Exposure {
    /// Whom the policy of a secret lets in, as far as it was read.
    pub(super) fn of(secret: &LiveSecret, caller: Option<&str>) -> Self {
        let LivePolicy::Document(document) = &secret.policy else { return Self::default() };
        let own_account = secret.arn.parts().map(|arn| arn.account.to_owned()).unwrap_or_default();
        let shifts = PolicyDocument::shifts(None, Some(document), Some(secret.arn.as_str()));
        let allowed = || shifts.iter().filter(|shift| shift.turn == Turn::Allowed);
        let reads = |shift: &&Shift| shift.deeds.contains(&Deed::Read);
        let mut readers: Vec<Who> = allowed().filter(reads).map(|shift| shift.who.clone()).collect();
        readers.dedup();
        let context = LintContext { secret: LintedSecret::Arn(secret.arn.as_str()), caller };
        let dangling = lint(document, &context).into_iter().filter(|finding| finding.lint == Lint::DeletedPrincipal);
        let named = allowed().filter_map(|shift| match &shift.who {
            Who::Account(account) | Who::Identity { account, .. } => Some(account.clone()),
            Who::Everyone | Who::EveryoneBut(..) | Who::Service(_) | Who::Other(_) => None,
        });
        Self {
            readers,
            other_accounts: named
                .chain(document.let_in_by_condition(secret.arn.as_str()))
                .filter(|account| *account != own_account)
                .collect(),
            public: document.grants_broad_access(),
            restricts: document.keeps_others_out(secret.arn.as_str()),
            dangling: dangling.map(|finding| finding.problem.message).collect(),
        }
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "the policies of these tests are known to be good")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(statement: &Value) -> Exposure {
        let text = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
        let document = PolicyDocument::parse(&text).expect("a policy");
        Exposure::of(&LiveSecret { policy: LivePolicy::Document(document), ..LiveSecret::bare("db") }, None)
    }

    #[test]
    fn accounts_and_organizations_that_a_condition_lets_in_are_told() {
        let allows = |condition: Value| {
            let statement = json!({
                "Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*",
                "Condition": condition
            });
            of(&statement).other_accounts.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(
            allows(json!({"StringEquals": {"aws:PrincipalAccount": ["222222222222", "111111111111"]}})),
            ["222222222222"]
        );
        assert_eq!(allows(json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}})), ["organization o-1"]);
        assert_eq!(allows(json!({"StringNotEquals": {"aws:PrincipalAccount": "222222222222"}})), [""; 0]);
        // Who is named is let in by name, whatever the condition asks besides.
        let named = json!({
            "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:role/app"}, "Resource": "*",
            "Action": "secretsmanager:GetSecretValue", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
        });
        assert_eq!(of(&named).other_accounts.len(), 0);
    }

    #[test]
    fn only_those_whom_the_policy_lets_read_this_secret_are_readers() {
        let allow = |resource: &str| {
            json!({
                "Effect": "Allow", "Principal": {"AWS": "444444444444"}, "Resource": resource,
                "NotAction": "secretsmanager:DeleteSecret",
            })
        };
        let deny = json!({
            "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"
        });
        let other = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:other-??????";
        assert_eq!(of(&allow("*")).readers, [Who::Account("444444444444".to_owned())]);
        let of_another = of(&allow(other));
        assert!(of_another.readers.is_empty() && of_another.other_accounts.is_empty());
        let everyone = json!({
            "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": other,
            "Condition": {"StringEquals": {"aws:PrincipalAccount": "444444444444"}}
        });
        assert!(of(&everyone).other_accounts.is_empty());
        let denied = of(&json!([allow("*"), deny]));
        assert!(denied.readers.is_empty() && denied.restricts);
        assert_eq!(denied.other_accounts.len(), 1, "it may do more than read");
    }

    #[test]
    fn only_a_denial_of_reading_to_all_but_some_keeps_others_out() {
        let denies = |action: &str, principal: Value, condition: Value| {
            let mut statement = json!({"Effect": "Deny", "Action": action, "Resource": "*"});
            let (key, principal) = if principal.is_null() {
                ("NotPrincipal", json!({"AWS": "arn:aws:iam::111111111111:role/app"}))
            } else {
                ("Principal", principal)
            };
            statement[key] = principal;
            if !condition.is_null() {
                statement["Condition"] = condition;
            }
            of(&statement).restricts
        };
        let but_app = || json!({"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/app"}});
        assert!(denies("secretsmanager:GetSecretValue", json!("*"), but_app()));
        assert!(denies("secretsmanager:*", json!({"AWS": "*"}), but_app()));
        assert!(denies("*", Value::Null, Value::Null));
        assert!(denies("secretsmanager:GetSecretValue", json!("*"), Value::Null), "to everyone");
        assert!(!denies("secretsmanager:DeleteSecret", json!("*"), but_app()));
        assert!(!denies("*", json!("*"), json!({"Bool": {"aws:SecureTransport": "false"}})));
        assert!(!denies("*", json!({"AWS": "arn:aws:iam::111111111111:role/app"}), but_app()));
    }
}
