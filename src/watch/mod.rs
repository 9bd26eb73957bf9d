//! Drift in a loop: what a round means for the next one, and what others are told of it.
//!
//! - `findings`: which findings came and went between two rounds; pure;
//! - `pace`: how long to wait for the next round; pure;
//! - `board`: what the last rounds came to, for whoever asks over HTTP;
//! - `server`: `/healthz` and `/metrics`;
//! - `webhook`: where changes are posted, and who may read them on the way.
//!
//! The rounds themselves are run by `cli`. What may not enter: reading or writing secrets, and sentences (those are
//! `render`).

mod board;
mod findings;
mod pace;
mod server;
mod webhook;

pub use board::{Board, Outcome, Rounds};
pub use findings::{Change, Finding, Findings};
pub use pace::Pace;
pub use server::Server;
pub use webhook::{Webhook, WebhookError};
