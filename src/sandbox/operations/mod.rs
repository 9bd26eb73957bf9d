//! The operations of Secrets Manager, STS and CloudTrail, one file for each group of them. What may not enter: headers
//! and envelopes (`wire`), tables (`state`), and faults, but for those that the profile delays.
//!
//! `table` lists the operations of Secrets Manager with what surrounds each: its quota group, its authorization
//! requests, its function. Each function has the same shape: read the input, check the API model's constraints
//! (`wire::limits`), then the service's own rules in the order in which the service is known to check them (a missing
//! ClientRequestToken comes before a missing secret), then one transaction, then the output. Outputs leave out what has
//! no value, as the service does.
//!
//! `due` is what the service does by itself, `sts` the two actions of STS, `lookup_events` the one of CloudTrail, whose
//! events `recording` makes of calls; `filter`, `selection` and `versions` are shared by several operations, `rotate`
//! has the steps of a rotation.

mod batch;
mod create;
mod cross_account;
mod delete;
mod describe;
mod due;
mod filter;
mod get_value;
mod list;
pub(crate) mod lookup_events;
mod policy;
mod put_value;
mod random_password;
mod recording;
mod replication;
mod rotate;
mod rotation;
mod selection;
mod stages;
pub(crate) mod sts;
mod table;
mod tags;
mod update;
mod version_ids;
mod versions;

use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

use rand::Rng as _;
use rand::rngs::StdRng;

use crate::auth::{Authorizer, Named};
use crate::clock::Moment;
use crate::faults::{FaultProfile, Replications, RotationFunctions};
use crate::home::Home;
use crate::state::{Found, Reader, SecretData, SecretId, Store, Transaction, View, Writer, lookup};
use crate::wire::{Constraints, SensitiveBytes, SensitiveText, ServiceError, limits};

pub(crate) use due::run_due;
pub(crate) use recording::Recording;
pub(crate) use table::{find, run};

/// What an operation works with: the store, the moment, and the caller.
#[derive(Clone, Copy)]
pub(crate) struct Context<'s> {
    pub(crate) store: &'s Store,
    pub(crate) now: Moment,
    pub(crate) caller: &'s Home,
    /// What ARNs are derived from.
    pub(crate) rng_seed: u64,
    /// What random passwords are drawn from.
    pub(crate) random: &'s Mutex<StdRng>,
    /// What the rotation functions do.
    pub(crate) functions: &'s RotationFunctions,
    /// How copies in other regions and accounts end.
    pub(crate) replications: &'s Replications,
    pub(crate) profile: &'s FaultProfile,
    /// By what the caller is called.
    pub(crate) named: Named<'s>,
    /// A change that this operation is a part of. Without one, it is a change of its own.
    pub(crate) within: Option<&'s Writer<'s>>,
    /// The policy that binds the caller, when one is enforced.
    pub(crate) authorizer: Option<Authorizer<'s>>,
    /// What notes the call among CloudTrail's events; none for what is no call of a client.
    pub(crate) recording: Option<&'s Recording<'s>>,
}

impl Context<'_> {
    fn read<T>(&self, read: impl FnOnce(&Reader<'_>) -> Result<T, ServiceError>) -> Result<T, ServiceError> {
        self.store.read(self.now, read)
    }

    fn write<T: recording::Outcome>(
        &self,
        change: impl FnOnce(&Writer<'_>) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        if let Some(writer) = self.within {
            return change(writer);
        }
        self.store.write(self.now, |writer| {
            let outcome = change(writer)?;
            if let Some(recording) = self.recording {
                recording.note_change(writer, &outcome)?;
            }
            Ok(outcome)
        })
    }

    /// A random version id, where no request token gives one.
    pub(crate) fn new_version_id(&self) -> String {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        uuid::Builder::from_random_bytes(random.random()).into_uuid().to_string()
    }

    /// The secret that `id` names, scheduled for deletion or not.
    fn find<T: Transaction>(&self, view: &View<'_, T>, id: &SecretId) -> Result<Found, ServiceError> {
        lookup::find(view, self.caller, id)
    }

    /// The secret that `id` names, unless it is scheduled for deletion.
    fn find_live<T: Transaction>(&self, view: &View<'_, T>, id: &SecretId) -> Result<Found, ServiceError> {
        let found = self.find(view, id)?;
        found.refuse_scheduled()?;
        Ok(found)
    }

    /// The secret that `id` names, to be changed: neither scheduled for deletion nor a copy.
    fn find_primary<T: Transaction>(&self, view: &View<'_, T>, id: &SecretId) -> Result<Found, ServiceError> {
        let found = self.find_live(view, id)?;
        found.refuse_replica()?;
        Ok(found)
    }

    /// The secret that `id` names, to be changed as only its owner may: as [`Context::find_primary`], and not managed
    /// by a service.
    fn find_own<T: Transaction>(&self, view: &View<'_, T>, id: &SecretId) -> Result<Found, ServiceError> {
        let found = self.find_primary(view, id)?;
        found.refuse_managed()?;
        Ok(found)
    }

    /// The secret that `id` names, to be changed in what a replica in another account has from its primary: as
    /// [`Context::find_own`], and no such replica.
    fn find_origin<T: Transaction>(&self, view: &View<'_, T>, id: &SecretId) -> Result<Found, ServiceError> {
        let found = self.find_own(view, id)?;
        found.refuse_cross_account_replica()?;
        Ok(found)
    }
}

/// Checks the lengths of a value's two forms.
fn check_value_lengths(constraints: &mut Constraints, binary: Option<&SensitiveBytes>, text: Option<&SensitiveText>) {
    constraints.sensitive("secretBinary", binary.map(|binary| binary.0.len()), limits::SECRET_VALUE);
    constraints.sensitive("secretString", text.map(|text| text.0.len()), limits::SECRET_VALUE);
}

/// The value that a request carries, in one form at most.
fn one_value(binary: Option<SensitiveBytes>, text: Option<SensitiveText>) -> Result<Option<SecretData>, ServiceError> {
    match (binary, text) {
        (Some(_), Some(_)) => Err(ServiceError::invalid_parameter(
            "You can't specify both a binary secret value and a string secret value in the same secret.",
        )),
        (Some(binary), None) => Ok(Some(SecretData::Binary(binary.0))),
        (None, Some(text)) => Ok(Some(SecretData::Text(text.0))),
        (None, None) => Ok(None),
    }
}

/// How many entries a page has at most: the largest size, where a request names none.
fn page_size(max_results: Option<i64>, allowed: &RangeInclusive<i64>) -> usize {
    usize::try_from(max_results.unwrap_or(*allowed.end())).unwrap_or_default()
}

/// Cuts a page to its size. One entry more than was requested shows whether there is another page, so that no page is
/// empty: the last entry that stays comes back then, behind which the next page begins.
fn cut<T>(page: &mut Vec<T>, size: usize) -> Option<&T> {
    let more = page.len() > size;
    page.truncate(size);
    page.last().filter(|_| more)
}

/// The ClientRequestToken that SDKs and the CLI fill in, and that the service insists on.
fn required_token(token: Option<String>) -> Result<String, ServiceError> {
    token.ok_or_else(ServiceError::token_missing)
}

/// The answer of the operations that only say which secret they touched.
#[derive(serde::Serialize)]
struct SecretOutput<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
    #[serde(rename = "Name")]
    name: &'a str,
    #[serde(rename = "VersionId", skip_serializing_if = "Option::is_none")]
    version_id: Option<&'a str>,
}

impl<'a> SecretOutput<'a> {
    fn secret(found: &'a Found) -> Self {
        Self { arn: &found.record.arn, name: &found.record.name, version_id: None }
    }

    fn version(found: &'a Found, version_id: Option<&'a str>) -> Self {
        Self { version_id, ..Self::secret(found) }
    }
}
