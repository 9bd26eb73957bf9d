//! Properties of the whole pipeline, over generated projects and generated live states: manifests through planning and
//! applying to an empty plan, against the embedded sandbox.
//!
//! `desired` and `live` generate, `stage` builds and runs; the other modules say what must hold. `histories` and
//! `cross_account`, over two targets, have generators of their own.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod approved;
mod cross_account;
mod desired;
mod histories;
mod killed;
mod live;
mod order;
mod schedules;
mod stage;
mod whole;
