//! The service's own clock: the `Date` of its last answer. The clock of a CI runner may be wrong by minutes. A served
//! sandbox, whose clock can be moved, names its time beside the `Date`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_sdk_secretsmanager::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_secretsmanager::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use crate::sandbox::{NOW_HEADER, Sandbox};

/// Nobody answered yet.
const NEVER: i64 = i64::MIN;

/// When the service last answered, in whole seconds. Cheap to clone; the clones show the same time.
#[derive(Clone, Debug)]
pub(super) struct ServiceClock {
    answered: Arc<AtomicI64>,
    /// The embedded sandbox shows its clock without a `Date`: the SDK takes one that is far from its own for a skewed
    /// clock, and tries requests again that were refused for another reason.
    sandbox: Option<Sandbox>,
}

impl ServiceClock {
    pub(super) fn new(sandbox: Option<Sandbox>) -> Self {
        Self { answered: Arc::new(AtomicI64::new(NEVER)), sandbox }
    }

    /// The time of the last answer.
    pub(super) fn last(&self) -> Option<Timestamp> {
        if let Some(sandbox) = &self.sandbox {
            return Some(sandbox.now());
        }
        let seconds = self.answered.load(Ordering::Relaxed);
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
        let headers = context.response().headers();
        let of_a_sandbox = || headers.get(NOW_HEADER)?.parse::<Timestamp>().ok();
        let date = || DateTimeParser::new().parse_timestamp(headers.get("date")?).ok();
        if let Some(now) = of_a_sandbox().or_else(date) {
            self.answered.store(now.as_second(), Ordering::Relaxed);
        }
        Ok(())
    }
}
