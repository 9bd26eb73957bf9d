//! The weather: what goes wrong, or slowly, without a rule that says when. All of it comes from a seed.

use std::time::{Duration, Instant};

use jiff::{Span, SpanRelativeTo};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Deserializer};

use super::quota::Quotas;
use super::rule::Fate;
use crate::sandbox::state::Call;
use crate::sandbox::wire::{ErrorCode, ServiceError};

/// How calls fare. `Weather::default()` is calm: everything works, at once.
///
/// Probabilities are between 0 and 1, and are drawn for each call in this order: throttled, failing, dropped, answer
/// lost. A call that a fault rule strikes is not drawn for.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Weather {
    /// What everything is drawn from. The same seed and the same order of calls give the same weather.
    pub seed: u64,
    /// Every answer takes at least so long (real time).
    #[serde(deserialize_with = "duration")]
    pub latency: Duration,
    /// And up to so much longer.
    #[serde(deserialize_with = "duration")]
    pub jitter: Duration,
    /// How likely a call is answered with ThrottlingException.
    pub throttled: f64,
    /// How likely a call is answered with InternalServiceError (HTTP 500) before anything is done.
    pub failing: f64,
    /// How likely the connection is dropped before anything is done.
    pub dropped: f64,
    /// How likely the connection is dropped after the change was made.
    pub answer_lost: f64,
    /// Whether the documented request quotas hold, for each account and region (real time).
    pub quotas: bool,
    /// How far ListSecrets lags behind (sandbox time). The real service documents up to five minutes. What was changed
    /// before the lag began is always up to date.
    #[serde(deserialize_with = "duration")]
    pub list_lag: Duration,
    /// How long a replication is InProgress (sandbox time); with none it has ended when the next request looks.
    #[serde(deserialize_with = "duration")]
    pub replication_delay: Duration,
}

/// The documented lag of ListSecrets: more than this is never shown.
const MAX_LIST_LAG: Duration = Duration::from_mins(5);

impl Weather {
    /// How far ListSecrets lags, within what is documented.
    pub(crate) fn lag(&self) -> Duration {
        self.list_lag.min(MAX_LIST_LAG)
    }
}

/// The weather in force, with what it is drawn from.
pub(crate) struct Sky {
    weather: Weather,
    random: StdRng,
    quotas: Quotas,
}

impl Default for Sky {
    fn default() -> Self {
        Self::new(Weather::default())
    }
}

impl Sky {
    pub(crate) fn new(weather: Weather) -> Self {
        let random = StdRng::seed_from_u64(weather.seed);
        Self { weather, random, quotas: Quotas::default() }
    }

    pub(crate) fn weather(&self) -> &Weather {
        &self.weather
    }

    /// How long every answer takes at least.
    pub(crate) fn delay(&mut self) -> Duration {
        let Weather { latency, jitter, .. } = self.weather;
        if jitter.is_zero() { latency } else { latency + jitter.mul_f64(self.random.random_range(0.0..1.0)) }
    }

    /// What becomes of a call that no rule struck.
    pub(crate) fn fate(&mut self, call: &Call, now: Instant) -> Fate {
        let Weather { throttled, failing, dropped, answer_lost, quotas, .. } = self.weather;
        let refused = |error| Fate::Refused { error, carried_out: false };
        if quotas && !self.quotas.admit(call, now) {
            return refused(ServiceError::rate_exceeded());
        }
        let mut draw = |probability: f64| probability > 0.0 && self.random.random_range(0.0..1.0) < probability;
        if draw(throttled) {
            refused(ServiceError::rate_exceeded())
        } else if draw(failing) {
            let text = "An internal error occurred. (The sandbox failed on purpose; nothing was done.)";
            refused(ServiceError::new(ErrorCode::InternalServiceError, text))
        } else if draw(dropped) {
            Fate::Dropped { carried_out: false }
        } else if draw(answer_lost) {
            Fate::Dropped { carried_out: true }
        } else {
            Fate::Executed
        }
    }
}

/// Reads a duration: a number of seconds, or ISO 8601 such as `PT240H`. It is never negative.
pub(crate) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Seconds(f64),
        Text(String),
    }
    let invalid = || serde::de::Error::custom("a duration is seconds, such as 90, or a text such as \"PT240H\"");
    match Given::deserialize(deserializer).map_err(|_| invalid())? {
        Given::Seconds(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| invalid()),
        Given::Text(text) => {
            let span: Span = text.parse().map_err(|_| invalid())?;
            // The sandbox's clock knows no time zone, so a day has 24 hours.
            let parsed = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| invalid())?;
            Duration::try_from(parsed).map_err(|_| invalid())
        }
    }
}
