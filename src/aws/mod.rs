//! The only module that imports the AWS SDK.
//!
//! - `connection`: from a target to a client: credentials, region, endpoint, and the account that they belong to;
//! - `embedded`: the same client with the embedded sandbox in the place of the network;
//! - `read` and `write`: the two traits on top of a client;
//! - `kms`: data keys of SOPS files;
//! - `bounded`: the longest answer that is read;
//! - `retry`: which failures are tried again;
//! - `quota`: the pace that AWS documents, kept on our side;
//! - `calls`: how many requests were sent;
//! - `sent`: each request and its answer, for the recorder of writing calls;
//! - `post`: one POST to somebody else, through the same HTTP and TLS;
//! - `error`: the SDK's errors in our words.
//!
//! What may not enter: planning, printing, and any decision about what to write.

mod bounded;
mod calls;
mod clock;
mod connection;
mod embedded;
mod endpoint;
mod error;
mod kms;
mod post;
mod quota;
mod read;
mod retry;
mod sent;
mod write;

pub use calls::CallCounts;
pub use connection::{Aws, ConnectError, Connection, CredentialPlaces};
pub use kms::Kms;
pub use post::{PostError, post_json};
pub use read::Reader;
pub use write::Writer;
