//! Replicas whose place is taken: another target of the same account has a secret of this name in their region, or
//! replicates one there.

use std::collections::{BTreeMap, BTreeSet};

use super::super::codes;
use super::super::diagnostic::{Problem, Report};
use super::super::field::Field;
use super::super::schema::Defaults;
use super::super::source::Span;
use super::arn::role_account;
use super::dependencies::Built;
use crate::collect::CollectMap as _;
use crate::desired::{State, Target};
use crate::domain::{AccountId, Region, SecretName};

/// The regions of the replicas that are declared, each with where it is written.
pub(crate) fn replica_spans(fields: &Defaults) -> Vec<(Region, Span)> {
    let declared = fields.replicas.get().and_then(|replicas| replicas.value.as_ref());
    let replicas = declared.into_iter().flatten().filter_map(Field::get);
    let regions = replicas.filter_map(|replica| replica.value.region.get());
    regions.map(|region| (Region::of_service(region.value.clone()), region.span)).collect()
}

/// What targets declare that may be in each other's way, compared once all are built.
pub(crate) struct ReplicaPlaces<'a> {
    /// All targets of the project: nothing live is needed to tell of what a run leaves out.
    targets: Vec<&'a Target>,
    /// The targets of the run, which are told of.
    of_run: BTreeSet<&'a str>,
    declared: BTreeMap<&'a str, OfTarget>,
}

/// What takes the place of a replica.
enum Taken<'a> {
    /// A secret of a target in that region, named there.
    Secret(&'a Target, Span),
    /// The replica of another target's secret.
    Replica(&'a Target, Span),
}

/// The secrets of a target, each with where its name is written, and their replicas.
#[derive(Default)]
struct OfTarget {
    secrets: BTreeMap<SecretName, Span>,
    replicas: BTreeMap<SecretName, Vec<(Region, Span)>>,
}

impl<'a> ReplicaPlaces<'a> {
    pub(crate) fn new(
        targets: impl IntoIterator<Item = &'a Target>,
        of_run: impl IntoIterator<Item = &'a Target>,
    ) -> Self {
        let of_run = of_run.into_iter().map(|target| target.name.as_str()).collect();
        Self { targets: targets.into_iter().collect(), of_run, declared: BTreeMap::new() }
    }

    /// Whether a target that is not part of the run may be in the way of one that is.
    pub(crate) fn may_concern(&self, target: &Target) -> bool {
        let of_run = |other: &Target| self.of_run.contains(other.name.as_str());
        !of_run(target) && self.targets.iter().any(|other| of_run(other) && is_other_region(target, other))
    }

    /// Adds the secrets of a target, where another one is in its account.
    pub(crate) fn add(&mut self, target: &'a Target, secrets: &BTreeMap<SecretName, Built>) {
        if !self.targets.iter().any(|other| is_other_region(target, other)) {
            return;
        }
        let present = || secrets.values().filter(|built| built.secret.state == State::Present);
        let replicas = present().filter(|built| !built.replica_spans.is_empty());
        let declared = OfTarget {
            replicas: replicas.map(|built| (built.secret.name.clone(), built.replica_spans.clone())).collect_map(),
            secrets: present().map(|built| (built.secret.name.clone(), built.name_span)).collect_map(),
        };
        self.declared.insert(&target.name, declared);
    }

    /// Tells of replicas that cannot be made.
    pub(crate) fn compare(&self, report: &mut Report) {
        for (at, target) in self.targets.iter().enumerate() {
            let Some(declared) = self.declared.get(target.name.as_str()) else { continue };
            for (name, replicas) in &declared.replicas {
                for (region, span) in replicas {
                    // Of two replicas one is told of.
                    let earlier = self.targets.get(..at).unwrap_or_default();
                    let taken = self.secret_there(target, name, region, *span);
                    let taken = taken.or_else(|| self.replica_there((target, earlier), name, region));
                    if let Some(taken) = taken.filter(|taken| self.is_told(target, taken)) {
                        report.push(problem(name, region, (target, *span), &taken));
                    }
                }
            }
        }
    }

    /// Whether one of the two is part of the run.
    fn is_told(&self, target: &Target, taken: &Taken<'_>) -> bool {
        let (Taken::Secret(other, _) | Taken::Replica(other, _)) = taken;
        [target, other].into_iter().any(|target| self.of_run.contains(target.name.as_str()))
    }

    /// The target that has a secret of this name there, and where that is named.
    fn secret_there(&self, target: &Target, name: &SecretName, region: &Region, at: Span) -> Option<Taken<'a>> {
        let others = self.targets.iter().filter(|other| other.region == *region && is_other_region(target, other));
        others.copied().find_map(|other| {
            let declared = self.declared.get(other.name.as_str())?;
            let of_both = |replicas: &Vec<(Region, Span)>| replicas.iter().any(|(_, span)| *span == at);
            // What gives both the replica gives one to its own region: that is told by the rule of replicas.
            let told = declared.replicas.get(name).is_some_and(of_both);
            let span = declared.secrets.get(name).filter(|_| !told)?;
            Some(Taken::Secret(other, *span))
        })
    }

    /// The earlier target that replicates a secret of this name into the region too, and where it says so.
    fn replica_there(
        &self,
        (target, earlier): (&Target, &[&'a Target]),
        name: &SecretName,
        region: &Region,
    ) -> Option<Taken<'a>> {
        // Into its own region no target replicates: that is told by the rule of replicas.
        let others = earlier.iter().filter(|other| is_other_region(target, other) && target.region != *region);
        others.copied().filter(|other| other.region != *region).find_map(|other| {
            let replicas = self.declared.get(other.name.as_str())?.replicas.get(name)?;
            let (_, span) = replicas.iter().find(|(there, _)| there == region)?;
            Some(Taken::Replica(other, *span))
        })
    }
}

/// A replica whose place is taken.
fn problem(name: &SecretName, region: &Region, (target, at): (&Target, Span), taken: &Taken<'_>) -> Problem {
    let replica = format!("`{name}` of target `{}` cannot have a replica in {region}, where", target.name);
    let (message, declared, related, help) = match taken {
        Taken::Secret(other, declared) => (
            format!("{replica} target `{}` has a secret of this name", other.name),
            declared,
            format!("target `{}` declares it too", other.name),
            "leave the region out of `replicas`, or the target out of `metadata.targets`: a replica is declared by its \
             primary alone",
        ),
        Taken::Replica(other, declared) => (
            format!("{replica} that of target `{}` has one", other.name),
            declared,
            format!("target `{}` has its replica there", other.name),
            "leave the region out of the `replicas` of one of them, for example by `overrides`: an account has one \
             secret of a name in a region",
        ),
    };
    let problem = Problem::new(&codes::REPLICA_PLACE, at, message.clone()).label("its place is taken").about(message);
    let problem = if *declared == at { problem } else { problem.related(*declared, related) };
    problem.help(help)
}

/// Whether both are certainly of one account, in different regions.
fn is_other_region(one: &Target, other: &Target) -> bool {
    let same_account = account(one).is_some_and(|of_one| account(other) == Some(of_one));
    same_account && one.endpoint_url == other.endpoint_url && one.region != other.region
}

/// The account, where the project tells it: credentials of any other are refused, and a role is in its own.
fn account(target: &Target) -> Option<&str> {
    let named = target.account.as_ref().map(AccountId::as_str);
    named.or_else(|| target.assume_role.as_deref().and_then(role_account))
}
