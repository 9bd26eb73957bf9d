//! keywright keeps AWS Secrets Manager in step with a git repository.
//!
//! ```text
//!   cli/  ── a command line: arguments in, text and an exit code out
//!    │ │
//!    │ └── render/ ── plans, reports, errors and hints → text, JSON, …; pure
//!    │        │
//!   workflow/ ── what commands do over all targets; values in, values, errors and events out
//!    │
//!    │      manifests (YAML)        AWS Secrets Manager, or the embedded sandbox
//!    │           │                         │
//!    ├──── manifest/                     aws/  ── the only module that imports the SDK
//!    │           │                         │
//!    │     desired.rs   value/           live/ ── reads: List, Describe, GetResourcePolicy
//!    │           └───────────┬─────────────┘
//!    ├── reconcile.rs        │             ── one target: read, plan, verify
//!    │                     plan/  ── pure: desired + snapshot → plan + report
//!    │                       │
//!    │           ┌───────────┴─────────────┐
//!    ├──── drift/, inventory/, import/   apply/ ── writes, in dependency order
//!    │     a plan read as a report,        │
//!    │     what is there, live secrets   aws/
//!    │     as manifests
//!    │
//!    └──── watch/  ── what a round means for the next one
//! ```
//!
//! Three packages stand below: `declared/` has `manifest`, `value` and `desired`, and knows of nothing that is live;
//! `ground/` knows of nothing above it: `domain/` holds what AWS and keywright call things, `policy/` reads IAM
//! documents, `files/` is the one door to files; `sandbox/` is the embedded service. Beside them, `attribution/` reads
//! CloudTrail's events, for people who ask who made a difference: nothing is decided by it. The JSON Schemas are texts
//! in `schemas.rs`, which a test makes from the types.
//!
//! The invariants that hold everywhere, each with a test that fails when it is broken:
//!
//! 1. Planning never writes: reading and writing are different traits, and only `apply` and the day-2 commands can
//!    build the writer.
//! 2. The planner is pure: the same inputs give the same bytes.
//! 3. Execution decides nothing: each action carries what it needs.
//! 4. Apply converges: after an apply that reports success, a new plan is empty.
//! 5. Plaintext stays inside: no secret value ever reaches output, logs, plan files or errors.
//! 6. Nothing outside the project's scope is touched, whatever the manifests say.
//! 7. Absent means unmanaged; `null` or empty means there must be none.
//! 8. A plan that changes nothing prints nothing alarming and costs almost nothing.
//!
//! Errors of commands are data, with kind, source and hints, until `cli/report.rs` prints them.

pub use keywright_declared::{desired, manifest, origin, value};
use keywright_ground::{collect, every_core, loopback, serving, sort_few};
pub use keywright_ground::{domain, files, policy};
pub use keywright_sandbox as sandbox;

pub mod apply;
pub mod attribution;
pub mod aws;
pub mod cli;
pub mod drift;
pub mod exit_code;
pub mod iam;
pub mod import;
pub mod inventory;
pub mod live;
pub mod plan;
pub mod reconcile;
pub mod rehearse;
pub mod render;
mod schemas;
pub mod watch;
pub mod workflow;
