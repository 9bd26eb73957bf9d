//! The inventory of every target: what is there, read as deep as was asked for.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use jiff::SignedDuration;

use super::begun::Begun;
use super::error::{Error, ErrorKind};
use super::event::{Event, Listener};
use super::noise::Noise;
use super::prepare::TARGETS_AT_ONCE;
use super::session::Run;
use super::stop::{Stop, unless_stopped};
use super::who::ask_of_findings;
use crate::desired::{AuditKind, Desired, Ignore, Scope};
use crate::domain::SecretName;
use crate::inventory::{
    Depth, GroupBy, Inventory, TargetInventory, Versions, one_place_each, settle_billing, take_stock,
};
use crate::live::{self, Live, ReadProgress, Wanted};
use crate::manifest::nearest;
use crate::plan::Selection;
use crate::reconcile::{PlanError, TargetError};

/// What an inventory looks at.
#[derive(Clone, Copy)]
pub struct InventoryRequest<'a> {
    /// Which secrets.
    pub selection: &'a Selection,
    /// How far is looked.
    pub depth: Depth,
    /// What the totals are grouped by, beside target and owner.
    pub group_by: &'a [GroupBy],
    /// How many calls of CloudTrail may be made for each target, where it is asked who brought findings about.
    pub who: Option<u32>,
    /// Findings that are excused, beside those of the project.
    pub ignore: &'a [Ignore<AuditKind>],
    /// Ends the reading.
    pub stop: &'a Stop,
    /// Told while it reads.
    pub listener: Listener<'a>,
}

/// By how much the service's clock may differ from this machine's, with the time that answers take.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

impl Run<'_> {
    /// Takes stock of every target. One that fails does not keep the others from being looked at.
    pub async fn inventory(&self, request: &InventoryRequest<'_>) -> Result<Inventory, Error> {
        let aws = &self.session.aws;
        let begun = Begun::now(aws);
        let noise = &Noise::of(request.ignore, self.session.outline.as_ref())?;
        let reading = stream::iter(&self.session.desired)
            .map(|desired| self.inventory_of(desired, request, noise))
            .buffered(TARGETS_AT_ONCE)
            .collect();
        let looked: Vec<(TargetInventory, SignedDuration)> = unless_stopped(request.stop, reading).await?;
        let (mut targets, skews): (Vec<_>, Vec<_>) = looked.into_iter().unzip();
        // What is told is as old as the service says: a sandbox's clock can be moved.
        let skew = skews.into_iter().max_by_key(|skew| skew.abs()).filter(|skew| skew.abs() > SKEW);
        let started = skew.and_then(|skew| begun.started.checked_add(skew).ok()).unwrap_or(begun.started);
        if let Some(error) = selects_nothing(&targets, &self.session.desired, request.selection) {
            return Err(error);
        }
        one_place_each(&mut targets);
        settle_billing(&mut targets);
        Ok(Inventory {
            project: self.session.project.clone(),
            started,
            seconds: begun.seconds(),
            calls: begun.calls_since(aws),
            depth: request.depth,
            group_by: request.group_by.to_vec(),
            rules: self.session.desired.first().map(|desired| desired.audit.clone()).unwrap_or_default(),
            targets,
        })
    }

    async fn inventory_of(
        &self,
        desired: &Desired,
        request: &InventoryRequest<'_>,
        noise: &Noise<'_, AuditKind>,
    ) -> (TargetInventory, SignedDuration) {
        let aws = &self.session.aws;
        let place = &desired.target;
        let described = |account: Option<String>, endpoint: Option<String>, outcome| TargetInventory {
            name: place.name.clone(),
            account: account.or_else(|| place.account.as_ref().map(ToString::to_string)),
            region: place.region.to_string(),
            endpoint,
            outcome,
        };
        let connection = match aws.connect(place).await {
            Ok(connection) => connection,
            Err(error) => {
                let failed = described(None, aws.endpoint(place), Err(Arc::new(TargetError::from(error))));
                return (failed, SignedDuration::ZERO);
            }
        };
        let listener = |step: ReadProgress| (request.listener)(Event::Reading(step));
        let read = Box::pin(read(connection.reader(), desired, request, &listener)).await;
        let skew = connection.now().duration_since(aws.now());
        let outcome = match read {
            Err(error) => Err(error),
            Ok((mut live, versions)) => {
                live.caller.clone_from(&connection.caller);
                let now = connection.now();
                let excused = |kind, name: &SecretName| noise.excuses(&place.name, kind, name, now);
                let mut stock = take_stock(desired, live, versions, request.depth, &excused, now);
                if let Some(budget) = request.who {
                    ask_of_findings(&place.name, &connection, &mut stock, budget, request.listener).await;
                }
                Ok(stock)
            }
        };
        let outcome = outcome.map_err(|error| Arc::new(TargetError::from(PlanError::from(error))));
        let account = connection.account.as_ref().map(ToString::to_string);
        (described(account, connection.endpoint(), outcome), skew)
    }
}

/// Names and patterns that were selected and that nothing live or declared has: probably a slip. Where a target could
/// not be looked at, nobody knows.
fn selects_nothing(targets: &[TargetInventory], desired: &[Desired], selection: &Selection) -> Option<Error> {
    let mut known: BTreeSet<&SecretName> = desired.iter().flat_map(|desired| desired.secrets.keys()).collect();
    for target in targets {
        known.extend(target.outcome.as_ref().ok()?.entries.iter().map(|entry| &entry.secret.name));
    }
    let patterns = selection.unmatched(known.iter().copied());
    let near = nearest(patterns.first()?, known.iter().map(|name| name.as_str()));
    Some(Error::from(ErrorKind::NotSelected { patterns, in_inventory: false }).did_you_mean(near))
}

/// Reads what is selected: all of it by ListSecrets alone, or each secret in depth.
async fn read<R: live::ReadSecrets>(
    reader: &R,
    desired: &Desired,
    request: &InventoryRequest<'_>,
    listener: &(dyn Fn(ReadProgress) + Sync),
) -> Result<(Live, Versions), live::ServiceError> {
    let everything = Scope::new([String::new()]);
    let scope = if request.depth.whole_account { &everything } else { &desired.scope };
    let selection = request.selection.of_target(desired);
    let plain = selection.plain_names();
    let declared = desired.secrets.keys().filter(|name| selection.contains(name));
    let named = plain.iter().flatten().filter(|name| scope.contains(name.as_str()));
    let wanted = Wanted {
        scope,
        // What the list may lack yet.
        names: declared.chain(named).cloned().collect(),
        policies: BTreeSet::new(),
        replicated: BTreeSet::new(),
        linked: BTreeSet::new(),
        cache: None,
        owned_by: None,
        names_only: plain.is_some(),
    };
    let mut live = live::read(reader, &desired.target.region, &wanted, listener).await?;
    live.secrets.retain(|name, _| selection.contains(name));
    if !request.depth.audited {
        return Ok((live, Versions::new()));
    }
    let in_depth: Vec<SecretName> = live
        .secrets
        .values()
        .filter(|secret| !secret.is_scheduled_for_deletion() && !secret.is_replica_in(&live.region))
        .map(|secret| secret.name.clone())
        .collect();
    let versions = live::versions_of(reader, in_depth.iter().cloned());
    let undeclared = live::read_undeclared(reader, &mut live, &in_depth, listener);
    let (versions, ()) = futures::try_join!(versions, undeclared)?;
    Ok((live, versions))
}
