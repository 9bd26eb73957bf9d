//! How a request is answered, with all that surrounds its operation: hooks, the log, injected faults, the policy that
//! is enforced, and what has fallen due since the last request.

use std::cell::Cell;

use serde::Deserialize;

use super::sandbox::{Inner, Sandbox, locked};
use crate::auth::{Authorizer, Caller, Named};
use crate::clock;
use crate::faults::{InjectedOutcome, QuotaGroup};
use crate::home::Home;
use crate::operations::{self, Context, Recording};
use crate::state::{Call, Outcome, lookup};
use crate::wire::{Envelope, ErrorCode, Reply, Service, ServiceError, protocol};

/// The longest name of an operation that the log keeps, in bytes: the name comes from a header that anybody can write.
const LOGGED_NAME: usize = 128;

/// A fault broke the connection: there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox dropped the connection")]
pub struct Dropped;

/// Ends this process without a chance to tidy up.
fn end_process() -> ! {
    #[cfg(unix)]
    {
        use rustix::process::{Signal, getpid, kill_process};
        // A process may always send itself signals; should it not be so, the abort below ends it as well.
        let _ = kill_process(getpid(), Signal::KILL);
    }
    std::process::abort()
}

thread_local! {
    /// Whether this thread is inside a hook.
    static IN_HOOK: Cell<bool> = const { Cell::new(false) };
}

/// What notes a call among CloudTrail's events: those of Secrets Manager are kept.
fn recording<'e>(envelope: &'e Envelope<'e>, caller: &'e Caller) -> Option<Recording<'e>> {
    (envelope.service == Service::SecretsManager).then(|| Recording::of(envelope, caller)).flatten()
}

impl Sandbox {
    /// Runs a request.
    pub(super) fn run(&self, envelope: &Envelope<'_>) -> Result<Result<Reply, ServiceError>, Dropped> {
        let caller = Caller::of(envelope);
        if IN_HOOK.get() { Ok(self.execute(envelope, &caller)) } else { self.observed(envelope, &caller) }
    }

    /// Carries out what is due by now.
    pub(super) fn run_due(&self) -> Result<(), ServiceError> {
        self.with_context(&Home::new("", ""), operations::run_due)
    }

    /// What operations work with, for a caller who assumed no role.
    pub(super) fn with_context<T>(&self, caller: &Home, work: impl FnOnce(&Context<'_>) -> T) -> T {
        let Inner { store, options, random, functions, replications, .. } = &*self.inner;
        let profile = &self.fault_profile();
        let (now, rng_seed) = (self.inner.now(), options.rng_seed);
        work(&Context {
            store,
            now,
            caller,
            rng_seed,
            random,
            functions,
            replications,
            profile,
            named: Named::NOBODY,
            within: None,
            authorizer: None,
            recording: None,
        })
    }

    /// Executes a call with all that surrounds it.
    fn observed(&self, envelope: &Envelope<'_>, caller: &Caller) -> Result<Result<Reply, ServiceError>, Dropped> {
        let mut call = self.call(envelope, caller);
        self.run_hooks(&call);
        let outcome = match self.injected_outcome(envelope.service, &call) {
            InjectedOutcome::Execute => Ok(self.execute(envelope, caller)),
            InjectedOutcome::Refuse { error, carried_out } => {
                self.execute_unanswered(envelope, caller, carried_out);
                // Who is denied something is logged; of what never reached an operation nothing is known.
                if error.code == ErrorCode::AccessDenied
                    && let Err(error) = self.note(envelope, caller, Err(&error))
                {
                    return Ok(Err(error));
                }
                Ok(Err(error))
            }
            InjectedOutcome::Drop { carried_out } => {
                self.execute_unanswered(envelope, caller, carried_out);
                Err(Dropped)
            }
            InjectedOutcome::Kill { carried_out } => {
                self.execute_unanswered(envelope, caller, carried_out);
                end_process()
            }
        };
        call.outcome = match &outcome {
            Ok(Ok(_)) => Outcome::Ok,
            Ok(Err(error)) => Outcome::Error(error.code.name().to_owned()),
            Err(Dropped) => Outcome::Dropped,
        };
        locked(&self.inner.log).push(call);
        outcome
    }

    /// Decides the outcome of a call, and waits as long as its answer is made to take.
    fn injected_outcome(&self, service: Service, call: &Call) -> InjectedOutcome {
        let quota = match service {
            Service::CloudTrail => Some(QuotaGroup::LookupEvents),
            Service::SecretsManager => operations::find(&call.operation).map(|operation| operation.quota),
            Service::Sts => None,
        };
        let (delay, outcome) = locked(&self.inner.injector).next_outcome(call, quota, clock::stopwatch());
        if !delay.is_zero() {
            std::thread::sleep(delay);
        }
        outcome
    }

    /// Carries a call out, where it is to be, though its answer is lost.
    fn execute_unanswered(&self, envelope: &Envelope<'_>, caller: &Caller, carried_out: bool) {
        if carried_out {
            drop(self.execute(envelope, caller));
        }
    }

    fn run_hooks(&self, call: &Call) {
        /// Leaves the hook even if it panics.
        struct Inside;
        impl Drop for Inside {
            fn drop(&mut self) {
                IN_HOOK.set(false);
            }
        }
        // The lock is not held while hooks run: they may add others.
        let hooks = locked(&self.inner.hooks).clone();
        IN_HOOK.set(true);
        let _inside = Inside;
        for hook in hooks {
            hook(call, self);
        }
    }

    fn execute(&self, envelope: &Envelope<'_>, caller: &Caller) -> Result<Reply, ServiceError> {
        let Envelope { operation, body, .. } = envelope;
        let run: fn(&Context<'_>, &str, &[u8]) -> Result<Reply, ServiceError> = match envelope.service {
            Service::Sts => return operations::sts::run(caller, operation, body, self.inner.now()),
            Service::CloudTrail => operations::lookup_events::run,
            Service::SecretsManager => operations::run,
        };
        let recording = recording(envelope, caller);
        self.with_context(&caller.home, |context| {
            operations::run_due(context)?;
            let policy = locked(&self.inner.policy).clone();
            let authorizer = policy.as_deref().map(|policy| Authorizer { policy, caller });
            let context = Context { named: caller.named(), authorizer, recording: recording.as_ref(), ..*context };
            let outcome = run(&context, operation, body);
            if let Some(recording) = &recording {
                recording.note(context.store, context.now, outcome.as_ref())?;
            }
            outcome
        })
    }

    /// Notes the event of a call that was not carried out.
    fn note(
        &self,
        envelope: &Envelope<'_>,
        caller: &Caller,
        outcome: Result<&Reply, &ServiceError>,
    ) -> Result<(), ServiceError> {
        let recording = recording(envelope, caller);
        recording.map_or(Ok(()), |recording| recording.note(&self.inner.store, self.inner.now(), outcome))
    }

    /// What the log says of a request.
    fn call(&self, envelope: &Envelope<'_>, caller: &Caller) -> Call {
        let secret = self.secret_meant(envelope, &caller.home);
        let Home { account, region } = caller.home.clone();
        let mut operation = envelope.operation.clone();
        operation.truncate(operation.floor_char_boundary(LOGGED_NAME));
        Call { operation, account, region, secret, outcome: Outcome::Pending }
    }

    /// The name of the secret that a request is about.
    fn secret_meant(&self, envelope: &Envelope<'_>, home: &Home) -> Option<String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Named {
            secret_id: Option<String>,
            name: Option<String>,
        }
        if envelope.service != Service::SecretsManager {
            return None;
        }
        let named: Named = protocol::input(envelope.body).ok()?;
        let text = named.secret_id.or(named.name)?;
        let now = self.inner.now();
        let meant = self.inner.store.read(now, |reader| Ok::<_, ServiceError>(lookup::name_meant(reader, home, &text)));
        meant.ok().flatten()
    }
}
