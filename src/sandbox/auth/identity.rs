//! Who calls, and where: the account and region of a request, the ARNs of secrets, and the keys that AssumeRole hands
//! out.
//!
//! The account comes from the access key id in the SigV4 credential scope. Signatures are **not** verified: the
//! sandbox is no authority on anything, it only needs to know which account and region a request means.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};

/// The account of every access key that names none.
pub const DEFAULT_ACCOUNT: &str = "000000000000";

/// The temporary keys of the sandbox's AssumeRole begin so; the twelve digits of the account follow.
const TEMPORARY_KEY: &str = "ASIASANDBOX";

/// The session tokens of the sandbox's AssumeRole begin so; role and session follow, encoded.
const SESSION_TOKEN: &str = "keywright-sandbox.";

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
pub(crate) fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// The account that an access key id means.
pub(crate) fn account_of_key(access_key_id: &str) -> &str {
    let digits = access_key_id.strip_prefix(TEMPORARY_KEY).unwrap_or(access_key_id);
    if is_account(digits) { digits } else { DEFAULT_ACCOUNT }
}

/// The access key id that stands for `account`.
pub(crate) fn temporary_key(account: &str) -> String {
    format!("{TEMPORARY_KEY}{account}")
}

/// Twelve digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The role and session that a session token of AssumeRole carries, so that GetCallerIdentity can name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AssumedRole {
    pub(crate) role: String,
    pub(crate) session: String,
}

impl AssumedRole {
    pub(crate) fn to_token(&self) -> String {
        format!("{SESSION_TOKEN}{}", URL_SAFE_NO_PAD.encode(format!("{}/{}", self.role, self.session)))
    }

    /// Reads a token back; any other token says nothing about a role.
    pub(crate) fn from_token(token: &str) -> Option<Self> {
        let decoded = URL_SAFE_NO_PAD.decode(token.strip_prefix(SESSION_TOKEN)?).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (role, session) = text.split_once('/')?;
        (is_plain_name(role) && is_plain_name(session))
            .then(|| Self { role: role.to_owned(), session: session.to_owned() })
    }
}

/// The characters of role and session names: `[\w+=,.@-]`.
pub(crate) fn is_plain_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

/// The six characters that end a secret's ARN: upper and lower case letters and digits.
///
/// They depend on the seed, the secret's home and name and how often a secret of this name was made there, and on
/// nothing else, so that secrets created side by side get the same ARNs in every run of one seed, and a secret made
/// anew gets another one.
pub(crate) fn arn_suffix(seed: u64, home: &Home, name: &str, incarnation: u64) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut digest = Sha256::new();
    digest.update(seed.to_be_bytes());
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
    fn accounts_come_from_access_keys() {
        assert_eq!(account_of_key("111122223333"), "111122223333");
        assert_eq!(account_of_key(&temporary_key("444455556666")), "444455556666");
        for other in ["AKIAIOSFODNN7EXAMPLE", "", "test", "11112222333", "1111222233334", "ASIASANDBOX12"] {
            assert_eq!(account_of_key(other), DEFAULT_ACCOUNT);
        }
    }

    #[test]
    fn a_session_token_carries_its_role() {
        let role = AssumedRole { role: "deploy".to_owned(), session: "ci@main".to_owned() };
        assert_eq!(AssumedRole::from_token(&role.to_token()), Some(role));
        assert_eq!(AssumedRole::from_token("keywright-sandbox.!!"), None);
        assert_eq!(AssumedRole::from_token("FwoGZXIvYXdzE"), None);
    }

    #[test]
    fn suffixes_repeat_with_the_seed_and_differ_otherwise() {
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
    fn arns_know_their_partition() {
        assert_eq!(
            Home::new("111122223333", "cn-north-1").secret_arn("a/b", "AbCd12"),
            "arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:a/b-AbCd12"
        );
        assert_eq!(partition("us-gov-west-1"), "aws-us-gov");
        assert_eq!(partition("eu-west-1"), "aws");
    }
}
