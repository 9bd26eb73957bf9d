//! Whom the policy of a secret lets in, by itself: whether a call is allowed in the end also depends on identity
//! policies, boundaries and organisations.

use std::collections::BTreeSet;

use crate::live::{LivePolicy, LiveSecret};
use crate::policy::{Deed, Lint, LintContext, LintedSecret, PolicyDocument, Shift, Turn, Who, lint};

/// Whom a policy lets in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// Whom it lets read the value.
    pub readers: Vec<Who>,
    /// Other accounts in what it allows.
    pub other_accounts: BTreeSet<String>,
    /// Whether it gives broad access, by the rules of BlockPublicPolicy.
    pub public: bool,
    /// Whether it denies something to everybody, or to everybody but those that it names.
    pub restricts: bool,
    /// Principals that were deleted, in words.
    pub dangling: Vec<String>,
}

impl Exposure {
    /// Whom the policy of a secret lets in, as far as it was read.
    pub(super) fn of(secret: &LiveSecret, caller: Option<&str>) -> Self {
        let LivePolicy::Document(document) = &secret.policy else { return Self::default() };
        let own_account = secret.arn.parts().map(|arn| arn.account.to_owned()).unwrap_or_default();
        let shifts = PolicyDocument::shifts(None, Some(document));
        let allowed = || shifts.iter().filter(|shift| shift.turn == Turn::Allowed);
        let reads = |shift: &&Shift| {
            let deeds = &shift.deeds;
            deeds.contains(&Deed::Read) || deeds.iter().any(|deed| matches!(deed, Deed::AllBut(_)))
        };
        let mut readers: Vec<Who> = allowed().filter(reads).map(|shift| shift.who.clone()).collect();
        readers.dedup();
        let context = LintContext { secret: LintedSecret::Arn(secret.arn.as_str()), caller };
        let dangling = lint(document, &context).into_iter().filter(|finding| finding.lint == Lint::DeletedPrincipal);
        Self {
            readers,
            other_accounts: allowed()
                .filter_map(|shift| match &shift.who {
                    Who::Account(account) | Who::Identity { account, .. } => Some(account.clone()),
                    Who::Everyone | Who::EveryoneBut(_) | Who::Service(_) | Who::Other(_) => None,
                })
                .filter(|account| *account != own_account)
                .collect(),
            public: document.grants_broad_access(),
            restricts: shifts
                .iter()
                .any(|shift| shift.turn == Turn::Denied && matches!(shift.who, Who::Everyone | Who::EveryoneBut(_))),
            dangling: dangling.map(|finding| finding.problem.message).collect(),
        }
    }
}
