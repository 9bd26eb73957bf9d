//! Which failed calls are made again, when, and how often. `docs/decisions/0024-retries.md` has the reasons.
//!
//! For Secrets Manager the SDK's own retries are left to correct a clock that is wrong; everything else is decided
//! here, since the SDK would share its budget between accounts, take a quota of secrets for throttling, and wait in
//! silence. Credentials (AssumeRole too) and KMS keep the SDK's retries.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};
use rand::Rng as _;

use super::pace::Pace;
use super::quota::Operation;
use super::sent::error_code;
use super::time::{Instant, sleep};
use super::wait_reporter::WaitReporter;
use crate::live::{Propagating, ServiceError, ServiceErrorKind, Waiting};

/// How long what was made moments ago is waited for, unless a flag says otherwise.
pub(super) const PROPAGATION_TIMEOUT: Duration = Duration::from_mins(1);

/// How often one call is made, the first time included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempts {
    /// When it is throttled. Where three of ten answers are, one call of a million is throttled twelve times in a row.
    pub(super) throttled: u32,
    /// When the service fails, or cannot be reached.
    pub(super) failed: u32,
}

impl Attempts {
    const USUAL: Self = Self { throttled: 12, failed: 5 };

    /// Once, whatever comes of it.
    pub(super) const ONE: Self = Self { throttled: 1, failed: 1 };

    /// As AWS_MAX_ATTEMPTS or the profile says, else as usual.
    pub(super) fn of(max_attempts: Option<u32>) -> Self {
        max_attempts.map_or(Self::USUAL, |attempts| Self { throttled: attempts, failed: attempts })
    }

    /// No more than so many of a service that fails.
    pub(super) fn at_most(self, most: u32) -> Self {
        Self { failed: self.failed.min(most), ..self }
    }
}

/// How the calls of one connection are made.
#[derive(Clone, Debug)]
pub(super) struct Retries {
    pub(super) attempts: Attempts,
    pub(super) pace: Arc<Pace>,
    /// How long what was made moments ago is waited for, in milliseconds.
    pub(super) propagation: Arc<AtomicU64>,
    pub(super) wait_reporter: WaitReporter,
    /// Where calls go, for people.
    pub(super) place: String,
}

/// What became of one call so far.
#[derive(Default)]
pub(super) struct Tries {
    throttled: u32,
    failed: u32,
    propagating: u32,
    /// When something that was made moments ago was missed first.
    missed: Option<Instant>,
}

impl Retries {
    /// Makes a call, again where that may help.
    pub(super) async fn run<T, F: Future<Output = Result<T, ServiceError>>>(
        &self,
        operation: Operation,
        attempts: Attempts,
        call: impl Fn() -> F,
    ) -> Result<T, ServiceError> {
        let mut tries = Tries::default();
        loop {
            self.pace.wait(operation).await;
            let begun = Instant::now();
            let outcome = self.wait_reporter.watch(operation.name(), &self.place, call()).await;
            let throttled = matches!(&outcome, Err(error) if error.kind == ServiceErrorKind::Throttled);
            if throttled {
                self.wait_reporter.throttled();
            }
            self.pace.answered(operation, throttled, begun.elapsed());
            match outcome {
                Ok(done) => return Ok(done),
                Err(error) => match self.delay(operation, attempts, &mut tries, &error) {
                    Some(delay) => sleep(delay).await,
                    None => return Err(error),
                },
            }
        }
    }

    /// How long to wait before the call is made again; none when it is not.
    fn delay(
        &self,
        operation: Operation,
        attempts: Attempts,
        tries: &mut Tries,
        error: &ServiceError,
    ) -> Option<Duration> {
        let name = operation.name();
        match error.kind {
            ServiceErrorKind::Throttled => {
                tries.throttled += 1;
                let again = tries.throttled + tries.failed < attempts.throttled;
                // The first one passes unnoticed.
                if again && tries.throttled > 1 {
                    self.wait_reporter.report(Waiting::Throttled { operation: name });
                }
                again.then(|| backoff(Duration::from_millis(200), tries.throttled, Duration::from_secs(5)))
            }
            ServiceErrorKind::Service | ServiceErrorKind::Unreachable => {
                tries.failed += 1;
                let all = tries.throttled + tries.failed;
                let again = tries.failed < attempts.failed && all < attempts.throttled.max(attempts.failed);
                if again && error.kind == ServiceErrorKind::Unreachable {
                    let (place, message) = (self.place.as_str(), error.message.as_str());
                    self.wait_reporter.report(Waiting::Unreachable { operation: name, place, message });
                }
                again.then(|| backoff(Duration::from_millis(100), tries.failed, Duration::from_secs(3)))
            }
            _ => self.until_propagated(operation, attempts, tries, error),
        }
    }

    /// How long to wait before secrets that failed within a batch are asked for again; none when they were asked for
    /// often enough. They have the attempts of a call of their own.
    pub(super) fn delay_in_batch(&self, tries: &mut Tries, error: &ServiceError) -> Option<Duration> {
        self.delay(Operation::BatchGetSecretValue, self.attempts, tries, error)
    }

    fn until_propagated(
        &self,
        operation: Operation,
        attempts: Attempts,
        tries: &mut Tries,
        error: &ServiceError,
    ) -> Option<Duration> {
        let of = propagating(operation, error).filter(|_| attempts != Attempts::ONE)?;
        let limit = Duration::from_millis(self.propagation.load(Ordering::Relaxed));
        let left = limit.checked_sub(tries.missed.get_or_insert_with(Instant::now).elapsed())?;
        if left.is_zero() {
            return None;
        }
        tries.propagating += 1;
        self.wait_reporter.report(Waiting::Propagation { operation: operation.name(), of, limit });
        Some(backoff(Duration::from_millis(500), tries.propagating, Duration::from_secs(10)).min(left))
    }
}

/// Twice as long each time, up to a limit; from half to all of that, so that calls that failed together do not come
/// back together.
fn backoff(first: Duration, nth: u32, longest: Duration) -> Duration {
    let whole = first.saturating_mul(1 << nth.saturating_sub(1).min(16)).min(longest);
    whole.mul_f64(rand::rng().random_range(0.5..=1.0))
}

/// What an error of the service is about that passes when AWS knows everywhere what was made, or removed, moments ago.
///
/// Texts as recorded: Terraform's provider waits for the first two, DeleteSecret's page says to wait for the third.
fn propagating(operation: Operation, error: &ServiceError) -> Option<Propagating> {
    let says = |text: &str| error.message.to_ascii_lowercase().contains(text);
    let code = error.code.as_deref().unwrap_or_default();
    match (operation, code) {
        (Operation::PutResourcePolicy, "MalformedPolicyDocumentException") if says("unsupported principal") => {
            Some(Propagating::Principal)
        }
        (Operation::RotateSecret, "AccessDeniedException") if says("cannot invoke the specified lambda function") => {
            Some(Propagating::Invocation)
        }
        (Operation::CreateSecret, "InvalidRequestException")
            if says("already scheduled for deletion") || says("because it was deleted") =>
        {
            Some(Propagating::Name)
        }
        (
            Operation::CreateSecret
            | Operation::PutSecretValue
            | Operation::UpdateSecret
            | Operation::ReplicateSecretToRegions,
            "AccessDeniedException",
        ) if says("access to kms is not allowed") => Some(Propagating::Grant),
        _ => None,
    }
}

/// Leaves to the SDK what only it can mend: the time that a request is signed with, where the clock is wrong. It looks
/// at these codes, and tries again where the answer's `Date` is minutes away.
#[derive(Debug)]
pub(super) struct OnlyClockSkew;

impl ClassifyRetry for OnlyClockSkew {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response().and_then(error_code).as_deref() {
            Some(
                "AccessDeniedException"
                | "AuthFailure"
                | "InvalidSignatureException"
                | "RequestTimeTooSkewed"
                | "SignatureDoesNotMatch",
            ) => RetryAction::NoActionIndicated,
            _ => RetryAction::RetryForbidden,
        }
    }

    fn name(&self) -> &'static str {
        "OnlyClockSkew"
    }

    fn priority(&self) -> RetryClassifierPriority {
        // Whoever forbids is asked first: nobody after it is heard.
        RetryClassifierPriority::run_before(RetryClassifierPriority::http_status_code_classifier())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// What was said, and the retries that said it.
    fn retries() -> (Retries, Arc<Mutex<Vec<String>>>) {
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&said);
        let wait_reporter = WaitReporter::new(move |waiting| {
            heard.lock().unwrap_or_else(|_| unreachable!()).push(format!("{waiting:?}"));
        });
        let milliseconds = u64::try_from(PROPAGATION_TIMEOUT.as_millis()).unwrap_or_default();
        let retries = Retries {
            attempts: Attempts::of(None),
            pace: Arc::new(Pace::unlimited()),
            propagation: Arc::new(AtomicU64::new(milliseconds)),
            wait_reporter,
            place: "http://127.0.0.1:1".to_owned(),
        };
        (retries, said)
    }

    fn error(kind: ServiceErrorKind, code: &str, message: &str) -> ServiceError {
        ServiceError {
            operation: "PutResourcePolicy",
            kind,
            code: Some(code.to_owned()),
            message: message.to_owned(),
            request_id: None,
        }
    }

    /// Makes a call that fails so often with `error`: how often it was made, how long that took, and whether it came to
    /// a good end.
    async fn run(retries: &Retries, operation: Operation, error: &ServiceError, failing: u32) -> (u32, Duration, bool) {
        let (made, begun) = (AtomicU64::new(0), Instant::now());
        let call = || async {
            let before = made.fetch_add(1, Ordering::SeqCst);
            if before < u64::from(failing) { Err(error.clone()) } else { Ok(()) }
        };
        let outcome = retries.run(operation, retries.attempts, call).await;
        let made = u32::try_from(made.load(Ordering::SeqCst)).unwrap_or(u32::MAX);
        (made, begun.elapsed(), outcome.is_ok())
    }

    #[tokio::test]
    async fn one_throttled_answer_costs_a_moment() {
        let (retries, said) = retries();
        let throttled = error(ServiceErrorKind::Throttled, "ThrottlingException", "Rate exceeded");
        let (made, took, good) = run(&retries, Operation::ListSecrets, &throttled, 1).await;
        assert!(good && made == 2 && took <= Duration::from_millis(200), "{made} {took:?}");
        assert!(said.lock().is_ok_and(|said| said.is_empty()), "it passes unnoticed");
        let (made, took, good) = run(&retries, Operation::ListSecrets, &throttled, 11).await;
        assert!(good && made == 12 && took < Duration::from_mins(1), "{made} {took:?}");
        let (made, _, good) = run(&retries, Operation::ListSecrets, &throttled, u32::MAX).await;
        assert!(!good && made == 12, "{made}");
        assert!(said.lock().is_ok_and(|said| said.len() > 1 && said[0].starts_with("Throttled")), "it is said");
    }

    #[tokio::test]
    async fn failures_that_stay_are_said_at_once() {
        let (retries, _) = retries();
        for (kind, code) in [
            (ServiceErrorKind::QuotaReached, "LimitExceededException"),
            (ServiceErrorKind::AccessDenied, "AccessDeniedException"),
            (ServiceErrorKind::Rejected, "InvalidParameterException"),
            (ServiceErrorKind::Rejected, "MalformedPolicyDocumentException"),
            (ServiceErrorKind::InvalidState, "InvalidRequestException"),
            (ServiceErrorKind::NotFound, "ResourceNotFoundException"),
            (ServiceErrorKind::AlreadyExists, "ResourceExistsException"),
            (ServiceErrorKind::Credentials, "ExpiredTokenException"),
            (ServiceErrorKind::Unusable, ""),
        ] {
            let (made, took, good) = run(&retries, Operation::PutResourcePolicy, &error(kind, code, "no"), 1).await;
            assert!(!good && made == 1 && took.is_zero(), "{code}");
        }
    }

    #[tokio::test]
    async fn failures_of_the_service_and_the_network_pass_or_end_soon() {
        let (retries, said) = retries();
        for kind in [ServiceErrorKind::Service, ServiceErrorKind::Unreachable] {
            let error = error(kind, "InternalServiceError", "connection refused");
            let (made, _, good) = run(&retries, Operation::ListSecrets, &error, 2).await;
            assert!(good && made == 3);
            let (made, took, good) = run(&retries, Operation::ListSecrets, &error, u32::MAX).await;
            assert!(!good && made == 5 && took < Duration::from_secs(5), "{made} {took:?}");
        }
        let said = said.lock().map(|said| said.join("")).unwrap_or_default();
        assert!(said.contains("http://127.0.0.1:1") && said.contains("connection refused"), "{said}");
    }

    #[tokio::test]
    async fn what_was_made_moments_ago_is_waited_for_up_to_the_limit() {
        for (operation, kind, code, message) in [
            (
                Operation::PutResourcePolicy,
                ServiceErrorKind::Rejected,
                "MalformedPolicyDocumentException",
                "This resource policy contains an unsupported principal.",
            ),
            (
                Operation::RotateSecret,
                ServiceErrorKind::AccessDenied,
                "AccessDeniedException",
                "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants",
            ),
            (
                Operation::CreateSecret,
                ServiceErrorKind::InvalidState,
                "InvalidRequestException",
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            ),
            (
                Operation::PutSecretValue,
                ServiceErrorKind::AccessDenied,
                "AccessDeniedException",
                "Access to KMS is not allowed",
            ),
        ] {
            let (retries, said) = retries();
            let error = error(kind, code, message);
            let (made, _, good) = run(&retries, operation, &error, 3).await;
            assert!(good && made == 4, "{code}");
            let (_, took, good) = run(&retries, operation, &error, u32::MAX).await;
            assert!(!good && (59..=61).contains(&took.as_secs()), "{code}: {took:?}");
            assert!(said.lock().is_ok_and(|said| said[0].starts_with("Propagation")));
            retries.propagation.store(0, Ordering::Relaxed);
            let (made, took, good) = run(&retries, operation, &error, 1).await;
            assert!(!good && made == 1 && took.is_zero(), "{code}: a limit of nothing");
        }
    }

    #[tokio::test]
    async fn attempts_that_were_asked_for_are_all_there_are() {
        let (mut retries, _) = retries();
        for (kind, attempts) in [(ServiceErrorKind::Throttled, 3), (ServiceErrorKind::Service, 3)] {
            retries.attempts = Attempts::of(Some(attempts));
            let (made, _, _) = run(&retries, Operation::ListSecrets, &error(kind, "x", "x"), u32::MAX).await;
            assert_eq!(made, attempts);
        }
        retries.attempts = Attempts::ONE;
        let throttled = error(ServiceErrorKind::Throttled, "ThrottlingException", "Rate exceeded");
        assert_eq!(run(&retries, Operation::ListSecrets, &throttled, u32::MAX).await.0, 1);
    }
}
