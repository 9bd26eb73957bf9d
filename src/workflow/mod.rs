//! What commands do: loading a project, opening value sources, connecting, planning, guarding, applying, verifying.
//!
//! The room between `cli` and the rest. Its functions take values and return values: a plan, a report, an [`Error`]
//! with its kind, source and hints, and [`Event`]s while something goes on. Another front end would begin here.
//!
//! What may not enter: printing, prompts, exit codes, the grammar of the command line, and sentences about plans.

mod apply;
mod approved;
mod begun;
mod beside;
mod cache;
mod counterparts;
mod day_two;
mod doctor;
mod drift;
mod effective;
mod error;
mod event;
mod failures;
pub mod files;
mod git;
mod history;
mod import;
mod inventory;
mod journal;
mod memories;
mod next;
mod noise;
mod one_secret;
mod outcome;
mod prepare;
mod problem;
mod promote;
mod readiness;
mod release;
mod removals;
mod replicas;
mod rotate;
mod sandbox;
mod scaffold;
mod session;
mod stop;
mod turn;
mod values;
mod versions;
mod watch;
mod who;

pub use apply::ApplyRequest;
pub use approved::{ApprovedPlan, AskedOtherwise, RunFlags, lines};
pub use cache::Cache;
pub use day_two::{
    Call, Caution, Intended, Made, PrimaryPlace, promote, repair_rotation, restore, roll_back, start_rotation,
    stop_rotation,
};
pub use doctor::{Answer, Check, Checkup, ProjectState, TargetCheckup, Verdict, examine};
pub use drift::{Look, Looked};
pub use effective::effective;
pub use error::{Error, ErrorKind, FileProblem, Hint, NothingDone, SecretProblem};
pub use event::{Counted, Event, FileOutcome, Listener};
pub use failures::{TargetFailure, ValueFailure, group_targets, group_values};
pub use import::{ImportFrom, ImportRequest, Imported, ImportedTarget, Unmanaged, UnreadTarget, import};
pub use inventory::InventoryRequest;
pub use journal::{Caller, Entries, Journal};
pub use memories::{FullInterval, Looks, Memories};
pub use next::{NextStep, next_step};
pub use one_secret::{OneSecret, git_version};
pub use outcome::{AppliedTarget, ApplyOutcome, ApplyRun, ReadAgain};
pub use prepare::{PlanRequest, Planned, Prepared, PreparedTarget};
pub use problem::Problem;
pub use readiness::{Readiness, readiness};
pub use release::Release;
pub use rotate::follow_rotation;
pub use sandbox::{
    Reach, SandboxPlace, advance_sandbox, bind_sandbox, empty_sandbox, enforce, inject_faults, make_fixtures,
    open_sandbox,
};
pub use scaffold::{NewProject, choose_name, init, project_name};
pub use session::{Run, Session, load_for_one_secret, load_linked, load_project, name_of_project};
pub use stop::{Stop, stopped, unless_stopped};
pub use values::{NoPasswords, RunValues, ValueRules, ValueSources, sops_keys};
pub use versions::{compare_versions, versions_of};
pub use watch::{Obstacle, Round, Standing, Watch, WatchEvent, WatchSettings};
pub use who::{Asked, ask_of_versions, ask_who};
