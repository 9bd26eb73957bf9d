//! Who an event names: `userIdentity` of CloudTrail.
//!
//! Source: "CloudTrail userIdentity element" in the user guide of CloudTrail, and recorded events for what IAM Identity
//! Center leaves behind: a role `AWSReservedSSO_SET_0123456789abcdef`, whose sessions are named for their users.

use serde_json::Value;

use super::event::short;
use crate::domain::ArnParts;

/// What roles of IAM Identity Center begin with.
const RESERVED_SSO: &str = "AWSReservedSSO_";

/// Who made a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Whom the identity stands for.
    pub who: Who,
    /// Its ARN, where it has one. For a role that of the session.
    pub arn: Option<String>,
    /// The twelve-digit account that it belongs to, as far as it is known.
    pub account: Option<String>,
    /// The AWS service through which the call was made (`invokedBy`), where somebody else is behind it.
    pub through: Option<String>,
}

/// Whom an identity stands for. Texts are CloudTrail's, and those of whoever chose them; not escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// The account itself.
    Root,
    /// An IAM user, by name.
    User(String),
    /// Somebody in a session of a role.
    Role {
        /// The role's name.
        role: String,
        /// The session's name.
        session: String,
    },
    /// A user of IAM Identity Center, behind a role that it made.
    SsoUser {
        /// The session's name, which is the user's.
        user: String,
        /// The permission set.
        permission_set: String,
    },
    /// A user whom a provider of web identities or of SAML vouched for.
    Federated {
        /// The user's name, or id, with the provider.
        user: String,
        /// The provider.
        provider: Option<String>,
    },
    /// An AWS service by itself.
    Service(String),
    /// Another account, of which nothing more is known.
    Account(String),
    /// Anything else, by the name or the id that there is.
    Other {
        /// The type of the identity; empty where there is none.
        kind: String,
        /// A name, or an id; empty where there is neither.
        name: String,
    },
}

impl Principal {
    /// Reads `userIdentity`. What it has no place for, or of another type than it should be, is left out.
    pub(super) fn read(identity: &Value, username: Option<&str>) -> Self {
        let text = |path: &[&str]| path.iter().try_fold(identity, |value, member| value.get(member)).and_then(short);
        let arn = text(&["arn"]);
        let kind = text(&["type"]).unwrap_or_default();
        let named = || text(&["userName"]).or_else(|| username.map(str::to_owned)).or_else(|| text(&["principalId"]));
        let name = || named().unwrap_or_default();
        let invoked_by = text(&["invokedBy"]);
        let who = match kind.as_str() {
            "Root" => Who::Root,
            "IAMUser" => Who::User(text(&["userName"]).or_else(|| last_part(arn.as_deref())).unwrap_or_else(name)),
            "AssumedRole" => role(&text, arn.as_deref(), username).unwrap_or_else(|| other(kind, name())),
            "WebIdentityUser" | "SAMLUser" => Who::Federated { user: name(), provider: text(&["identityProvider"]) },
            "FederatedUser" => Who::Federated { user: last_part(arn.as_deref()).unwrap_or_else(name), provider: None },
            "AWSAccount" => text(&["accountId"]).map_or_else(|| other(kind, name()), Who::Account),
            // A service's own events say only by whom they are invoked.
            "AWSService" | "" if invoked_by.is_some() => Who::Service(invoked_by.clone().unwrap_or_default()),
            _ => other(kind, name()),
        };
        let through = invoked_by.filter(|_| !matches!(who, Who::Service(_)));
        Self { who, arn, account: text(&["accountId"]), through }
    }

    /// Whether this is the identity of a caller, by the ARN that GetCallerIdentity gives: the same user, or a session
    /// of the same role. Sessions of one permission set of Identity Center are those of different people.
    pub fn is(&self, caller: &str) -> bool {
        let Some(arn) = self.arn.as_deref() else { return false };
        let of_people = matches!(self.who, Who::SsoUser { .. });
        arn == caller || !of_people && assumed_role(arn).is_some_and(|role| assumed_role(caller) == Some(role))
    }
}

fn other(kind: String, name: String) -> Who {
    Who::Other { kind, name }
}

fn role(text: &dyn Fn(&[&str]) -> Option<String>, arn: Option<&str>, username: Option<&str>) -> Option<Who> {
    let parts = arn.and_then(assumed_role);
    let issuer = text(&["sessionContext", "sessionIssuer", "userName"]);
    let role = parts.map(|(_, role)| role.to_owned()).or(issuer)?;
    let of_arn = || arn?.rsplit_once('/').map(|(_, session)| session.to_owned()).filter(|_| parts.is_some());
    let of_id = || text(&["principalId"])?.split_once(':').map(|(_, session)| session.to_owned());
    let session = of_arn().or_else(of_id).or_else(|| username.map(str::to_owned)).unwrap_or_default();
    Some(match permission_set(&role) {
        Some(permission_set) => Who::SsoUser { user: session, permission_set: permission_set.to_owned() },
        None => Who::Role { role, session },
    })
}

/// The account and the name of the role in `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
fn assumed_role(arn: &str) -> Option<(&str, &str)> {
    let parts = ArnParts::parse(arn).filter(|parts| parts.service == "sts")?;
    let (role, _session) = parts.resource.strip_prefix("assumed-role/")?.split_once('/')?;
    Some((parts.account, role))
}

/// The permission set in the name of a role of IAM Identity Center: an id of sixteen hexadecimal digits is behind it.
fn permission_set(role: &str) -> Option<&str> {
    let (set, id) = role.strip_prefix(RESERVED_SSO)?.rsplit_once('_')?;
    (id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(set)
}

/// What stands behind the last slash of an ARN.
fn last_part(arn: Option<&str>) -> Option<String> {
    let (_, name) = arn?.rsplit_once('/')?;
    (!name.is_empty()).then(|| name.to_owned())
}
