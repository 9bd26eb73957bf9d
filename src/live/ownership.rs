//! Whose a live secret is, as its tag `keywright:project` says it.

use super::LiveSecret;
use crate::desired::{OWNER_TAG, owner_tag};

/// Whose a secret is, seen from one target of one project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership<'a> {
    /// It carries no owner tag.
    Unowned,
    /// It is this target's.
    Ours {
        /// The scope prefix under which it was applied last.
        prefix: &'a str,
    },
    /// Its tag was written for another secret, or by hand: it owns nothing.
    Copied {
        /// `project/target` as the tag names it.
        owner: &'a str,
    },
    /// It is another project's, or another target's.
    Foreign {
        /// `project/target` as the tag names it.
        owner: &'a str,
    },
}

impl LiveSecret {
    /// `project/target` as the tag `keywright:project` names it, whether or not the tag was written for this secret.
    pub fn named_owner(&self) -> Option<&str> {
        self.tags.get(OWNER_TAG).map(|value| owner_tag::split(value).0)
    }

    /// The scope prefix under which the owner tag was written for this very secret.
    fn bound_prefix(&self) -> Option<&str> {
        let (_, binding) = owner_tag::split(self.tags.get(OWNER_TAG)?);
        owner_tag::bound_prefix(self.name.as_str(), binding?)
    }

    /// Whose it is, seen from the target whose owner text is `ours` (`project/target`).
    pub fn ownership(&self, ours: &str) -> Ownership<'_> {
        let Some(owner) = self.named_owner() else { return Ownership::Unowned };
        let bound = self.tags.get(OWNER_TAG).is_some_and(|value| owner_tag::split(value).1.is_some());
        match self.bound_prefix() {
            Some(prefix) if owner == ours => Ownership::Ours { prefix },
            Some(_) => Ownership::Foreign { owner },
            // A tag of another project that is bound to nothing was written by hand: leave that project its secret.
            None if owner != ours && !bound => Ownership::Foreign { owner },
            None => Ownership::Copied { owner },
        }
    }

    /// Whether it is the secret of the target whose owner text is `ours`.
    pub fn is_owned_by(&self, ours: &str) -> bool {
        matches!(self.ownership(ours), Ownership::Ours { .. })
    }

    /// Whether nobody owns it, so that a manifest may adopt it: no owner tag, or one that was copied.
    pub fn is_adoptable_by(&self, ours: &str) -> bool {
        matches!(self.ownership(ours), Ownership::Unowned | Ownership::Copied { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::owner_tag::bind;
    use crate::domain::TagKey;

    fn tagged(name: &str, tag: &str) -> LiveSecret {
        let mut secret = LiveSecret::bare(name);
        secret.tags.insert(TagKey::of_service(OWNER_TAG), tag.to_owned());
        secret
    }

    #[test]
    fn a_tag_owns_the_secret_for_which_it_was_written() {
        let tag = bind("pay/prod", "app/db", "app/");
        assert_eq!(tagged("app/db", &tag).ownership("pay/prod"), Ownership::Ours { prefix: "app/" });
        assert_eq!(tagged("app/db", &tag).ownership("pay/dev"), Ownership::Foreign { owner: "pay/prod" });
        assert_eq!(tagged("app/db-backup", &tag).ownership("pay/prod"), Ownership::Copied { owner: "pay/prod" });
        assert_eq!(tagged("app/db-backup", &tag).ownership("pay/dev"), Ownership::Copied { owner: "pay/prod" });
    }

    #[test]
    fn the_scope_under_which_it_was_applied_is_known() {
        let tag = bind("pay/prod", "app/x/db", "app/x/");
        assert_eq!(tagged("app/x/db", &tag).ownership("pay/prod"), Ownership::Ours { prefix: "app/x/" });
    }

    #[test]
    fn a_tag_without_a_binding_owns_nothing_of_ours_and_keeps_what_is_of_others() {
        assert_eq!(tagged("app/db", "pay/prod").ownership("pay/prod"), Ownership::Copied { owner: "pay/prod" });
        assert_eq!(
            tagged("app/db", "billing/prod").ownership("pay/prod"),
            Ownership::Foreign { owner: "billing/prod" }
        );
        assert_eq!(LiveSecret::bare("app/db").ownership("pay/prod"), Ownership::Unowned);
    }
}
