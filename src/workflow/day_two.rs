//! Day-2 commands: one call that writes to one secret, decided first, and made when somebody has agreed.

use jiff::Timestamp;

use super::error::{Error, Hint, SecretProblem};
use super::event::{Event, Listener};
use super::journal::Journal;
use super::one_secret::{OneSecret, git_identity};
use super::promote::{Primary, disown, primary_and_region, replica_is_here};
use super::versions::rollback_versions;
use crate::apply::{Recorder, Rotating, WriteSecrets};
use crate::aws::Writer;
use crate::desired::{Ownership, State};
use crate::domain::{Arn, Region, SecretName, StagingLabel, VersionId};
use crate::live::ServiceError;
use crate::origin::Origin;
use crate::plan::ownership;
use crate::value::{Identity, Source};

/// One call that writes to one secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// AWSCURRENT goes back to an earlier version.
    Rollback {
        /// The version that is current.
        from: VersionId,
        /// The version that will be.
        to: VersionId,
    },
    /// A rotation begins, with the function and the schedule that the secret has.
    Rotate,
    /// AWSPENDING is taken from the version on which a rotation is stuck.
    Repair {
        /// That version.
        version: VersionId,
    },
    /// Rotation is switched off.
    StopRotation,
    /// A scheduled deletion is cancelled.
    Restore {
        /// When it was asked for.
        deleted: Timestamp,
    },
    /// A replica becomes a secret of its own.
    Promote {
        /// Its primary.
        primary: PrimaryPlace,
        /// Its own region.
        replica: Region,
    },
}

impl Call {
    /// The command, as the journal names it.
    const fn command(&self) -> &'static str {
        match self {
            Self::Rollback { .. } => "rollback",
            Self::Rotate => "rotate",
            Self::Repair { .. } => "rotate --repair",
            Self::StopRotation => "rotate --cancel",
            Self::Restore { .. } => "restore",
            Self::Promote { .. } => "promote",
        }
    }
}

/// Where the primary of a replica is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrimaryPlace {
    /// In another region of the account.
    Region(Region),
    /// In another account: its ARN.
    Account(Arn),
}

/// Something that somebody should know before they agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caution {
    /// A version loses its last label, and may be removed by Secrets Manager.
    LosesLastLabel {
        /// The version.
        version: VersionId,
    },
    /// Rotation owns the value: what an earlier version holds may no longer be valid.
    RotationOwnsValue {
        /// LastRotatedDate.
        last: Timestamp,
    },
    /// Git holds another value, which the next apply puts back.
    GitHoldsAnother {
        /// Where it is declared.
        origin: Origin,
    },
    /// Git may hold another value, which an apply that reads the live one (`--read-values`) puts back.
    GitMayHoldAnother {
        /// Where it is declared.
        origin: Origin,
    },
    /// Git holds, or may hold, another value, which is a seed: no apply puts it back.
    GitHoldsSeed {
        /// Where it is declared.
        origin: Origin,
    },
    /// The manifests have mistakes, so that it is not known whether git holds another value.
    GitNotRead,
    /// The manifest declares rotation, which the next apply switches on again.
    RotationDeclared {
        /// Where.
        origin: Origin,
    },
    /// The manifest declares the replica, which the next apply tries to make again.
    ReplicaDeclared {
        /// Where.
        origin: Origin,
        /// The replica's region.
        region: Region,
    },
    /// The manifest declares its primary in another account; a secret of its own cannot become a replica again.
    PrimaryDeclared {
        /// Where.
        origin: Origin,
    },
    /// No manifest names it, so that it is an orphan.
    NoManifest,
    /// A manifest gives it another name, under which it may be already.
    MovesAgain {
        /// That name.
        to: SecretName,
        /// Where that is declared.
        origin: Origin,
    },
    /// The deletion switched rotation off, and cancelling it does not switch it on.
    RotationStaysOff {
        /// Whether its manifest declares rotation.
        declared: bool,
    },
    /// Its manifest says `state: absent`.
    DeclaredAbsent {
        /// Where it is declared.
        origin: Origin,
    },
}

/// A call that is decided and not made yet.
pub struct Intended {
    /// The secret, and what it was found through.
    pub found: OneSecret,
    /// The call.
    pub call: Call,
    /// What somebody should know before.
    pub cautions: Vec<Caution>,
}

/// A call that was made.
pub struct Made {
    /// What was intended.
    pub intended: Intended,
    /// The version that a rotation makes.
    pub version: Option<VersionId>,
    writer: Writer,
}

/// Decides to go back to a version, by its id or by a label that it carries.
pub async fn roll_back(found: OneSecret, to: &str) -> Result<Intended, Error> {
    found.check_owned_and_live()?;
    let (from, to) = rollback_versions(&found, to).await?;
    let mut cautions = Vec::new();
    let previous = found.secret.holder(StagingLabel::PREVIOUS).filter(|previous| **previous != to);
    let only_label = |id: &&VersionId| found.secret.versions.get(*id).is_some_and(|labels| labels.len() == 1);
    cautions.extend(previous.filter(only_label).map(|id| Caution::LosesLastLabel { version: id.clone() }));
    cautions.extend(found.secret.rotation.last.map(|last| Caution::RotationOwnsValue { last }));
    cautions.extend(value_of_git(&found, &to));
    Ok(Intended { found, call: Call::Rollback { from, to }, cautions })
}

/// What becomes of git's value once another version is current.
fn value_of_git(found: &OneSecret, to: &VersionId) -> Option<Caution> {
    if !found.manifests_read {
        return Some(Caution::GitNotRead);
    }
    let desired = found.desired.secrets.get(&found.secret.name)?;
    let value = desired.value.as_ref()?;
    let identity = git_identity(found);
    if matches!(&identity, Some(Identity::Known(git)) if git == to) {
        return None;
    }
    let origin = value.origin.clone();
    if ownership(value, desired, Some(&found.secret)) == Ownership::Seed {
        return Some(Caution::GitHoldsSeed { origin });
    }
    match identity {
        // Whatever it is, git holds none of its own.
        Some(Identity::MadeOnce(_)) if matches!(value.source, Source::Generate(_)) => None,
        Some(Identity::MadeOnce(_) | Identity::ByComparison(_)) => Some(Caution::GitMayHoldAnother { origin }),
        Some(Identity::Known(_) | Identity::KnownAfterApply(_)) | None => Some(Caution::GitHoldsAnother { origin }),
    }
}

/// Decides to start a rotation.
pub fn start_rotation(found: OneSecret) -> Result<Intended, Error> {
    if !found.is_declared_as_managed() {
        found.check_owned_and_live()?;
    }
    if found.secret.rotation_setup().is_none() {
        let declared = found.desired.secrets.get(&found.secret.name).and_then(|secret| secret.rotation.as_ref());
        let is_declared = declared.is_some_and(|declared| declared.value.is_some());
        return Err(match (is_declared, found.secret.current_version()) {
            (true, None) => found.refuse(SecretProblem::RotationWaitsForValue).hint(Hint::GiveValue),
            (true, Some(_)) => found.refuse(SecretProblem::NoRotation).hint(Hint::ApplyRotation),
            (false, _) => found.refuse(SecretProblem::NoRotation).hint(Hint::DeclareRotation),
        });
    }
    if let Some(stuck) = found.secret.stuck_version() {
        let problem = SecretProblem::Rotating { version: stuck.clone() };
        return Err(found.refuse(problem).hint(Hint::RepairStuckRotation));
    }
    Ok(Intended { found, call: Call::Rotate, cautions: Vec::new() })
}

/// Decides to take AWSPENDING from the version on which a rotation is stuck.
pub fn repair_rotation(found: OneSecret) -> Result<Intended, Error> {
    found.check_owned_and_live()?;
    let Some(version) = found.secret.stuck_version().cloned() else {
        return Err(found.refuse(SecretProblem::NotStuck));
    };
    Ok(Intended { found, call: Call::Repair { version }, cautions: Vec::new() })
}

/// Decides to switch rotation off; while a rotation is in flight only where that is allowed, as for an apply.
pub fn stop_rotation(found: OneSecret, in_flight_too: bool) -> Result<Intended, Error> {
    found.check_owned_and_live()?;
    if !found.secret.rotation.enabled {
        return Err(found.refuse(SecretProblem::NoRotation));
    }
    if let Some(stuck) = found.secret.stuck_version().filter(|_| !in_flight_too) {
        let problem = SecretProblem::Rotating { version: stuck.clone() };
        return Err(found.refuse(problem).hint(Hint::AllowCancelRotation));
    }
    let declared = found.desired.secrets.get(&found.secret.name).and_then(|secret| secret.rotation.as_ref());
    let declared = declared.filter(|declared| declared.value.is_some());
    let cautions = declared.map(|declared| Caution::RotationDeclared { origin: declared.origin.clone() });
    let cautions = cautions.into_iter().collect();
    Ok(Intended { found, call: Call::StopRotation, cautions })
}

/// Decides to cancel a scheduled deletion.
pub fn restore(found: OneSecret) -> Result<Intended, Error> {
    found.check_owner()?;
    let Some(deleted) = found.secret.deleted_at else {
        return Err(found.refuse(SecretProblem::NotScheduledForDeletion));
    };
    let desired = found.desired.secrets.get(&found.secret.name);
    let mut cautions = match desired {
        None if !found.manifests_read => Vec::new(),
        None => vec![moved_or_orphan(&found)],
        Some(secret) if secret.state == State::Absent => {
            vec![Caution::DeclaredAbsent { origin: secret.origin.clone() }]
        }
        Some(_) => Vec::new(),
    };
    if found.secret.rotation.is_off_for_deletion() {
        cautions.push(Caution::RotationStaysOff { declared: desired.is_some_and(|secret| secret.rotation.is_some()) });
    }
    Ok(Intended { found, call: Call::Restore { deleted }, cautions })
}

/// What becomes of a secret whose name no manifest has.
fn moved_or_orphan(found: &OneSecret) -> Caution {
    let mut renames = found.desired.renames().filter(|(old, _)| **old == found.secret.name);
    let moves = renames.next().map(|(_, new)| (new.name.clone(), new.origin.clone()));
    moves.map_or(Caution::NoManifest, |(to, origin)| Caution::MovesAgain { to, origin })
}

/// Decides to make a replica a secret of its own. The second answer is why its primary could not be asked who owns it,
/// when it could not: that may be why somebody promotes.
pub async fn promote(found: OneSecret, region: Option<&str>) -> Result<(Intended, Option<Error>), Error> {
    if let Some(primary) = found.secret.cross_account.primary_arn().cloned() {
        return promote_from_account(found, primary, region).map(|intended| (intended, None));
    }
    let Primary { region: primary, replica, not_asked } = primary_and_region(&found, region).await?;
    let declared = found.desired.secrets.get(&found.secret.name).and_then(|secret| secret.replicas.as_ref());
    let declared = declared
        .filter(|declared| declared.value.as_ref().is_some_and(|replicas| replicas.contains_key(replica.as_str())));
    let cautions = declared
        .map(|declared| Caution::ReplicaDeclared { origin: declared.origin.clone(), region: replica.clone() })
        .into_iter()
        .collect();
    let call = Call::Promote { primary: PrimaryPlace::Region(primary), replica };
    Ok((Intended { found, call, cautions }, not_asked))
}

/// The same of a replica of another account's secret: it is in the target itself, and has an owner of its own.
fn promote_from_account(found: OneSecret, primary: Arn, region: Option<&str>) -> Result<Intended, Error> {
    found.check_owner()?;
    let here = found.desired.target.region.clone();
    replica_is_here(&found, region)?;
    let declared =
        found.desired.secrets.get(&found.secret.name).and_then(|secret| secret.cross_account_primary.as_ref());
    let declared = declared.filter(|declared| declared.value.is_some());
    let cautions = declared.map(|declared| Caution::PrimaryDeclared { origin: declared.origin.clone() });
    let cautions = cautions.into_iter().collect();
    let call = Call::Promote { primary: PrimaryPlace::Account(primary), replica: here };
    Ok(Intended { found, call, cautions })
}

impl Intended {
    /// The command, as the journal names it.
    pub fn command(&self) -> &'static str {
        self.call.command()
    }

    /// Makes the call and notes it in the journal. Of a call that was made, the journal is to be asked afterwards
    /// whether it has a line; of one that failed, a line that could not be written is told here.
    pub async fn carry_out(self, journal: &Journal, listener: Listener<'_>) -> Result<Made, Error> {
        let writer = self.found.connection.writer();
        let writer = match &self.call {
            Call::Promote { replica, .. } => writer.in_region(replica),
            _ => writer,
        };
        let outcome = {
            let entries = self.found.entries(journal, self.region());
            self.call(&Recorder::new(&writer, &entries)).await
        };
        match outcome {
            Ok(version) => Ok(Made { intended: self, version, writer }),
            Err(error) => {
                if let Some(missing) = journal.failure() {
                    listener(Event::Failed(&missing));
                }
                Err(self.found.call_failed(error))
            }
        }
    }

    /// The region in which the call is made.
    fn region(&self) -> &Region {
        match &self.call {
            Call::Promote { replica, .. } => replica,
            _ => &self.found.desired.target.region,
        }
    }

    async fn call(&self, writer: &Recorder<'_, Writer>) -> Result<Option<VersionId>, ServiceError> {
        let secret = &self.found.secret;
        let done = match &self.call {
            Call::Rollback { from, to } => {
                writer.move_label(&secret.arn, &StagingLabel::current(), to, Some(from)).await
            }
            Call::Repair { version } => writer.remove_label(&secret.arn, &StagingLabel::pending(), version).await,
            Call::StopRotation => writer.cancel_rotation(&secret.arn).await,
            Call::Restore { .. } => writer.restore(&secret.arn).await,
            Call::Promote { .. } => writer.stop_replication(&secret.name).await,
            Call::Rotate => {
                let Rotating { version_id, .. } = writer.rotate(&secret.arn, None, true).await?;
                return Ok(version_id);
            }
        };
        done.map(|_| None)
    }
}

impl Made {
    /// What the call was made through.
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// Takes the copy of its primary's owner tag from what was promoted, and notes that as well. Whether there was one.
    pub async fn disown(&self, journal: &Journal) -> Result<bool, Error> {
        let Intended { found, call, .. } = &self.intended;
        if matches!(call, Call::Promote { primary: PrimaryPlace::Account(_), .. }) {
            // Its tags are its own.
            return Ok(false);
        }
        let entries = found.entries(journal, self.intended.region());
        disown(&Recorder::new(&self.writer, &entries), &found.secret.name).await
    }
}
