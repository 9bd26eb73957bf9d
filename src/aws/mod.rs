//! The only module that imports the AWS SDK.
//!
//! - `connection`: from a target to a client: credentials, region, endpoint, and the account that they belong to;
//! - `embedded`: the same client with the embedded sandbox in the place of the network;
//! - `read` and `write`: the two traits on top of a client;
//! - `kms`: data keys of SOPS files;
//! - `http`: certificates, proxies and the longest answer; `settings`: what the environment and the profile say;
//! - `raw`: signed calls of what the SDK has no client for, `cross_account`, replication between accounts, and
//!   `cloudtrail`, who called what;
//! - `quota`: the rates that AWS documents, and `pace`, which keeps them and follows what the service says;
//! - `retry`: which failed calls are made again, `wait_reporter`, which says so, and `time`, which passes meanwhile;
//! - `calls`: how many requests were sent;
//! - `sent`: each request and its answer, for the recorder of writing calls;
//! - `post`: one POST to somebody else, through the same HTTP and TLS;
//! - `error`: the SDK's errors in our words.
//!
//! What may not enter: planning, printing, and any decision about what to write.

mod calls;
mod clock;
mod cloudtrail;
mod connection;
mod credential_kind;
mod credentials;
mod cross_account;
mod embedded;
mod endpoint;
mod error;
mod http;
mod kms;
mod pace;
mod post;
mod quota;
mod raw;
mod read;
mod retry;
mod sent;
mod settings;
mod time;
mod wait_reporter;
mod write;

#[cfg(test)]
mod tests;

pub use calls::CallCounts;
pub use cloudtrail::Trail;
pub use connection::{Aws, ConnectError, Connection};
pub use credential_kind::{CredentialKind, credentials_in_sight};
pub use credentials::{CredentialPlace, CredentialProblem, CredentialSearch, NamedBy};
pub use kms::Kms;
pub use post::{PostError, post_json};
pub use quota::{POLICY_CALLS_PER_SECOND, quota_seconds};
pub use read::Reader;
pub use settings::SettingError;
pub use wait_reporter::WaitReporter;
pub use write::Writer;
