//! Drift in a loop: what a round means for the next one, and what others are told of it.
//!
//! - `findings`: which findings came and went between two rounds; pure;
//! - `pace`: how long to wait for the next round, and for a target that could not be read; pure;
//! - `state`: what is known, in a file that survives a restart;
//! - `board`: what the last rounds came to, for whoever asks over HTTP;
//! - `server`: `/healthz`, `/readyz` and `/metrics`;
//! - `webhook`: where changes are posted, and who may read them on the way.
//!
//! The rounds themselves are run by `cli`. What may not enter: reading or writing secrets, and sentences (those are
//! `render`).

mod board;
mod findings;
mod pace;
mod server;
mod state;
mod webhook;

pub use board::{Board, Outcome, Rounds};
pub use findings::{Change, Finding, Findings};
pub use pace::{Backoff, Pace};
pub use server::{Page, Server};
pub use state::{State, StateError};
pub use webhook::{Webhook, WebhookError};
