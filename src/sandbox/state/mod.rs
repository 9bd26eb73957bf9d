//! What the sandbox remembers: the database, the records in it, and the log of calls.
//!
//! `store` opens the database, `commit` brings changes to the disk, `transaction` takes one back that failed,
//! `tables` reads and `changes` writes it, `index` is
//! what lists find secrets by, `record` and `label` are what is kept of a secret, `cipher` encrypts the values.
//! `lookup` finds a secret by what a client calls it, `replica` keeps its copies in step, `cross_account` its replica
//! in another account, `schedule` knows when it rotates next. `snapshot` writes what exists in another account, `dump`
//! shows what is here, `calls` is the log, `events` what CloudTrail keeps. What may not enter: requests, and the rules
//! of single operations.

mod calls;
mod changes;
mod cipher;
mod commit;
pub(crate) mod cross_account;
pub(crate) mod dump;
mod events;
mod index;
pub(crate) mod kms;
mod label;
pub(crate) mod lookup;
mod record;
pub(crate) mod replica;
mod schedule;
pub(crate) mod snapshot;
mod store;
mod tables;
mod transaction;

pub(crate) use calls::CallLog;
pub use calls::{Call, Outcome};
pub use dump::SecretDump;
pub(crate) use events::{Event, EventPlace};
pub(crate) use index::{Facet, Indexed};
pub(crate) use label::{CURRENT, Labels, PENDING, PREVIOUS};
pub(crate) use lookup::{Found, SecretId, is_valid_name};
pub use record::{CrossAccountPrimary, CrossAccountReplica, CrossAccountStatus};
pub(crate) use record::{
    Deletion, Metadata, Replica, ReplicaStatus, Rotation, RotationRules, SecretData, SecretRecord, Tag, VersionRecord,
};
pub use snapshot::{LoadError, Snapshot, SnapshotReplica, SnapshotRotation, SnapshotStatus, SnapshotVersion};
pub use store::StoreError;
pub(crate) use store::{OpenError, Store};
pub(crate) use tables::{Reader, Transaction, View, Writer};
