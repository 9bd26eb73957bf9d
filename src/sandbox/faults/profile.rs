//! The fault profile: what goes wrong, or slowly, in calls that no fault rule names. All of it is drawn from one rng
//! seed, so that a run can be repeated.

use std::time::Duration;

use serde::Deserialize;

use super::duration::duration;

/// The keys of `profile` in a fault file. With `FaultProfile::default()` every call works, at once.
///
/// Probabilities are between 0 and 1, and are drawn for each call in this order: throttled, failing, dropped, answer
/// lost. A call that a fault rule applies to is not drawn for.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct FaultProfile {
    /// The rng seed, `seed` in the file. The same seed and the same order of calls give the same faults.
    #[serde(rename = "seed")]
    pub(crate) rng_seed: u64,
    /// Every answer takes at least so long (real time).
    #[serde(deserialize_with = "duration")]
    pub(crate) latency: Duration,
    /// And up to so much longer.
    #[serde(deserialize_with = "duration")]
    pub(crate) jitter: Duration,
    /// How likely a call is answered with ThrottlingException.
    pub(crate) throttled: f64,
    /// How likely a call is answered with InternalServiceError (HTTP 500) before anything is done.
    pub(crate) failing: f64,
    /// How likely the connection is dropped before anything is done.
    pub(crate) dropped: f64,
    /// How likely the connection is dropped after the change was made.
    pub(crate) answer_lost: f64,
    /// Whether the documented request quotas hold, for each account and region (real time).
    pub(crate) quotas: bool,
    /// How far ListSecrets lags behind (sandbox time). The real service documents up to five minutes. What was changed
    /// before the lag began is always up to date.
    #[serde(deserialize_with = "duration")]
    pub(crate) list_lag: Duration,
    /// How long after a call CloudTrail's LookupEvents shows its event (sandbox time). The real service takes minutes,
    /// and promises nothing; with none, an event is there when the next request looks.
    #[serde(deserialize_with = "duration")]
    pub(crate) event_delay: Duration,
    /// How long a replication is InProgress (sandbox time); with none it has ended when the next request looks.
    #[serde(deserialize_with = "duration")]
    pub(crate) replication_delay: Duration,
    /// Accounts that are in no organization with the others: AssociateCrossAccountReplica refuses them while
    /// ReplicaRestriction is SameOrg. All other accounts are one organization.
    pub(crate) outside_organization: Vec<String>,
}

/// The documented lag of ListSecrets: more than this is never shown.
const MAX_LIST_LAG: Duration = Duration::from_mins(5);

impl FaultProfile {
    /// How far ListSecrets lags, within what is documented.
    pub(crate) fn lag(&self) -> Duration {
        self.list_lag.min(MAX_LIST_LAG)
    }
}
