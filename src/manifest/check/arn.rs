//! ARNs and KMS keys, by their form.

use super::super::codes;
use super::super::diagnostic::{Problem, Report};
use super::super::source::Span;
use super::name::{is_account, is_region};

/// The parts of `arn:partition:service:region:account:resource`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arn<'a> {
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
    pub(crate) resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Takes an ARN apart.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (arn, partition) = (parts.next()?, parts.next()?);
        let (service, region, account, resource) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let known = arn == "arn"
            && partition.starts_with("aws")
            && !resource.is_empty()
            && text.is_ascii()
            && !text.contains(' ');
        known.then_some(Self { service, region, account, resource })
    }
}

/// The account and region that ARNs are compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Home<'a> {
    pub(crate) target: &'a str,
    pub(crate) account: Option<&'a str>,
    pub(crate) region: &'a str,
}

/// The account in the ARN of an IAM role, if it is one.
pub(crate) fn role_account(role: &str) -> Option<&str> {
    let arn = Arn::parse(role)?;
    let named = arn.resource.strip_prefix("role/").is_some_and(|name| !name.is_empty());
    (arn.service == "iam" && arn.region.is_empty() && is_account(arn.account) && named).then_some(arn.account)
}

/// A KMS key: key id, key ARN, alias or alias ARN.
pub(crate) fn check_kms_key(key: &str, span: Span, home: Home<'_>, report: &mut Report) {
    let problem = |message: String| {
        Problem::new(&codes::KMS_KEY, span, message).label("not a KMS key").help(
            "write a key id, a key ARN, `alias/NAME`, or an alias ARN; `null` is the account's own key for \
                Secrets Manager",
        )
    };
    if let Some(arn) = Arn::parse(key) {
        let resource_ok = arn.resource.strip_prefix("key/").is_some_and(is_key_id)
            || arn.resource.strip_prefix("alias/").is_some_and(is_alias_name);
        if arn.service != "kms" || !is_region(arn.region) || !is_account(arn.account) || !resource_ok {
            report.push(problem(format!("`{key}` is not the ARN of a KMS key or alias")));
            return;
        }
        check_home(arn, span, home, report);
        return;
    }
    if is_key_id(key) || key.strip_prefix("alias/").is_some_and(is_alias_name) {
        return;
    }
    let problem = problem(format!("`{key}` is not a KMS key"));
    report.push(if is_alias_name(key) {
        problem.help(format!("an alias is written with its prefix: alias/{key}"))
    } else {
        problem
    });
}

/// Warns when an ARN is of another account or region than the target.
pub(crate) fn check_home(arn: Arn<'_>, span: Span, home: Home<'_>, report: &mut Report) {
    let target = home.target;
    if arn.region != home.region {
        report.push(
            Problem::new(
                &codes::ARN_OF_OTHER_PLACE,
                span,
                format!("this ARN is in {}, and target `{target}` is in {}", arn.region, home.region),
            )
            .label("another region")
            .help(
                "Secrets Manager uses keys and functions of the secret's own region; `${target.region}` stands for it",
            ),
        );
    }
    if let Some(account) = home.account
        && account != arn.account
    {
        report.push(
            Problem::new(
                &codes::ARN_OF_OTHER_PLACE,
                span,
                format!("this ARN is in account {}, and target `{target}` is {account}", arn.account),
            )
            .label("another account")
            .help("that can be meant; else `${target.account}` stands for the target's account"),
        );
    }
}

/// A UUID, or the id of a multi-Region key.
fn is_key_id(id: &str) -> bool {
    if let Some(multi_region) = id.strip_prefix("mrk-") {
        return multi_region.len() == 32 && multi_region.bytes().all(|b| b.is_ascii_hexdigit());
    }
    let lengths = [8, 4, 4, 4, 12];
    let groups: Vec<&str> = id.split('-').collect();
    groups.len() == lengths.len()
        && groups
            .iter()
            .zip(lengths)
            .all(|(group, length)| group.len() == length && group.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// An alias without its prefix (CreateAlias: `[a-zA-Z0-9/_-]+`).
fn is_alias_name(name: &str) -> bool {
    (1..=250).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(key: &str) -> usize {
        let mut report = Report::default();
        let home = Home { target: "prod", account: Some("111111111111"), region: "eu-west-1" };
        check_kms_key(key, Span::default(), home, &mut report);
        report.len()
    }

    #[test]
    fn kms_keys_have_four_forms() {
        for good in [
            "alias/payments",
            "1234abcd-12ab-34cd-56ef-1234567890ab",
            "mrk-1234abcd12ab34cd56ef1234567890ab",
            "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:eu-west-1:111111111111:alias/payments",
        ] {
            assert_eq!(problems(good), 0, "{good}");
        }
        for bad in [
            "payments",
            "alias/",
            "",
            "arn:aws:kms:eu-west-1:111111111111:payments",
            "arn:aws:iam::111111111111:role/x",
            "mrk-1",
        ] {
            assert_eq!(problems(bad), 1, "{bad}");
        }
        assert_eq!(
            problems("arn:aws:kms:us-east-1:222222222222:alias/payments"),
            2,
            "another region and another account"
        );
    }

    #[test]
    fn roles_have_an_account() {
        assert_eq!(role_account("arn:aws:iam::111111111111:role/path/keywright"), Some("111111111111"));
        assert_eq!(role_account("arn:aws:iam::111111111111:user/keywright"), None);
        assert_eq!(role_account("arn:aws:iam:::role/x"), None);
    }
}
