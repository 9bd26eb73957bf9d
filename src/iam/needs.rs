//! What the manifests of one target make use of.

use std::collections::BTreeSet;

use crate::desired::{Declared, Deletion, Desired, DesiredReplica, DesiredRotation, DesiredSecret, Rotator, State};
use crate::domain::{Arn, Region, SecretName};
use crate::value::Source;

/// The secrets that should exist, but for those that a service makes.
pub(super) fn present(desired: &Desired) -> impl Iterator<Item = &DesiredSecret> {
    let ours = desired.secrets.values().filter(|desired_secret| desired_secret.managed_by.is_none());
    ours.filter(|desired_secret| desired_secret.state == State::Present)
}

/// The secrets that a service manages, and of which something is declared.
pub(super) fn managed(desired: &Desired) -> impl Iterator<Item = &DesiredSecret> {
    desired.secrets.values().filter(|desired_secret| desired_secret.managed_by.is_some())
}

/// The secrets that should not, each with how it is deleted.
pub(super) fn absent(desired: &Desired) -> impl Iterator<Item = (&SecretName, Deletion)> {
    let absent = desired.secrets.values().filter(|desired_secret| desired_secret.state == State::Absent);
    absent.map(|desired_secret| (&desired_secret.name, desired_secret.deletion))
}

/// Every declared value.
pub(super) fn values(desired: &Desired) -> impl Iterator<Item = &Source> {
    present(desired).filter_map(|desired_secret| desired_secret.value.as_ref()).map(|value| &value.source)
}

/// Whether a value may be named by a version id that git gives: then a plan asks for the ids of versions without a
/// label, and an apply may move labels instead of putting the value again.
pub(super) fn has_version_id(source: &Source) -> bool {
    match source {
        Source::Sops(_) | Source::Text(_) => true,
        Source::Env(_) | Source::File { .. } | Source::BinaryFile { .. } | Source::Generate(_) => false,
        Source::Json(fields) => fields.values().all(has_version_id),
    }
}

/// The rotations that should be on.
pub(super) fn rotations(desired: &Desired) -> impl Iterator<Item = &DesiredRotation> {
    present(desired).filter_map(|desired_secret| desired_secret.rotation.as_ref()?.value.as_ref())
}

/// The functions that rotate.
pub(super) fn rotation_functions(desired: &Desired) -> BTreeSet<String> {
    let rotators = rotations(desired).map(|rotation| &rotation.setup.rotator);
    rotators
        .filter_map(|rotator| match rotator {
            Rotator::Lambda(arn) => Some(arn.to_string()),
            Rotator::External { .. } | Rotator::OwningService => None,
        })
        .collect()
}

/// The roles with which Secrets Manager rotates at a partner.
pub(super) fn rotation_roles(desired: &Desired) -> BTreeSet<String> {
    let rotators = rotations(desired).map(|rotation| &rotation.setup.rotator);
    rotators
        .filter_map(|rotator| match rotator {
            Rotator::Lambda(_) | Rotator::OwningService => None,
            Rotator::External { role_arn, metadata: _ } => role_arn.as_ref().map(Arn::to_string),
        })
        .collect()
}

/// The replicas that should exist: the secret, the region, and the rest.
pub(super) fn replicas(desired: &Desired) -> impl Iterator<Item = (&DesiredSecret, &Region, &DesiredReplica)> {
    present(desired).flat_map(|desired_secret| {
        let declared = desired_secret.replicas.as_ref().and_then(|replicas| replicas.value.as_ref());
        declared.into_iter().flatten().map(move |(region, replica)| (desired_secret, region, replica))
    })
}

/// Whether any secret that should exist declares a field so.
pub(super) fn any<T>(
    desired: &Desired,
    field: impl Fn(&DesiredSecret) -> Option<&Declared<T>>,
    is: impl Fn(Option<&T>) -> bool,
) -> bool {
    present(desired).filter_map(field).any(|declared| is(declared.value.as_ref()))
}
