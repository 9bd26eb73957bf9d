//! Durations in the fault file and on the control path: a number of seconds, or ISO 8601 such as `PT240H`.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use serde::{Deserialize, Deserializer};

/// Reads a duration, for `#[serde(deserialize_with)]`. It is never negative.
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
