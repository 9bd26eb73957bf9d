//! The forms in which a KMS key can be named. The sandbox has no keys: it accepts whatever has a right form.

use crate::home::is_account;
use crate::wire::ServiceError;

/// The alias of the key that the service uses where none is named.
pub(crate) const DEFAULT_ALIAS: &str = "alias/aws/secretsmanager";

/// Whether a key, as it was given, is the default key named explicitly.
pub(crate) fn is_default(key: &str) -> bool {
    key.ends_with(DEFAULT_ALIAS) && (key.len() == DEFAULT_ALIAS.len() || key.starts_with("arn:"))
}

/// Checks the form of a key that a request names: a key id, a key's ARN, an alias, or an alias' ARN.
pub(crate) fn check(key: &str) -> Result<(), ServiceError> {
    if is_key_or_alias(key) || is_arn(key) { Ok(()) } else { Err(ServiceError::invalid_kms_key()) }
}

fn is_arn(key: &str) -> bool {
    let parts: Vec<&str> = key.splitn(6, ':').collect();
    let [arn, partition, service, region, account, resource] = parts.as_slice() else { return false };
    let key_or_alias = resource.strip_prefix("key/").map_or_else(|| is_alias(resource), is_key_id);
    *arn == "arn"
        && partition.starts_with("aws")
        && *service == "kms"
        && !region.is_empty()
        && is_account(account)
        && key_or_alias
}

fn is_key_or_alias(key: &str) -> bool {
    is_key_id(key) || is_alias(key)
}

fn is_key_id(key: &str) -> bool {
    let multi_region = key.strip_prefix("mrk-").is_some_and(|rest| rest.len() == 32 && is_hexadecimal(rest));
    let groups: Vec<&str> = key.split('-').collect();
    let is_uuid =
        groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(|group| is_hexadecimal(group));
    multi_region || is_uuid
}

fn is_alias(key: &str) -> bool {
    key.strip_prefix("alias/").is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte))
    })
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_key_is_accepted_and_nothing_else() {
        for good in [
            "1234abcd-12ab-34cd-56ef-1234567890ab",
            "mrk-1234abcd12ab34cd56ef1234567890ab",
            "alias/payments",
            "alias/aws/secretsmanager",
            "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:eu-west-1:111122223333:alias/payments",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["payments", "alias/", "mrk-1", "arn:aws:s3:::x", "arn:aws:kms:eu-west-1:111122223333:key/x", "1234"]
        {
            assert_eq!(check(bad), Err(ServiceError::invalid_kms_key()), "{bad}");
        }
    }

    #[test]
    fn the_default_key_is_known_by_its_alias() {
        assert!(is_default("alias/aws/secretsmanager"));
        assert!(is_default("arn:aws:kms:eu-west-1:111122223333:alias/aws/secretsmanager"));
        assert!(!is_default("alias/payments"));
    }
}
