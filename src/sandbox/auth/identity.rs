//! Who calls, and where: the account and region of a request, and the keys that AssumeRole hands out.
//!
//! The account comes from the access key id in the SigV4 credential scope. Signatures are **not** verified: the
//! sandbox is no authority on anything, it only needs to know which account and region a request means.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::sandbox::home::{DEFAULT_ACCOUNT, Home, is_account, partition};
use crate::sandbox::wire::Envelope;

/// The temporary keys of the sandbox's AssumeRole begin so; the twelve digits of the account follow.
const TEMPORARY_KEY: &str = "ASIASANDBOX";

/// The session tokens of the sandbox's AssumeRole begin so; role and session follow, encoded.
const SESSION_TOKEN: &str = "keywright-sandbox.";

/// Who sent a request, as its headers say.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) home: Home,
    /// The role that AssumeRole handed out, when the request carries such a session token.
    pub(crate) role: Option<AssumedRole>,
}

impl Caller {
    pub(crate) fn of(envelope: &Envelope<'_>) -> Self {
        Self {
            home: Home::new(account_of_key(envelope.access_key_id), envelope.region),
            role: envelope.session_token.and_then(AssumedRole::from_token),
        }
    }

    /// The caller's ARN, as GetCallerIdentity and IAM's errors name it.
    pub(crate) fn arn(&self) -> String {
        let Home { account, region } = &self.home;
        let partition = partition(region);
        match &self.role {
            Some(AssumedRole { role, session }) => {
                format!("arn:{partition}:sts::{account}:assumed-role/{role}/{session}")
            }
            None => format!("arn:{partition}:iam::{account}:user/sandbox"),
        }
    }
}

/// The account that an access key id means.
fn account_of_key(access_key_id: &str) -> &str {
    let digits = access_key_id.strip_prefix(TEMPORARY_KEY).unwrap_or(access_key_id);
    if is_account(digits) { digits } else { DEFAULT_ACCOUNT }
}

/// The access key id that stands for `account`.
pub(crate) fn temporary_key(account: &str) -> String {
    format!("{TEMPORARY_KEY}{account}")
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
    fn from_token(token: &str) -> Option<Self> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_key_of_twelve_digits_is_its_account() {
        assert_eq!(account_of_key("111122223333"), "111122223333");
        assert_eq!(account_of_key(&temporary_key("444455556666")), "444455556666");
        for other in ["AKIAIOSFODNN7EXAMPLE", "", "test", "11112222333", "1111222233334", "ASIASANDBOX12"] {
            assert_eq!(account_of_key(other), DEFAULT_ACCOUNT);
        }
    }

    #[test]
    fn a_session_token_carries_role_and_session() {
        let role = AssumedRole { role: "deploy".to_owned(), session: "ci@main".to_owned() };
        assert_eq!(AssumedRole::from_token(&role.to_token()), Some(role));
        assert_eq!(AssumedRole::from_token("keywright-sandbox.!!"), None);
        assert_eq!(AssumedRole::from_token("FwoGZXIvYXdzE"), None);
    }
}
