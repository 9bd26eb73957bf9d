//! What is to be done about a secret's links with secrets of other accounts, from either side.
//!
//! Source: CreateSecret (`CrossAccountPrimaryARN`), AssociateCrossAccountReplica, DisassociateCrossAccountReplica and
//! StopReplicationToReplica. Which primary a replica has is settled when it is made, and its ARN is known only then; a
//! primary has at most one replica. So the primary comes first, the replica then, and last of all what links them.

use std::collections::{BTreeMap, BTreeSet};

use super::Selection;
use super::action::Action;
use super::change::{Change, LinkReason, PlannedPolicy};
use super::diff::Difference;
use super::other_secret::{Found, OfPrimary, find};
use super::report::FindingKind;
use crate::desired::{
    CrossAccountReplica, Declared, Deletion, Desired, DesiredSecret, OtherSecret, REPLACING_TAG, Restriction, State,
};
use crate::domain::{AccountId, Arn, ArnParts, SecretName, TagKey, Template};
use crate::live::{LinkStatus, LinkedReplica, Live, LivePolicy, LiveSecret};

/// The ARN of a secret in another account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtherArn {
    /// It is known.
    Known(Arn),
    /// It is known once this run has made the secret.
    Later {
        /// Its target.
        target: String,
        /// Its name.
        name: SecretName,
        /// The account of the target, when it is known.
        account: Option<AccountId>,
    },
}

impl OtherArn {
    /// The target and the name of one that this run makes.
    pub fn named(&self) -> Option<(&str, &SecretName)> {
        match self {
            Self::Known(_) => None,
            Self::Later { target, name, account: _ } => Some((target, name)),
        }
    }

    /// The account, when it is known.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Known(arn) => arn.parts().map(|parts: ArnParts<'_>| AccountId::of_service(parts.account)),
            Self::Later { account, .. } => account.clone(),
        }
    }
}

/// Whose replica a secret is, or shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedLink {
    /// The replica.
    pub replica: OtherArn,
    /// In whose account it may be.
    pub restriction: Restriction,
    /// `ReplicationRoleARN`.
    pub role: Option<Arn>,
}

/// What was found about a link that a manifest declares, or that keeps it from being carried out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkFinding {
    /// It waits for the secret in the other account.
    Waits {
        /// That secret.
        other: OtherSecret,
        /// Why.
        why: LinkWaits,
    },
    /// A replica waits until the primary's owner associates it.
    Pending {
        /// The primary.
        primary: Arn,
    },
    /// The value is being copied.
    InProgress {
        /// The secret on the other side.
        other: Arn,
    },
    /// The value could not be copied; associating again, from the primary's side, repairs that.
    Failed {
        /// The secret on the other side.
        other: Arn,
        /// `StatusMessage`.
        message: String,
    },
    /// The primary's owner has ended it: this replica gets no more values.
    EndedByPrimary {
        /// The primary.
        primary: Arn,
    },
    /// What is linked as its replica is deleted by this run, or was: it is scheduled for deletion.
    ReplicaLeaves {
        /// The replica, or what was it.
        replica: Arn,
    },
    /// The replica's owner has ended it: the replica is a secret of its own now.
    EndedByReplica {
        /// What was the replica.
        replica: Arn,
    },
    /// The other secret is no replica of this one.
    NotOurReplica {
        /// That secret.
        replica: Arn,
        /// The primary that it was made for, when it is a replica.
        primary: Option<Arn>,
    },
    /// The other secret is made by this run, as something else than a replica of this one.
    MadeForAnother {
        /// That secret.
        replica: OtherSecret,
        /// The primary that its manifest names; none where it is to be no replica.
        primary: Option<OtherSecret>,
    },
    /// The secret exists and is no replica: none can become one.
    NotAReplica {
        /// Whether it is scheduled for deletion, so that its name is not free yet.
        leaving: bool,
    },
    /// The secret is a replica of another primary than git says.
    OtherPrimary {
        /// Its primary.
        live: Arn,
        /// The one that git says; none when that one does not exist yet.
        declared: Option<Arn>,
    },
    /// The secret is a replica, and its manifest declares what a replica gets from its primary alone.
    Undeclared {
        /// Its primary.
        primary: Arn,
    },
}

/// Why a link waits for the secret in the other account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkWaits {
    /// It does not exist, and this run does not make it.
    Missing,
    /// It does not exist, and the run would make it a replica of a primary that it waits for itself.
    Waiting,
    /// It is scheduled for deletion.
    Leaving,
    /// Its target is no part of this run.
    NotInRun,
    /// It could not be asked for.
    Unreadable {
        /// Why not.
        reason: String,
    },
    /// Its target could not be reached.
    Unreached,
    /// Its ARN is that of no secret of the target which has its account and its name.
    AnotherArn {
        /// The target.
        target: String,
        /// The ARN that the secret of this name has there; none while this run makes it.
        live: Option<Arn>,
    },
}

impl LinkFinding {
    /// Whether nothing is planned for the secret because of it, while other secrets go on.
    pub fn refuses(&self) -> bool {
        matches!(self, Self::NotAReplica { .. } | Self::OtherPrimary { .. } | Self::Undeclared { .. })
    }

    /// Whether it goes on without anybody.
    pub fn goes_on(&self) -> bool {
        matches!(self, Self::Pending { .. } | Self::InProgress { .. })
    }
}

/// Whether an ARN is that of the declared secret, by all that is known of it.
fn is_named(arn: &Arn, other: &OtherSecret, account: Option<&AccountId>) -> bool {
    match other {
        OtherSecret::Arn(declared) => declared == arn,
        OtherSecret::Named { target: _, name } => arn.parts().is_some_and(|parts| {
            parts.secret_name() == Some(name.as_str()) && account.is_none_or(|account| *account == parts.account)
        }),
    }
}

/// The secrets of a target that are deleted and made anew, since their primary is another one now.
pub fn made_anew(desired: &Desired, live: &Live, selection: &Selection) -> BTreeSet<SecretName> {
    let chosen = desired.secrets.values().filter(|secret| {
        secret.state == State::Present && secret.cross_account_primary.is_some() && selection.contains(&secret.name)
    });
    let anew = chosen.filter(|secret| {
        let planner = LinkPlanner { desired: secret, live, observed: live.secrets.get(&secret.name), of: desired };
        matches!(planner.primary_of_new(), Ok(MadeOf::OtherPrimary))
    });
    anew.map(|secret| secret.name.clone()).collect()
}

/// Compares the links of one secret.
pub(super) struct LinkPlanner<'a> {
    pub(super) desired: &'a DesiredSecret,
    pub(super) live: &'a Live,
    pub(super) observed: Option<&'a LiveSecret>,
    /// What the secret's target declares.
    pub(super) of: &'a Desired,
}

/// Whether a secret is to be made as a replica.
pub(super) enum MadeOf {
    /// It is not.
    Nothing,
    /// It does not exist yet.
    Primary(OtherArn),
    /// It is one of another primary, which cannot be changed: it is deleted and made anew.
    OtherPrimary,
}

/// A replica of another primary goes at once, since its name must be free. What is made anew as it was is no change.
pub(super) fn replaced(live: &LiveSecret, difference: &mut Difference) {
    difference.changes.retain_mut(|change| match change {
        Change::CrossAccountPrimary { before, .. } => {
            let noted = || live.tags.get(REPLACING_TAG).map(|arn| Arn::of_service(arn.clone()));
            *before = live.cross_account.primary_arn().cloned().or_else(noted);
            true
        }
        Change::KmsKey { before, after, origin: _ } => {
            before.clone_from(&live.kms_key_id);
            before != after
        }
        Change::Tag { key, before, after, origin: _ } => {
            *before = live.tags.get(key).cloned();
            before.as_ref() != after.as_ref().map(|after| &after.text)
        }
        Change::Policy { before, after, origin: _ } => {
            if let LivePolicy::Document(policy) = &live.policy {
                **before = PlannedPolicy::Document { policy: policy.clone(), known: true };
            }
            before != after
        }
        _ => true,
    });
    // The tag says what was begun, where a run ends before the secret is gone.
    let mut first = Vec::new();
    if let Some(primary) = &live.cross_account.primary {
        let tags = BTreeMap::from([(TagKey::of_service(REPLACING_TAG), Template::text(primary.arn.as_str()))]);
        first.extend([Action::Tag { tags }, Action::StopReplication]);
    }
    if !live.replicas.is_empty() {
        first.push(Action::RemoveReplicas { regions: live.replicas.keys().cloned().collect() });
    }
    first.push(Action::Delete { deletion: Deletion::Force });
    difference.actions.splice(0..0, first);
}

impl LinkPlanner<'_> {
    /// The primary that the secret is made a replica of. What keeps the whole secret from being planned is an error.
    pub(super) fn primary_of_new(&self) -> Result<MadeOf, FindingKind> {
        let Some(declared) = &self.desired.cross_account_primary else {
            return self.not_undeclared().map(|()| MadeOf::Nothing);
        };
        let Some(other) = &declared.value else { return Ok(MadeOf::Nothing) };
        let found = match (find(self.live, other), self.observed) {
            (Ok(found), _) => found.arn,
            // What is there says itself whose replica it is; whether that is the declared one is told apart.
            (Err(_), Some(secret)) if secret.cross_account.primary.is_some() => return Ok(MadeOf::Nothing),
            (Err(why), _) => {
                return Err(FindingKind::CrossAccount(LinkFinding::Waits { other: other.clone(), why }));
            }
        };
        let Some(secret) = self.observed else { return Ok(MadeOf::Primary(found)) };
        let replaceable =
            secret.is_owned_by(&self.of.owner()) && !secret.is_protected() && !secret.is_scheduled_for_deletion();
        let Some(live) = &secret.cross_account.primary else {
            // It was one, and an apply that was to make it anew came no further.
            let begun = replaceable && secret.tags.contains_key(REPLACING_TAG);
            return if begun {
                Ok(MadeOf::OtherPrimary)
            } else {
                let leaving = secret.is_scheduled_for_deletion();
                Err(FindingKind::CrossAccount(LinkFinding::NotAReplica { leaving }))
            };
        };
        if found == OtherArn::Known(live.arn.clone()) {
            return Ok(MadeOf::Nothing);
        }
        if replaceable {
            return Ok(MadeOf::OtherPrimary);
        }
        let declared = match found {
            OtherArn::Known(arn) => Some(arn),
            OtherArn::Later { .. } => None,
        };
        Err(FindingKind::CrossAccount(LinkFinding::OtherPrimary { live: live.arn.clone(), declared }))
    }

    /// A replica gets its value, its description, its type, its rotation and its replicas from nobody but its primary.
    fn not_undeclared(&self) -> Result<(), FindingKind> {
        let DesiredSecret { value, description, secret_type, rotation, replicas, .. } = self.desired;
        let declared = value.is_some()
            || description.is_some()
            || secret_type.is_some()
            || rotation.as_ref().is_some_and(|declared| declared.value.is_some())
            || replicas.as_ref().is_some_and(|declared| declared.value.is_some());
        match self.observed.and_then(|secret| secret.cross_account.primary.as_ref()) {
            Some(primary) if declared => {
                Err(FindingKind::CrossAccount(LinkFinding::Undeclared { primary: primary.arn.clone() }))
            }
            _ => Ok(()),
        }
    }

    /// What is told of a secret that is made a replica.
    pub(super) fn made(&self, primary: Option<&OtherArn>) -> Option<Change> {
        let declared = self.desired.cross_account_primary.as_ref()?;
        let (after, origin) = (Some(primary?.clone()), declared.origin.clone());
        Some(Change::CrossAccountPrimary { before: None, after, origin })
    }

    /// How a replica stands, and that it becomes a secret of its own where git says that it is none.
    pub(super) fn replica_side(&self, difference: &mut Difference) -> Option<FindingKind> {
        let declared = self.desired.cross_account_primary.as_ref()?;
        let live = self.observed?.cross_account.primary.as_ref()?;
        let Some(other) = &declared.value else {
            difference.changes.push(Change::CrossAccountPrimary {
                before: Some(live.arn.clone()),
                after: None,
                origin: declared.origin.clone(),
            });
            difference.actions.push(Action::StopReplication);
            return None;
        };
        if let Err(why) = find(self.live, other)
            && !is_named(&live.arn, other, self.account_of(other))
        {
            return Some(FindingKind::CrossAccount(LinkFinding::Waits { other: other.clone(), why }));
        }
        let primary = live.arn.clone();
        let finding = match &live.status {
            LinkStatus::InSync => return None,
            LinkStatus::Pending => LinkFinding::Pending { primary },
            LinkStatus::InProgress => LinkFinding::InProgress { other: primary },
            LinkStatus::Failed { message } => LinkFinding::Failed { other: primary, message: message.clone() },
            LinkStatus::Detached => LinkFinding::EndedByPrimary { primary },
        };
        Some(FindingKind::CrossAccount(finding))
    }

    /// What the declared replica asks of its primary; what stands in the way comes back.
    pub(super) fn primary_side(&self, difference: &mut Difference) -> Option<FindingKind> {
        let declared = self.desired.cross_account_replica.as_ref()?;
        let Some(wanted) = &declared.value else {
            self.unlink(declared, |_| false, &LinkReason::Removed, difference);
            return None;
        };
        let finding = |finding| Some(FindingKind::CrossAccount(finding));
        let account = self.account_of(&wanted.secret);
        let Found { arn, primary } = match (find(self.live, &wanted.secret), self.linked_as(&wanted.secret, account)) {
            (Ok(found), _) => found,
            (Err(LinkWaits::Leaving), Some(arn)) => {
                return finding(LinkFinding::ReplicaLeaves { replica: arn.clone() });
            }
            // What is left of a link says nothing of the secret that it was with.
            (Err(why @ LinkWaits::Missing), Some(arn)) if self.is_ended(arn) => {
                return finding(LinkFinding::Waits { other: wanted.secret.clone(), why });
            }
            // It cannot be looked up, and is the one that is linked, by all that is known.
            (Err(_), Some(arn)) => Found { arn: OtherArn::Known(arn.clone()), primary: OfPrimary::NotAsked },
            (Err(why), None) => {
                // To the one that git no longer names, no value goes any more.
                self.unlink(declared, |_| false, &LinkReason::Replaced, difference);
                return finding(LinkFinding::Waits { other: wanted.secret.clone(), why });
            }
        };
        let linked = match &arn {
            OtherArn::Known(arn) => self.linked(arn).map(|linked| (arn, linked)),
            OtherArn::Later { .. } => None,
        };
        let reason = if let Some((arn, LinkedReplica { role, status })) = linked {
            match status {
                LinkStatus::Detached => return finding(LinkFinding::EndedByReplica { replica: arn.clone() }),
                LinkStatus::Failed { message } => LinkReason::Failed { message: message.clone() },
                LinkStatus::InSync if *role != wanted.role => LinkReason::RoleChanged { before: role.clone() },
                LinkStatus::InSync => return None,
                LinkStatus::Pending | LinkStatus::InProgress => {
                    return finding(LinkFinding::InProgress { other: arn.clone() });
                }
            }
        } else if let Some(why) = self.not_ours(&wanted.secret, &arn, primary) {
            // Nor does any value go to the one that git no longer names.
            self.unlink(declared, |_| false, &LinkReason::Replaced, difference);
            return finding(why);
        } else {
            LinkReason::Added
        };
        self.unlink(declared, |linked| arn == OtherArn::Known(linked.clone()), &LinkReason::Replaced, difference);
        let link = PlannedLink { replica: arn, restriction: wanted.restriction, role: wanted.role.clone() };
        difference.changes.push(Change::CrossAccountReplica {
            before: None,
            after: Some(link.clone()),
            reason,
            origin: declared.origin.clone(),
        });
        difference.actions.push(Action::Associate(link));
        None
    }

    /// Why no value of this secret can be copied to what is found, or will be there.
    fn not_ours(&self, other: &OtherSecret, found: &OtherArn, primary: OfPrimary) -> Option<LinkFinding> {
        let is_of = |primary: &Arn| self.observed.is_some_and(|secret| secret.arn == *primary);
        match (found, primary) {
            (OtherArn::Known(replica), OfPrimary::Is(primary)) if !is_of(&primary) => {
                Some(LinkFinding::NotOurReplica { replica: replica.clone(), primary: Some(primary) })
            }
            (OtherArn::Known(replica), OfPrimary::None) => {
                Some(LinkFinding::NotOurReplica { replica: replica.clone(), primary: None })
            }
            (_, OfPrimary::Declared(primary)) => {
                let is_declared = match &primary {
                    Some(OtherSecret::Named { target, name }) => {
                        *target == self.of.target.name && *name == self.desired.name
                    }
                    Some(OtherSecret::Arn(primary)) => is_of(primary),
                    None => false,
                };
                (!is_declared).then(|| LinkFinding::MadeForAnother { replica: other.clone(), primary })
            }
            (_, OfPrimary::NotAsked | OfPrimary::Is(_) | OfPrimary::None) => None,
        }
    }

    /// Ends the links with replicas that are not kept.
    fn unlink(
        &self,
        declared: &Declared<CrossAccountReplica>,
        kept: impl Fn(&Arn) -> bool,
        reason: &LinkReason,
        difference: &mut Difference,
    ) {
        let linked = self.observed.into_iter().flat_map(|secret| secret.cross_account.replicas.keys());
        for replica in linked.filter(|replica| !kept(replica)) {
            difference.changes.push(Change::CrossAccountReplica {
                before: Some(replica.clone()),
                after: None,
                reason: if self.is_ended(replica) { LinkReason::Ended } else { reason.clone() },
                origin: declared.origin.clone(),
            });
            difference.actions.push(Action::Disassociate { replica: replica.clone() });
        }
    }

    /// The replica that is linked and has the declared name.
    fn linked_as(&self, other: &OtherSecret, account: Option<&AccountId>) -> Option<&Arn> {
        self.observed?.cross_account.replicas.keys().find(|arn| is_named(arn, other, account))
    }

    /// The account of a secret of another target, when it is known.
    fn account_of(&self, other: &OtherSecret) -> Option<&AccountId> {
        let OtherSecret::Named { target, name } = other else { return None };
        self.live.counterparts.get(&(target.clone(), name.clone()))?.account.as_ref()
    }

    /// Whether the owner of a replica has ended the link, or deleted the replica.
    fn is_ended(&self, replica: &Arn) -> bool {
        self.linked(replica).is_some_and(|linked| linked.status == LinkStatus::Detached)
    }

    fn linked(&self, replica: &Arn) -> Option<&LinkedReplica> {
        self.observed?.cross_account.replicas.get(replica)
    }
}
