//! Who calls, and where: the account and region of a request, the keys that AssumeRole hands out, and how events name
//! the caller.
//!
//! The account comes from the access key id in the SigV4 credential scope: twelve digits, or these with a dot and the
//! name of an IAM user behind them. Signatures are **not** verified: the sandbox is no authority on anything, it only
//! needs to know which account and region a request means, and who is to be named in its events.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::home::{DEFAULT_ACCOUNT, Home, is_account, partition};
use crate::wire::Envelope;

/// The temporary keys of the sandbox's AssumeRole begin so; the twelve digits of the account follow.
const TEMPORARY_KEY: &str = "ASIASANDBOX";

/// The session tokens of the sandbox's AssumeRole begin so; role and session follow, encoded.
const SESSION_TOKEN: &str = "keywright-sandbox.";

/// The IAM user of keys that name none.
const USER: &str = "sandbox";

/// The longest access key id that an event shows, in bytes: the API reference of IAM has 128.
const SHOWN_KEY: usize = 128;

/// By what a caller is called.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Named<'a> {
    /// The name of an IAM user.
    User(&'a str),
    Role(&'a AssumedRole),
}

impl Named<'_> {
    /// Whoever says nothing else.
    pub(crate) const NOBODY: Self = Self::User(USER);
}

/// Who sent a request, as its headers say.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) home: Home,
    /// The role that AssumeRole handed out, when the request carries such a session token.
    pub(crate) role: Option<AssumedRole>,
    /// The name of the IAM user, where there is no role.
    pub(crate) user: String,
    /// Cut where it is longer than one can be.
    pub(crate) access_key_id: String,
}

impl Caller {
    pub(crate) fn of(envelope: &Envelope<'_>) -> Self {
        let key = envelope.access_key_id;
        let (account, user) = account_and_user(key);
        Self {
            home: Home::new(account, envelope.region),
            role: envelope.session_token.and_then(AssumedRole::from_token),
            user: user.to_owned(),
            access_key_id: key[..key.floor_char_boundary(SHOWN_KEY)].to_owned(),
        }
    }

    pub(crate) fn named(&self) -> Named<'_> {
        self.role.as_ref().map_or(Named::User(&self.user), Named::Role)
    }

    /// Who an event of CloudTrail names as its `Username`: the user, or the session of the role.
    pub(crate) fn username(&self) -> &str {
        self.role.as_ref().map_or(&self.user, |role| &role.session)
    }

    /// The caller's unique id, as GetCallerIdentity and events have it.
    pub(crate) fn principal_id(&self) -> String {
        let account = &self.home.account;
        match &self.role {
            Some(AssumedRole { session, .. }) => format!("AROASANDBOX{account}:{session}"),
            None => format!("AIDASANDBOX{account}"),
        }
    }

    /// `userIdentity` of the caller's events, as the API reference of CloudTrail has it for users and for roles.
    pub(crate) fn event_identity(&self) -> Value {
        let Home { account, region } = &self.home;
        let (arn, principal) = (self.arn(), self.principal_id());
        let (kind, own) = match &self.role {
            Some(AssumedRole { path, role, .. }) => {
                let issuer = json!({
                    "type": "Role",
                    "principalId": format!("AROASANDBOX{account}"),
                    "arn": format!("arn:{}:iam::{account}:role/{path}{role}", partition(region)),
                    "accountId": account,
                    "userName": role,
                });
                ("AssumedRole", ("sessionContext", json!({ "sessionIssuer": issuer })))
            }
            None => ("IAMUser", ("userName", json!(self.user))),
        };
        let mut identity = json!({
            "type": kind,
            "principalId": principal,
            "arn": arn,
            "accountId": account,
            "accessKeyId": self.access_key_id,
        });
        identity[own.0] = own.1;
        identity
    }

    /// The caller's ARN, as GetCallerIdentity and IAM's errors name it.
    pub(crate) fn arn(&self) -> String {
        let Home { account, region } = &self.home;
        let partition = partition(region);
        match &self.role {
            Some(AssumedRole { path: _, role, session }) => {
                format!("arn:{partition}:sts::{account}:assumed-role/{role}/{session}")
            }
            None => format!("arn:{partition}:iam::{account}:user/{}", self.user),
        }
    }
}

/// The account and the IAM user that an access key id means.
fn account_and_user(access_key_id: &str) -> (&str, &str) {
    let digits = access_key_id.strip_prefix(TEMPORARY_KEY).unwrap_or(access_key_id);
    match digits.split_once('.') {
        Some((account, user)) if is_account(account) && is_plain_name(user) => (account, user),
        _ if is_account(digits) => (digits, USER),
        _ => (DEFAULT_ACCOUNT, USER),
    }
}

/// The access key id that stands for `account`.
pub(crate) fn temporary_key(account: &str) -> String {
    format!("{TEMPORARY_KEY}{account}")
}

/// The role and session that a session token of AssumeRole carries, so that GetCallerIdentity can name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AssumedRole {
    /// The role's path without its first slash, such as `ci/`; empty for none.
    pub(crate) path: String,
    pub(crate) role: String,
    pub(crate) session: String,
}

impl AssumedRole {
    pub(crate) fn to_token(&self) -> String {
        format!("{SESSION_TOKEN}{}", URL_SAFE_NO_PAD.encode(format!("{}{}/{}", self.path, self.role, self.session)))
    }

    /// Reads a token back; any other token says nothing about a role.
    fn from_token(token: &str) -> Option<Self> {
        let decoded = URL_SAFE_NO_PAD.decode(token.strip_prefix(SESSION_TOKEN)?).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (role, session) = text.rsplit_once('/')?;
        let role_at = role.rfind('/').map_or(0, |slash| slash + 1);
        let (path, role) = role.split_at(role_at);
        let plain = is_plain_name(role) && is_plain_name(session) && is_path(path);
        plain.then(|| Self { path: path.to_owned(), role: role.to_owned(), session: session.to_owned() })
    }
}

/// Names with a slash behind each, or nothing.
pub(crate) fn is_path(text: &str) -> bool {
    text.is_empty() || text.strip_suffix('/').is_some_and(|names| names.split('/').all(is_plain_name))
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
        assert_eq!(account_and_user("111122223333"), ("111122223333", "sandbox"));
        assert_eq!(account_and_user("111122223333.alice"), ("111122223333", "alice"));
        assert_eq!(account_and_user(&temporary_key("444455556666")), ("444455556666", "sandbox"));
        for other in [
            "AKIAIOSFODNN7EXAMPLE",
            "",
            "test",
            "11112222333",
            "1111222233334",
            "ASIASANDBOX12",
            "111122223333.",
            "1.a",
        ] {
            assert_eq!(account_and_user(other), (DEFAULT_ACCOUNT, "sandbox"));
        }
    }

    #[test]
    fn a_session_token_carries_role_and_session() {
        for path in ["", "ci/", "aws-reserved/sso.amazonaws.com/"] {
            let (path, role) = (path.to_owned(), "deploy".to_owned());
            let role = AssumedRole { path, role, session: "ci@main".to_owned() };
            assert_eq!(AssumedRole::from_token(&role.to_token()), Some(role));
        }
        assert_eq!(AssumedRole::from_token("keywright-sandbox.!!"), None);
        assert_eq!(AssumedRole::from_token("FwoGZXIvYXdzE"), None);
    }
}
