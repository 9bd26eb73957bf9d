//! The service's own clock: the `Date` of its last answer. The clock of a CI runner may be wrong by minutes.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_sdk_secretsmanager::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_secretsmanager::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// Nobody answered yet.
const NEVER: i64 = i64::MIN;

/// When the service last answered, in whole seconds. Cheap to clone; the clones show the same time.
#[derive(Clone, Debug)]
pub(super) struct ServiceClock(Arc<AtomicI64>);

impl Default for ServiceClock {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(NEVER)))
    }
}

impl ServiceClock {
    /// The time of the last answer.
    pub(super) fn last(&self) -> Option<Timestamp> {
        let seconds = self.0.load(Ordering::Relaxed);
        (seconds != NEVER).then(|| Timestamp::from_second(seconds).ok()).flatten()
    }
}

impl Intercept for ServiceClock {
    fn name(&self) -> &'static str {
        "ServiceClock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        if let Some(date) = date.and_then(|date| DateTimeParser::new().parse_timestamp(date).ok()) {
            self.0.store(date.as_second(), Ordering::Relaxed);
        }
        Ok(())
    }
}
