//! Who calls, and what the caller may do.
//!
//! `identity` reads the caller from the headers of a request. `requests` has the authorization requests of each call,
//! `identity_policy` evaluates them against the policy that is enforced, `pattern` compares. `lock_out` and
//! `policy_text` are about resource policies: whether one shuts its caller out, and the layout in which the service
//! answers with one. What may not enter: what an operation does once it is allowed.

mod identity;
mod identity_policy;
pub(crate) mod lock_out;
mod pattern;
pub(crate) mod policy_text;
mod requests;

pub(crate) use identity::{AssumedRole, Caller, Named, is_path, is_plain_name, temporary_key};
pub(crate) use identity_policy::IdentityPolicy;
pub use identity_policy::PolicyError;
pub(crate) use requests::{Authorization, Authorizer};
