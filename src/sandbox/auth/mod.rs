//! Who calls, and what he may do.
//!
//! `identity` knows accounts, regions and roles, `sts` hands out and names them. `identity_policy` evaluates the policy
//! that is enforced, `requests` is what each call asks of it. `lock_out` and `policy_text` are about resource policies.
//! What may not enter: what an operation does once it is allowed.

mod identity;
mod identity_policy;
pub(crate) mod lock_out;
pub(crate) mod policy_text;
mod requests;
pub(crate) mod sts;

pub use identity::DEFAULT_ACCOUNT;
pub(crate) use identity::{AssumedRole, Home, account_of_key, arn_suffix, is_account};
pub(crate) use identity_policy::IdentityPolicy;
pub use identity_policy::PolicyError;
pub(crate) use requests::Authority;
