//! By which names a policy can mean a caller.

use super::super::pattern::{fits, has_wildcard};
use super::super::principal::{account_of, is_account};
use super::condition::Verdict;

/// Whoever calls Secrets Manager.
#[derive(Debug)]
pub(in super::super) struct Caller<'a> {
    arn: &'a str,
    /// `arn:PARTITION:iam::ACCOUNT:`.
    iam: String,
    account: &'a str,
    who: Who<'a>,
}

#[derive(Debug)]
enum Who<'a> {
    /// A role, by name. The ARN of its session does not tell its path; role names are unique within an account.
    Role {
        name: &'a str,
        path_is_known: bool,
        session: Option<&'a str>,
    },
    User,
    Root,
    Other,
}

impl<'a> Caller<'a> {
    /// Reads the ARN of a caller, as GetCallerIdentity gives it, or of a role. None for what is no such ARN.
    pub(in super::super) fn read(arn: &'a str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", partition, service, "", account, resource] = parts[..] else { return None };
        account_of(arn)?;
        let who = match (service, resource.split_once('/')) {
            ("iam", None) if resource == "root" => Who::Root,
            ("iam", Some(("role", path))) => {
                Who::Role { name: path.rsplit('/').next().unwrap_or(path), path_is_known: true, session: None }
            }
            ("iam", Some(("user", _))) => Who::User,
            ("sts", Some(("assumed-role", rest))) => {
                let (name, session) =
                    rest.split_once('/').map_or((rest, None), |(name, session)| (name, Some(session)));
                Who::Role { name, path_is_known: false, session }
            }
            _ => Who::Other,
        };
        Some(Self { arn, iam: format!("arn:{partition}:iam::{account}:"), account, who })
    }

    /// The account that the caller is in.
    pub(super) fn account(&self) -> &'a str {
        self.account
    }

    /// `aws:PrincipalType`, where the ARN tells it.
    pub(super) fn principal_type(&self) -> Option<&'static str> {
        match self.who {
            Who::Role { .. } => Some("AssumedRole"),
            Who::User => Some("User"),
            Who::Root => Some("Account"),
            Who::Other => None,
        }
    }

    /// Whether a principal of the kind `AWS` means the caller; without one, whether it means everyone in the account.
    pub(super) fn is_meant(caller: Option<&Self>, account: Option<&str>, principal: &str) -> Verdict {
        if principal == "*" {
            return Verdict::Yes;
        }
        // An id without an account is that of a principal which is gone.
        let Some(theirs) = account_of(principal) else { return Verdict::No };
        let Some(ours) = caller.map(|caller| caller.account).or(account) else { return Verdict::Maybe };
        if theirs != ours {
            return Verdict::No;
        }
        if is_account(principal) {
            return Verdict::Yes;
        }
        let Some(caller) = caller else { return Verdict::Maybe };
        match caller.who {
            Who::Role { session, .. } => match principal.split_once(":assumed-role/") {
                Some((_, rest)) => {
                    let (role, listed) = rest.split_once('/').unwrap_or((rest, ""));
                    match session {
                        _ if Some(role) != caller.role() => Verdict::No,
                        Some(session) => Verdict::of(session == listed),
                        None => Verdict::Maybe,
                    }
                }
                None => Verdict::of(caller.is_role_arn(principal)),
            },
            Who::User | Who::Root | Who::Other => Verdict::of(principal == caller.arn),
        }
    }

    /// Whether `NotPrincipal` leaves the caller out. IAM compares the account, the role and the session each by itself:
    /// whoever is to be left out is listed by all of them, and without the account all of it is denied (IAM's user
    /// guide, "NotPrincipal").
    pub(super) fn is_left_out(caller: Option<&Self>, account: Option<&str>, listed: &[&str]) -> Verdict {
        let ours = caller.map(|caller| caller.account).or(account);
        let is_ours = |one: &&str| *one == "*" || is_account(one) && account_of(one) == ours;
        if ours.is_some() && !listed.iter().any(is_ours) {
            return Verdict::No;
        }
        let named = Verdict::any(listed.iter().map(|principal| Self::is_meant(caller, account, principal)));
        if named != Verdict::Yes || listed.contains(&"*") {
            return named;
        }
        let means = |test: &dyn Fn(&str) -> bool| {
            listed.iter().any(|one| test(one) && Self::is_meant(caller, account, one) == Verdict::Yes)
        };
        let is_root = caller.is_some_and(|caller| matches!(caller.who, Who::Root));
        let in_full = means(&is_account) && (is_root || means(&|principal| !is_account(principal)));
        if in_full { Verdict::Yes } else { Verdict::Maybe }
    }

    /// Whether a value, or pattern, of a condition on `aws:PrincipalArn` fits the caller, which for a role's session is
    /// the ARN of the role. Without a caller: whether it fits everyone in the account.
    pub(in super::super) fn arn_matches(
        caller: Option<&Self>,
        account: Option<&str>,
        value: &str,
        is_pattern: bool,
    ) -> Verdict {
        if is_pattern && value == "*" {
            return Verdict::Yes;
        }
        let Some(caller) = caller else {
            let theirs = value.split(':').nth(4).filter(|theirs| !has_wildcard(theirs));
            return match (theirs, account) {
                (Some(theirs), Some(account)) if theirs != account => Verdict::No,
                _ => Verdict::Maybe,
            };
        };
        if !is_pattern || !has_wildcard(value) {
            return Verdict::of(match caller.who {
                Who::Role { .. } => caller.is_role_arn(value),
                Who::User | Who::Root | Who::Other => value == caller.arn,
            });
        }
        match caller.who {
            Who::Role { name, path_is_known: false, .. } => {
                let role = format!("{}role/", caller.iam);
                let without = fits(value, &format!("{role}{name}"));
                let with = fits(value, &format!("{role}{}/{name}", super::super::pattern::UNKNOWN));
                let head = value.split(['*', '?']).next().unwrap_or_default();
                if without && with {
                    Verdict::Yes
                } else if head.starts_with(&role) || role.starts_with(head) {
                    Verdict::Maybe
                } else {
                    Verdict::No
                }
            }
            _ => Verdict::of(fits(value, caller.arn)),
        }
    }

    fn role(&self) -> Option<&'a str> {
        match self.who {
            Who::Role { name, .. } => Some(name),
            Who::User | Who::Root | Who::Other => None,
        }
    }

    /// Whether this is the ARN of the caller's role. A path that is not known is taken to be right.
    fn is_role_arn(&self, arn: &str) -> bool {
        let Who::Role { name, path_is_known, .. } = self.who else { return false };
        if path_is_known {
            return arn == self.arn;
        }
        arn.strip_prefix(self.iam.as_str())
            .and_then(|rest| rest.strip_prefix("role/"))
            .is_some_and(|path| path.rsplit('/').next() == Some(name))
    }
}
