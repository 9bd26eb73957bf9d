//! What is: snapshots of live secrets, the read trait, and the reader that fills a snapshot with few calls.
//!
//! Nothing here can change anything: [`ReadSecrets`] has only the reading operations. What may not enter: the AWS SDK
//! (that is `aws`), desired state beyond the names and scopes to look at. Values are read only where `--read-values`
//! asks for it.

mod all_policies;
mod cross_account;
mod declared_policies;
mod denial;
mod error;
#[cfg(test)]
pub(crate) mod in_memory;
mod listing;
mod memory;
mod ownership;
mod pages;
mod policy_cache;
mod policy_problem;
mod reader;
mod secret;
#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test may panic")]
mod tests;
mod undeclared;
mod waiting;

pub use cross_account::{
    Counterpart, CounterpartState, Counterparts, CrossAccount, LinkStatus, LinkedPrimary, LinkedReplica,
};
pub use denial::{Denial, DeniedBy};
pub use error::{ServiceError, ServiceErrorKind, ServiceHint};
pub use listing::list_scope;
pub use memory::{Memory, Remembering};
pub use ownership::Ownership;
pub(crate) use pages::Pages;
pub use policy_cache::{CacheError, PolicyCache};
pub use policy_problem::{AcceptedRisks, PolicyProblem};
pub use reader::{
    ListFilter, ListPage, OfSecret, PolicyVerdict, ReadProgress, ReadSecrets, ReadThrough, Wanted, describe_all,
    of_secret, policies_of, read, read_in_full, validate_policies, versions_of,
};
pub use secret::{
    Live, LivePolicy, LiveReplica, LiveRotation, LiveSecret, LiveValue, ReplicaStatus, Seen, VersionEntry,
};
pub use undeclared::read_undeclared;
pub use waiting::{Propagating, Waiting};
