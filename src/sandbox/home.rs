//! Where a secret is, and the ARN that it has there.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};

use keywright_ground::domain::Partition;

/// The account of every access key that names none.
pub const DEFAULT_ACCOUNT: &str = "000000000000";

/// One account in one region: secrets of different homes know nothing of each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Home {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Home {
    pub(crate) fn new(account: &str, region: &str) -> Self {
        Self { account: account.to_owned(), region: region.to_owned() }
    }

    /// The ARN of a secret here.
    pub(crate) fn secret_arn(&self, name: &str, suffix: &str) -> String {
        let Self { account, region } = self;
        format!("arn:{}:secretsmanager:{region}:{account}:secret:{name}-{suffix}", partition(region))
    }
}

/// The partition that a region belongs to.
pub(crate) fn partition(region: &str) -> Partition {
    Partition::of_region(region)
}

/// Twelve digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The six characters that end a secret's ARN: upper and lower case letters and digits.
///
/// They depend on the rng seed, the secret's home and name and how often a secret of this name was made there, and on
/// nothing else, so that secrets created side by side get the same ARNs in every run of one seed, and a secret that is
/// made again gets another one.
pub(crate) fn arn_suffix(rng_seed: u64, home: &Home, name: &str, incarnation: u64) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut digest = Sha256::new();
    digest.update(rng_seed.to_be_bytes());
    digest.update(incarnation.to_be_bytes());
    for part in [&home.account, &home.region, name] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let mut generator = StdRng::from_seed(digest.finalize().into());
    (0..6).map(|_| char::from(ALPHABET[generator.random_range(0..ALPHABET.len())])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_suffix_depends_on_seed_home_name_and_incarnation() {
        let home = Home::new(DEFAULT_ACCOUNT, "eu-west-1");
        let suffix = arn_suffix(7, &home, "a", 0);
        assert_eq!(suffix, arn_suffix(7, &home, "a", 0));
        assert_eq!(suffix.len(), 6);
        let others = [
            arn_suffix(8, &home, "a", 0),
            arn_suffix(7, &home, "b", 0),
            arn_suffix(7, &home, "a", 1),
            arn_suffix(7, &Home::new(DEFAULT_ACCOUNT, "eu-west-2"), "a", 0),
        ];
        assert!(others.iter().all(|other| *other != suffix));
    }

    #[test]
    fn an_arn_has_the_partition_of_its_region() {
        assert_eq!(
            Home::new("111122223333", "cn-north-1").secret_arn("a/b", "AbCd12"),
            "arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:a/b-AbCd12"
        );
        assert_eq!(partition("us-gov-west-1"), "aws-us-gov");
        assert_eq!(partition("eu-west-1"), "aws");
    }
}
