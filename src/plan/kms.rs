//! Whether two KMS key identifiers name the same key, by their form alone.
//!
//! Source: the parameter `KmsKeyId` of CreateSecret and UpdateSecret (key ARN, key id or alias), and AWS KMS's "Key
//! identifiers (KeyId)". An alias and a key id can't be compared without asking KMS, and the service echoes what it was
//! given, so they count as different.

/// The alias of the key that Secrets Manager uses when none is given.
pub(super) const DEFAULT_KEY_ALIAS: &str = "alias/aws/secretsmanager";

/// Whether `a` and `b` name one key for a secret in this account and region. `None` is the default key.
pub fn same_key(a: Option<&str>, b: Option<&str>, account: Option<&str>, region: &str) -> bool {
    canonical(a, account, region) == canonical(b, account, region)
}

/// The key's short form where the ARN is of this account and region, else the identifier as it is.
fn canonical<'a>(key: Option<&'a str>, account: Option<&str>, region: &str) -> Option<&'a str> {
    let key = key.filter(|key| !key.is_empty())?;
    let short = short_form(key, account, region);
    (short != DEFAULT_KEY_ALIAS).then_some(short)
}

fn short_form<'a>(key: &'a str, account: Option<&str>, region: &str) -> &'a str {
    // arn:PARTITION:kms:REGION:ACCOUNT:key/ID or …:alias/NAME
    let mut parts = key.splitn(6, ':');
    let (Some("arn"), Some(_partition), Some("kms"), Some(key_region), Some(key_account), Some(resource)) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return key.strip_prefix("key/").unwrap_or(key);
    };
    if key_region != region || account != Some(key_account) {
        return key;
    }
    resource.strip_prefix("key/").unwrap_or(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: Option<&str> = Some("111111111111");

    fn same(a: &str, b: &str) -> bool {
        same_key(Some(a), Some(b), ACCOUNT, "eu-west-1")
    }

    #[test]
    fn forms_of_one_key_are_equal() {
        assert!(same("arn:aws:kms:eu-west-1:111111111111:key/1234abcd", "1234abcd"));
        assert!(same("arn:aws:kms:eu-west-1:111111111111:alias/payments", "alias/payments"));
        assert!(same_key(None, Some("alias/aws/secretsmanager"), ACCOUNT, "eu-west-1"));
        assert!(same_key(None, Some(""), ACCOUNT, "eu-west-1"));
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
        assert!(!same_key(Some(arn), Some("1234abcd"), None, "eu-west-1"));
        assert!(same_key(Some(arn), Some(arn), None, "eu-west-1"));
    }
}
