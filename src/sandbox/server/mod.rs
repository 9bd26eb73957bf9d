//! The sandbox as its users hold it.
//!
//! `sandbox` is the handle, `dispatch` answers a request with all that surrounds its operation, `fixtures` makes the
//! secrets of a YAML text. `listener` puts the sandbox on a TCP address, and `control` is the path beside the API
//! there. What may not enter: what an operation does.

mod control;
pub(crate) mod dispatch;
mod fixtures;
mod listener;
mod sandbox;

pub use fixtures::FixtureError;
pub use listener::Server;
pub use sandbox::NOW_HEADER;
pub use sandbox::{Hook, Options, Sandbox};
