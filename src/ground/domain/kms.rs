//! KMS keys: a key id, a key ARN, an alias or an alias ARN, and whether two of these name one key.
//!
//! Source: the parameter `KmsKeyId` of CreateSecret and UpdateSecret, and AWS KMS's "Key identifiers (KeyId)". An alias
//! and a key id can't be compared without asking KMS, and the service echoes what it was given, so they count as
//! different.

use super::text::text_type;
use super::{AccountId, ArnParts, Region};

/// A KMS key, as it was written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KmsKey(String);

text_type!(KmsKey);

impl KmsKey {
    /// The alias of the key that Secrets Manager uses when none is given.
    pub const DEFAULT_ALIAS: &'static str = "alias/aws/secretsmanager";

    /// Reads what people write.
    pub fn parse(text: &str) -> Option<Self> {
        let resource = |resource: &str| {
            resource.strip_prefix("key/").is_some_and(is_key_id)
                || resource.strip_prefix("alias/").is_some_and(is_alias_name)
        };
        let fits = match ArnParts::parse(text) {
            Some(arn) => {
                arn.service == "kms"
                    && Region::parse(arn.region).is_some()
                    && AccountId::parse(arn.account).is_some()
                    && resource(arn.resource)
            }
            None => is_key_id(text) || text.strip_prefix("alias/").is_some_and(is_alias_name),
        };
        fits.then(|| Self(text.to_owned()))
    }

    /// Takes what the service says, whatever it is.
    pub fn of_service(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The key that Secrets Manager uses when none is given, by its alias.
    pub fn default_alias() -> Self {
        Self(Self::DEFAULT_ALIAS.to_owned())
    }

    /// Whether `a` and `b` name one key for a secret in this account and region. `None` is the default key.
    pub fn is_same(a: Option<&Self>, b: Option<&Self>, account: Option<&AccountId>, region: &Region) -> bool {
        canonical(a, account, region) == canonical(b, account, region)
    }
}

/// The key's short form where the ARN is of this account and region, else the identifier as it is.
fn canonical<'a>(key: Option<&'a KmsKey>, account: Option<&AccountId>, region: &Region) -> Option<&'a str> {
    let key = key.map(KmsKey::as_str).filter(|key| !key.is_empty())?;
    let short = short_form(key, account, region);
    (short != KmsKey::DEFAULT_ALIAS).then_some(short)
}

fn short_form<'a>(key: &'a str, account: Option<&AccountId>, region: &Region) -> &'a str {
    let Some(arn) = ArnParts::parse(key).filter(|arn| arn.service == "kms") else {
        return key.strip_prefix("key/").unwrap_or(key);
    };
    if *region != arn.region || account.is_none_or(|account| *account != arn.account) {
        return key;
    }
    arn.resource.strip_prefix("key/").unwrap_or(arn.resource)
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
pub fn is_alias_name(name: &str) -> bool {
    (1..=250).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_same(a: Option<&str>, b: Option<&str>, account: Option<&str>) -> bool {
        let key = |key: Option<&str>| key.map(KmsKey::of_service);
        let account = account.map(AccountId::of_service);
        KmsKey::is_same(key(a).as_ref(), key(b).as_ref(), account.as_ref(), &Region::of_service("eu-west-1"))
    }

    const ACCOUNT: Option<&str> = Some("111111111111");

    fn same(a: &str, b: &str) -> bool {
        is_same(Some(a), Some(b), ACCOUNT)
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
            assert!(KmsKey::parse(good).is_some(), "{good}");
        }
        for bad in [
            "payments",
            "alias/",
            "",
            "arn:aws:kms:eu-west-1:111111111111:payments",
            "arn:aws:iam::111111111111:role/x",
            "mrk-1",
        ] {
            assert!(KmsKey::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn forms_of_one_key_are_equal() {
        assert!(same("arn:aws:kms:eu-west-1:111111111111:key/1234abcd", "1234abcd"));
        assert!(same("arn:aws:kms:eu-west-1:111111111111:alias/payments", "alias/payments"));
        assert!(is_same(None, Some("alias/aws/secretsmanager"), ACCOUNT));
        assert!(is_same(None, Some(""), ACCOUNT));
    }

    #[test]
    fn another_account_or_region_is_another_key() {
        assert!(!same("arn:aws:kms:eu-west-2:111111111111:key/1234abcd", "1234abcd"));
        assert!(!same("arn:aws:kms:eu-west-1:222222222222:alias/payments", "alias/payments"));
        assert!(!same("alias/payments", "1234abcd"), "an alias could be any key");
    }

    #[test]
    fn an_unknown_account_makes_no_arn_equal_to_a_short_form() {
        let arn = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd";
        assert!(!is_same(Some(arn), Some("1234abcd"), None));
        assert!(is_same(Some(arn), Some(arn), None));
    }
}
