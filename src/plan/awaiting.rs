//! Secrets that wait for a value: the manifest leaves it to people, and the secret has none.
//!
//! That is no difference from git, and an apply does not change it; but neither is such a secret of any use, so it is
//! never counted among those that are done. This is for display only: it does not affect the plan.

use super::{SecretPlan, Verb};
use crate::desired::{Desired, DesiredSecret, State};
use crate::domain::{SecretName, TagKey};
use crate::live::{Live, LiveSecret};
use crate::origin::Origin;

/// The tags that name whom a secret waits for, where the project does not say which one does: the first that there is,
/// in whatever case.
const OWNER_TAGS: [&str; 2] = ["owner", "team"];

/// A secret that waits for a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitingValue {
    /// The secret.
    pub secret: SecretName,
    /// Where its manifest names it.
    pub origin: Origin,
    /// The tag that says whose it is, and its text; none where no such tag is declared or live.
    pub owner: Option<(TagKey, String)>,
    /// Whether it exists: one that does not is made without a value.
    pub exists: bool,
}

impl AwaitingValue {
    /// Whether a desired secret of which everything is known waits, and for whom.
    pub(super) fn of(
        desired: &Desired,
        secret: &DesiredSecret,
        live: &Live,
        plan: Option<&SecretPlan>,
    ) -> Option<Self> {
        let left_to_people = secret.state == State::Present
            && secret.value.is_none()
            && secret.value_expected
            && secret.managed_by.is_none()
            // A replica gets its primary's.
            && secret.cross_account_primary.as_ref().is_none_or(|declared| declared.value.is_none());
        if !left_to_people {
            return None;
        }
        let observed = live.secrets.get(&secret.name);
        let has_value = observed.is_some_and(|observed| observed.current_version().is_some());
        let is_carried = plan.is_some_and(|plan| plan.verb == Verb::Move);
        (!has_value && !is_carried).then(|| Self {
            secret: secret.name.clone(),
            origin: secret.origin.clone(),
            owner: owner(desired, secret, observed, live),
            exists: observed.is_some_and(|observed| !observed.is_scheduled_for_deletion()),
        })
    }
}

/// The tag of a live secret that says whose it is, and its text: the one that the project names, else the first of
/// those that people use.
pub fn tagged_owner<'a>(desired: &Desired, secret: &'a LiveSecret) -> Option<(&'a TagKey, &'a str)> {
    owner_tag(desired, |is_it| {
        let found = secret.tags.iter().find(|(key, text)| is_it(key) && !text.is_empty());
        found.map(|(key, text)| (key, text.as_str()))
    })
}

/// Looks for the tag that the project names, else for those that people use, one after the other.
fn owner_tag<T>(desired: &Desired, look: impl Fn(&dyn Fn(&TagKey) -> bool) -> Option<T>) -> Option<T> {
    match &desired.value_owner_tag {
        Some(named) => look(&|key| key == named),
        None => OWNER_TAGS.iter().find_map(|named| look(&|key| key.as_str().eq_ignore_ascii_case(named))),
    }
}

/// Whom a secret waits for: by the tags that are declared, or else by those that are live.
fn owner(
    desired: &Desired,
    secret: &DesiredSecret,
    observed: Option<&LiveSecret>,
    live: &Live,
) -> Option<(TagKey, String)> {
    let declared = |is_it: &dyn Fn(&TagKey) -> bool| {
        let (key, (text, _)) = secret.tags.as_ref()?.tags.iter().find(|(known, _)| is_it(known))?;
        Some((key.clone(), text.resolve(&|name| live.arn(name)).ok()?))
    };
    let there = |is_it: &dyn Fn(&TagKey) -> bool| {
        let found = observed?.tags.iter().find(|(known, _)| is_it(known));
        found.map(|(key, text)| (key.clone(), text.clone()))
    };
    owner_tag(desired, |is_it| declared(is_it).or_else(|| there(is_it)).filter(|(_, text)| !text.is_empty()))
}
