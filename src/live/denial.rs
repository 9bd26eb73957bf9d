//! Which policy denied a call, in AWS's own words.
//!
//! Source: IAM user guide, "Troubleshoot access denied error messages": a message ends in `because no KIND allows the
//! ACTION action` or in `with an explicit deny in a KIND`. Secrets Manager says of a KMS key that it may not use only
//! "Access to KMS is not allowed".

/// What denied a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The kind of policy.
    pub by: DeniedBy,
    /// Whether a statement denies it; else no statement allows it.
    pub explicit: bool,
}

/// A kind of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeniedBy {
    /// A policy of the caller: of the user, its groups, or the role.
    Identity,
    /// The policy of the secret, or of another resource.
    Resource,
    /// A service control policy of the organisation.
    ServiceControl,
    /// A resource control policy of the organisation.
    ResourceControl,
    /// The permissions boundary of the caller.
    Boundary,
    /// The policy that came with the session.
    Session,
    /// The policy of the VPC endpoint that the call went through.
    VpcEndpoint,
    /// The trust policy of a role.
    RoleTrust,
    /// The policy of the KMS key, or the caller's permission to use it.
    Key,
}

impl DeniedBy {
    const NAMES: [(&'static str, Self); 8] = [
        ("identity-based policy", Self::Identity),
        ("resource-based policy", Self::Resource),
        ("service control policy", Self::ServiceControl),
        ("resource control policy", Self::ResourceControl),
        ("permissions boundary", Self::Boundary),
        ("session policy", Self::Session),
        ("vpc endpoint policy", Self::VpcEndpoint),
        ("role trust policy", Self::RoleTrust),
    ];
}

impl Denial {
    /// Reads a message. None where it does not name a kind of policy.
    pub fn read(message: &str) -> Option<Self> {
        let text = message.to_lowercase();
        if text.contains("access to kms is not allowed") {
            return Some(Self { by: DeniedBy::Key, explicit: false });
        }
        let (rest, explicit) = match text.split_once("with an explicit deny in a") {
            Some((_, rest)) => (rest.strip_prefix('n').unwrap_or(rest), true),
            None => (text.split_once("because no")?.1, false),
        };
        let (_, by) = DeniedBy::NAMES.into_iter().find(|(name, _)| rest.trim_start().starts_with(name))?;
        Some(Self { by, explicit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_policy_is_read_from_the_end_of_the_message() {
        let user = "User: arn:aws:sts::111111111111:assumed-role/gitops/ci is not authorized to perform: \
            secretsmanager:CreateSecret on resource: prod/e1";
        let read = |end: &str| Denial::read(&format!("{user} {end}")).map(|denial| (denial.by, denial.explicit));
        for (name, by) in DeniedBy::NAMES {
            let article = if name.starts_with('i') { "an" } else { "a" };
            assert_eq!(read(&format!("with an explicit deny in {article} {name}")), Some((by, true)), "{name}");
            let missing = format!("because no {name} allows the secretsmanager:CreateSecret action");
            assert_eq!(read(&missing), Some((by, false)), "{name}");
        }
        assert_eq!(read("because no VPC endpoint policy allows the action"), Some((DeniedBy::VpcEndpoint, false)));
        let with_arn = "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o/p";
        assert_eq!(read(with_arn), Some((DeniedBy::ServiceControl, true)));
        assert_eq!(Denial::read("Access to KMS is not allowed").map(|denial| denial.by), Some(DeniedBy::Key));
        for silent in ["", "with an explicit deny", "because no one allows it", "with an explicit deny in a dream"] {
            assert_eq!(read(silent), None, "{silent}");
        }
    }
}
