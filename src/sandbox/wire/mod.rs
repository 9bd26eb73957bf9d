//! Requests and answers as they travel, and every error that the service answers with.
//!
//! `protocol` reads a request's headers and writes its answer, `members` knows what inputs have and
//! `parameters` what is logged of them, `constraint` has the
//! API model's checks and their sentences, `page` the tokens between pages, `error` the codes and texts. What may not
//! enter: what an operation does, and what is stored.

mod constraint;
mod error;
pub(crate) mod limits;
pub(crate) mod members;
mod page;
pub(crate) mod parameters;
pub(crate) mod protocol;
pub(crate) mod query;

pub(crate) use constraint::Constraints;
pub(crate) use error::{ErrorCode, ServiceError, service_of};
pub(crate) use page::{Place, Query};
pub(crate) use protocol::{Envelope, EpochSeconds, Peer, Reply, SensitiveBytes, SensitiveText, Service, input};
