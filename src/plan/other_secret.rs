//! What is known of the secret on the other side of a link.

use super::cross_account::{LinkWaits, OtherArn};
use crate::desired::OtherSecret;
use crate::domain::{Arn, SecretName};
use crate::live::{Counterpart, CounterpartState, Live, ServiceError};

/// A secret in another account, found.
pub(super) struct Found {
    pub(super) arn: OtherArn,
    /// The primary whose replica it is.
    pub(super) primary: OfPrimary,
}

/// The primary that a secret was made for.
pub(super) enum OfPrimary {
    /// Nobody asked.
    NotAsked,
    /// It is none's replica.
    None,
    /// It is this one's.
    Is(Arn),
    /// It is made by this run, as a replica of this one or of none.
    Declared(Option<OtherSecret>),
}

/// Finds it among what was asked of other targets.
pub(super) fn find(live: &Live, other: &OtherSecret) -> Result<Found, LinkWaits> {
    // Replicas may name one another as primaries in a circle.
    find_within(live, other, live.counterparts.len())
}

/// Follows that many secrets which wait for one another.
fn find_within(live: &Live, other: &OtherSecret, more: usize) -> Result<Found, LinkWaits> {
    let found = match other {
        OtherSecret::Arn(arn) => by_arn(live, arn),
        OtherSecret::Named { target, name } => {
            let counterpart = live.counterparts.get(&(target.clone(), name.clone())).ok_or(LinkWaits::NotInRun)?;
            of_target(target, name, counterpart)
        }
    }?;
    match (&found.arn, &found.primary) {
        // Nothing is made of a replica whose primary is not there.
        (OtherArn::Later { .. }, OfPrimary::Declared(Some(primary)))
            if more == 0 || find_within(live, primary, more - 1).is_err() =>
        {
            Err(LinkWaits::Waiting)
        }
        _ => Ok(found),
    }
}

/// An ARN that a manifest gives is taken as it is, unless one of the run's own targets would have the secret: that one
/// was asked.
fn by_arn(live: &Live, arn: &Arn) -> Result<Found, LinkWaits> {
    let is_it = |name: &SecretName, counterpart: &Counterpart| {
        arn.parts().is_some_and(|parts| {
            parts.secret_name() == Some(name.as_str())
                && counterpart.account.as_ref().is_some_and(|account| *account == parts.account)
        })
    };
    let as_written = || Ok(Found { arn: OtherArn::Known(arn.clone()), primary: OfPrimary::NotAsked });
    let mut asked = live.counterparts.iter();
    let Some(((target, name), counterpart)) = asked.find(|((_, name), counterpart)| is_it(name, counterpart)) else {
        return as_written();
    };
    let another = |live: Option<Arn>| Err(LinkWaits::AnotherArn { target: target.clone(), live });
    match &counterpart.state {
        // What is not known contradicts nothing.
        CounterpartState::NotInRun | CounterpartState::Unreadable(_) | CounterpartState::Unreached => as_written(),
        CounterpartState::ToCome { .. } => another(None),
        CounterpartState::There { arn: there, .. } | CounterpartState::Made { arn: there, .. } if there != arn => {
            another(Some(there.clone()))
        }
        CounterpartState::There { .. } | CounterpartState::Made { .. } | CounterpartState::Missing => {
            of_target(target, name, counterpart)
        }
    }
}

fn of_target(target: &str, name: &SecretName, counterpart: &Counterpart) -> Result<Found, LinkWaits> {
    let Counterpart { account, state } = counterpart;
    match state {
        CounterpartState::There { leaving: true, .. } => Err(LinkWaits::Leaving),
        CounterpartState::There { arn, primary, leaving: false } => {
            let primary = primary.clone().map_or(OfPrimary::None, OfPrimary::Is);
            Ok(Found { arn: OtherArn::Known(arn.clone()), primary })
        }
        CounterpartState::Made { arn, primary } => {
            Ok(Found { arn: OtherArn::Known(arn.clone()), primary: OfPrimary::Declared(primary.clone()) })
        }
        CounterpartState::ToCome { primary } => {
            let arn = OtherArn::Later { target: target.to_owned(), name: name.clone(), account: account.clone() };
            Ok(Found { arn, primary: OfPrimary::Declared(primary.clone()) })
        }
        CounterpartState::Missing => Err(LinkWaits::Missing),
        CounterpartState::NotInRun => Err(LinkWaits::NotInRun),
        CounterpartState::Unreadable(error) => {
            let reason = ServiceError { request_id: None, ..error.clone() }.to_string();
            Err(LinkWaits::Unreadable { reason })
        }
        CounterpartState::Unreached => Err(LinkWaits::Unreached),
    }
}
