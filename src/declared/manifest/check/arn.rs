//! ARNs and KMS keys, by their form.

use super::super::codes;
use super::super::diagnostic::{Problem, Report, nearest};
use super::super::source::Span;
use crate::domain::{AccountId, ArnParts, KmsKey, Partition, Region, is_alias_name};

/// The account and region that ARNs are compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Home<'a> {
    pub(crate) target: &'a str,
    pub(crate) account: Option<&'a str>,
    pub(crate) region: &'a str,
}

/// The account in the ARN of an IAM role, if it is one.
pub(crate) fn role_account(role: &str) -> Option<&str> {
    let arn = ArnParts::parse(role)?;
    let named = arn.resource.strip_prefix("role/").is_some_and(|name| !name.is_empty());
    (arn.service == "iam" && arn.region.is_empty() && AccountId::parse(arn.account).is_some() && named)
        .then_some(arn.account)
}

/// A KMS key: key id, key ARN, alias or alias ARN.
pub(crate) fn check_kms_key(key: &str, span: Span, home: Home<'_>, report: &mut Report) {
    let problem = |message: String| {
        Problem::new(&codes::KMS_KEY, span, message).label("not a KMS key").help(
            "write a key id, a key ARN, `alias/NAME`, or an alias ARN; `null` is the account's own key for \
                Secrets Manager",
        )
    };
    match (KmsKey::parse(key), ArnParts::parse(key)) {
        (Some(_), Some(arn)) => return check_home(arn, span, home, report),
        (Some(_), None) => return,
        (None, Some(_)) => return report.push(problem(format!("`{key}` is not the ARN of a KMS key or alias"))),
        (None, None) => {}
    }
    let problem = problem(format!("`{key}` is not a KMS key"));
    report.push(if is_alias_name(key) {
        problem.help(format!("an alias is written with its prefix: alias/{key}"))
    } else {
        problem
    });
}

/// A region in the right form that AWS does not have is probably misspelt; one in a form that AWS uses may be newer
/// than what keywright knows.
pub(crate) fn check_region_exists(text: &str, span: Span, code: &'static codes::Code, report: &mut Report) {
    let Some(region) = Region::parse(text).filter(|region| !region.is_known()) else { return };
    let nearest = nearest(text, Region::known()).map(|near| format!("did you mean {near}?"));
    report.push(if region.has_known_form() {
        Problem::new(&codes::NEW_REGION, span, format!("`{text}` is no region that keywright knows"))
            .label("perhaps it is newer")
            .help_if(nearest)
    } else {
        Problem::new(code, span, format!("AWS has no region `{text}`")).label("no such region").help_if(nearest)
    });
}

/// Warns when an ARN is of another partition than a region: identities, keys and functions do not reach across.
pub(crate) fn check_partition(arn: ArnParts<'_>, span: Span, region: &str, report: &mut Report) -> bool {
    let partition = Partition::of_region(region);
    let same = partition == arn.partition;
    if !same {
        report.push(
            Problem::new(
                &codes::ARN_OF_OTHER_PLACE,
                span,
                format!("this ARN is in partition {}, and {region} is in {partition}", arn.partition),
            )
            .label("another partition")
            .help(format!("ARNs there begin with arn:{partition}:; nothing reaches across partitions")),
        );
    }
    same
}

/// Warns when an ARN is of another partition, account or region than the target.
pub(crate) fn check_home(arn: ArnParts<'_>, span: Span, home: Home<'_>, report: &mut Report) {
    let target = home.target;
    if !check_partition(arn, span, home.region, report) {
        return;
    }
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
