//! One secret of one target, and everything to work on it with.

use std::path::PathBuf;
use std::sync::Arc;

use super::error::{Error, ErrorKind, Hint, SecretProblem};
use super::failures::TargetFailure;
use super::journal::{Caller, Entries, Journal, Moves};
use super::sandbox::Reach;
use super::session::only_one;
use crate::aws::{Aws, Connection};
use crate::desired::{Desired, OtherOwner, Place};
use crate::domain::{AccountId, Region, SecretName, VersionId};
use crate::live::{LiveSecret, Ownership, ReadSecrets, ServiceError};
use crate::manifest::{Loaded, nearest};
use crate::reconcile::{PlanError, TargetError};
use crate::value::{Identity, SopsFiles};

/// A live secret in the project's scope.
pub struct OneSecret {
    /// The project's folder.
    pub root: PathBuf,
    /// The target's desired state.
    pub desired: Desired,
    /// What it was reached through.
    pub aws: Arc<Aws>,
    /// The target.
    pub connection: Connection,
    /// The secret.
    pub secret: LiveSecret,
    /// Whether the manifests were read. If not, `desired` has a target and a scope, and nothing that is declared.
    pub manifests_read: bool,
}

impl OneSecret {
    /// Finds it: in one target, inside the scope, and live.
    pub async fn find(loaded: Loaded, reach: &Reach, name: &str) -> Result<Self, Error> {
        let aws = reach.open(&loaded.root)?;
        let desired = only_one(loaded.desired, false)?;
        let name = SecretName::new(name);
        if !desired.scope.contains(name.as_str()) {
            let hint = Hint::NamesBeginWith {
                target: desired.target.name.clone(),
                prefixes: desired.scope.prefixes().to_vec(),
            };
            return Err(like(&desired, &name, Error::secret(&name, SecretProblem::OutsideScope)).hint(hint));
        }
        let connected = aws.connect(&desired.target).await;
        let connection = connected.map_err(|error| target_failed(&desired, error.into()))?;
        let found = connection.reader().describe(&name).await.map_err(|error| call_failed(&desired, error))?;
        let Some(secret) = found else {
            return Err(like(&desired, &name, Error::secret(&name, SecretProblem::Missing)));
        };
        Ok(Self { root: loaded.root, desired, aws: Arc::new(aws), connection, secret, manifests_read: true })
    }

    /// Where the records of calls about it go: into the journal, as made in a region.
    pub fn entries<'a>(&self, journal: &'a Journal, region: &Region) -> Entries<'a> {
        let Self { desired, connection, .. } = self;
        let caller = Caller {
            arn: connection.caller.clone(),
            project: desired.project.clone(),
            target: desired.target.name.clone(),
            account: connection.account.as_ref().map(ToString::to_string),
            region: region.to_string(),
            endpoint: connection.endpoint(),
        };
        Entries { journal: Some(journal), caller, moves: Moves::default() }
    }

    /// Why a call about it failed.
    pub fn call_failed(&self, error: ServiceError) -> Error {
        call_failed(&self.desired, error)
    }

    /// Why nothing is done with it.
    pub fn refuse(&self, problem: SecretProblem) -> Error {
        Error::secret(&self.secret.name, problem)
    }

    /// Refuses a secret that this project does not own, and one that cannot be worked on now.
    pub fn check_owned_and_live(&self) -> Result<(), Error> {
        if let Some(service) = self.secret.owning_service.clone() {
            return Err(self.refuse(SecretProblem::OfService { service }));
        }
        self.check_owner()?;
        self.check_not_leaving()?;
        if let Some(primary) = self.secret.cross_account.primary_arn() {
            let place = primary.parts().map(|parts| (parts.account, parts.region)).unwrap_or_default();
            let problem = SecretProblem::ReplicaOf { primary: primary.clone() };
            return Err(self.refuse(problem).hint(self.target_of_primary(Some(place.0), place.1)));
        }
        Ok(())
    }

    /// Refuses a secret that is scheduled for deletion: AWS takes nothing for it but its restoration.
    pub fn check_not_leaving(&self) -> Result<(), Error> {
        if self.secret.is_scheduled_for_deletion() {
            return Err(self.refuse(SecretProblem::ScheduledForDeletion).hint(Hint::RestoreCancelsDeletion));
        }
        Ok(())
    }

    /// Where a replica is to be worked on instead: the targets of its primary.
    fn target_of_primary(&self, account: Option<&str>, region: &str) -> Hint {
        let Desired { target: here, targets, .. } = &self.desired;
        let is_there = |place: &Place| {
            let same = |known: &AccountId| account.is_none_or(|account| known.as_str() == account);
            place.account.as_ref().is_none_or(same) && place.region == *region
        };
        let others = targets.iter().filter(|(name, place)| **name != here.name && is_there(place));
        Hint::TargetOfPrimary { targets: others.map(|(name, _)| name.clone()).collect() }
    }

    /// Whether a service manages it and a manifest says so: then its users may ask for a rotation.
    pub fn is_declared_as_managed(&self) -> bool {
        let declared = self.desired.secrets.get(&self.secret.name).and_then(|secret| secret.managed_by.as_ref());
        declared.is_some() && declared == self.secret.owning_service.as_ref()
    }

    fn is_of_another_project(&self) -> bool {
        let owner = self.secret.named_owner().and_then(|owner| owner.split_once('/'));
        owner.is_some_and(|(project, _)| project != self.desired.project)
    }

    /// Refuses a secret that this project does not own. A replica has its primary's owner tag, or shows none; whose it
    /// is, its primary says.
    pub fn check_owner(&self) -> Result<(), Error> {
        if self.secret.is_replica_in(&self.desired.target.region) && !self.is_of_another_project() {
            let account = self.connection.account.as_ref().or(self.desired.target.account.as_ref());
            let region = self.secret.primary_region.clone().unwrap_or_default();
            let hint = self.target_of_primary(account.map(AccountId::as_str), region.as_str());
            return Err(self.refuse(SecretProblem::Replica { primary: region.to_string() }).hint(hint));
        }
        match self.secret.ownership(&self.desired.owner()) {
            Ownership::Unowned => Err(self.refuse(SecretProblem::NotManaged)),
            Ownership::Copied { owner } => Err(self.refuse(SecretProblem::OwnerTagCopied { owner: owner.to_owned() })),
            Ownership::Foreign { owner } => {
                let refused = self.refuse(SecretProblem::BelongsTo { owner: owner.to_owned() });
                Err(match self.desired.other_owner(owner) {
                    OtherOwner::OnceReplica => refused.hint(Hint::OnceReplica),
                    OtherOwner::FormerTarget => refused.hint(Hint::FormerTarget),
                    OtherOwner::Another => refused,
                })
            }
            Ownership::Ours { .. } => Ok(()),
        }
    }
}

/// The same error with the name of a manifest that was probably meant. What is live and has no manifest is not listed
/// for that.
fn like(desired: &Desired, name: &SecretName, error: Error) -> Error {
    let known = desired.secrets.keys().filter(|known| *known != name).map(SecretName::as_str);
    error.did_you_mean(nearest(name.as_str(), known))
}

/// Why a call in a target failed.
pub(super) fn call_failed(desired: &Desired, error: ServiceError) -> Error {
    target_failed(desired, PlanError::from(error).into())
}

/// Why a target could not be reached or asked.
fn target_failed(desired: &Desired, error: TargetError) -> Error {
    let targets = vec![desired.target.name.clone()];
    Error::from(ErrorKind::Targets { targets }).because(TargetFailure(Arc::new(error)))
}

/// The version id that git's value stands for, when the manifest declares one whose id can be told from git alone.
pub fn git_version(found: &OneSecret) -> Option<VersionId> {
    match git_identity(found)? {
        Identity::Known(id) => Some(id),
        Identity::KnownAfterApply(_) | Identity::ByComparison(_) | Identity::MadeOnce(_) => None,
    }
}

/// What git alone tells of the version that its value stands for, when the manifest declares one.
pub(super) fn git_identity(found: &OneSecret) -> Option<Identity> {
    let value = found.desired.secrets.get(&found.secret.name)?.value.as_ref()?;
    // ARNs of other secrets are not looked up here: such a value's id stays unknown.
    value.source.identity(&found.secret.name, &|_| None, &SopsFiles::new()).ok()
}
