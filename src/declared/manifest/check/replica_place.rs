//! Replicas whose place is taken: another target of the same account has a secret of this name in their region.

use std::collections::BTreeMap;

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
    targets: Vec<&'a Target>,
    declared: BTreeMap<&'a str, OfTarget>,
}

/// The secrets of a target, each with where its name is written, and their replicas.
#[derive(Default)]
struct OfTarget {
    secrets: BTreeMap<SecretName, Span>,
    replicas: BTreeMap<SecretName, Vec<(Region, Span)>>,
}

impl<'a> ReplicaPlaces<'a> {
    pub(crate) fn new(targets: impl IntoIterator<Item = &'a Target>) -> Self {
        Self { targets: targets.into_iter().collect(), declared: BTreeMap::new() }
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
        for target in &self.targets {
            let Some(declared) = self.declared.get(target.name.as_str()) else { continue };
            for (name, replicas) in &declared.replicas {
                for (region, span) in replicas {
                    if let Some((other, declared)) = self.there(target, name, region, *span) {
                        report.push(taken(name, (target, *span), (other, declared)));
                    }
                }
            }
        }
    }

    /// The target that has a secret of this name there, and where that is named.
    fn there(&self, target: &Target, name: &SecretName, region: &Region, at: Span) -> Option<(&'a Target, Span)> {
        let others = self.targets.iter().filter(|other| other.region == *region && is_other_region(target, other));
        others.copied().find_map(|other| {
            let declared = self.declared.get(other.name.as_str())?;
            let of_both = |replicas: &Vec<(Region, Span)>| replicas.iter().any(|(_, span)| *span == at);
            // What gives both the replica gives one to its own region: that is told by the rule of replicas.
            let told = declared.replicas.get(name).is_some_and(of_both);
            let span = declared.secrets.get(name).filter(|_| !told)?;
            Some((other, *span))
        })
    }
}

/// A replica whose place is taken.
fn taken(name: &SecretName, (target, at): (&Target, Span), (other, declared): (&Target, Span)) -> Problem {
    let message = format!(
        "`{name}` of target `{}` cannot have a replica in {}, where target `{}` has a secret of this name",
        target.name, other.region, other.name
    );
    Problem::new(&codes::REPLICA_PLACE, at, message.clone())
        .label("its place is taken")
        .related(declared, format!("target `{}` declares it too", other.name))
        .help(
            "leave the region out of `replicas`, or the target out of `metadata.targets`: a replica is declared by its \
             primary alone",
        )
        .about(message)
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
