//! How a request is answered, with all that surrounds its operation: hooks, the log, faults, weather, and what has
//! fallen due since the last request.

use std::cell::Cell;

use serde::Deserialize;

use super::sandbox::{Inner, Sandbox, locked};
use crate::sandbox::auth::{Authority, Home, sts};
use crate::sandbox::clock;
use crate::sandbox::faults::Fate;
use crate::sandbox::operations::{self, Context};
use crate::sandbox::state::{Call, Outcome, lookup};
use crate::sandbox::wire::{Envelope, Reply, Service, ServiceError, protocol};

/// The longest name of an operation that the log keeps, in bytes: the name comes from a header that anybody can write.
const LOGGED_NAME: usize = 128;

/// A fault broke the connection: there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox dropped the connection")]
pub struct Dropped;

thread_local! {
    /// Whether this thread is inside a hook.
    static IN_HOOK: Cell<bool> = const { Cell::new(false) };
}

impl Sandbox {
    /// Runs a request.
    pub(super) fn run(&self, envelope: &Envelope<'_>) -> Result<Result<Reply, ServiceError>, Dropped> {
        if IN_HOOK.get() { Ok(self.execute(envelope)) } else { self.observed(envelope) }
    }

    /// Settles what has fallen due by now.
    pub(super) fn settle(&self) -> Result<(), ServiceError> {
        self.with_context(&Home::new("", ""), operations::settle)
    }

    /// What operations work with, for a caller who assumed no role.
    pub(super) fn with_context<T>(&self, caller: &Home, work: impl FnOnce(&Context<'_>) -> T) -> T {
        let Inner { store, options, random, functions, .. } = &*self.inner;
        let weather = &self.weather();
        let (now, seed) = (self.inner.now(), options.seed);
        work(&Context {
            store,
            now,
            caller,
            seed,
            random,
            functions,
            weather,
            role: None,
            within: None,
            authority: None,
        })
    }

    /// Executes a call with all that surrounds it.
    fn observed(&self, envelope: &Envelope<'_>) -> Result<Result<Reply, ServiceError>, Dropped> {
        let mut call = self.call(envelope);
        self.run_hooks(&call);
        let outcome = match self.fate(&call) {
            Fate::Executed => Ok(self.execute(envelope)),
            Fate::Refused { error, carried_out } => {
                self.execute_unheard(envelope, carried_out);
                Ok(Err(error))
            }
            Fate::Dropped { carried_out } => {
                self.execute_unheard(envelope, carried_out);
                Err(Dropped)
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

    /// Decides what becomes of a call, and waits as long as it is made to.
    fn fate(&self, call: &Call) -> Fate {
        let struck = locked(&self.inner.faults).strike(call);
        let (delay, fate) = {
            let mut sky = locked(&self.inner.sky);
            let latency = sky.delay();
            match struck.map(|fault| fault.fate(call)) {
                Some((slower, fate)) => (latency + slower, fate),
                None => (latency, sky.fate(call, clock::stopwatch())),
            }
        };
        if !delay.is_zero() {
            std::thread::sleep(delay);
        }
        fate
    }

    /// Carries a call out, where it is to be, though nobody will know what came of it.
    fn execute_unheard(&self, envelope: &Envelope<'_>, carried_out: bool) {
        if carried_out {
            drop(self.execute(envelope));
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

    fn execute(&self, envelope: &Envelope<'_>) -> Result<Reply, ServiceError> {
        let caller = &envelope.caller;
        match envelope.service {
            Service::Sts => sts::run(caller, &envelope.operation, envelope.body, self.inner.now()),
            Service::SecretsManager => self.with_context(&caller.home, |context| {
                operations::settle(context)?;
                let policy = locked(&self.inner.policy).clone();
                let authority = policy.as_deref().map(|policy| Authority { policy, caller });
                let context = Context { role: caller.role.as_ref(), authority, ..*context };
                operations::run(&context, &envelope.operation, envelope.body)
            }),
        }
    }

    /// What the log says of a request.
    fn call(&self, envelope: &Envelope<'_>) -> Call {
        let Home { account, region } = envelope.caller.home.clone();
        let mut operation = envelope.operation.clone();
        operation.truncate(operation.floor_char_boundary(LOGGED_NAME));
        Call { operation, account, region, secret: self.secret_meant(envelope), outcome: Outcome::Pending }
    }

    /// The name of the secret that a request is about.
    fn secret_meant(&self, envelope: &Envelope<'_>) -> Option<String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Named {
            secret_id: Option<String>,
            name: Option<String>,
        }
        if envelope.service == Service::Sts {
            return None;
        }
        let named: Named = protocol::input(envelope.body).ok()?;
        let text = named.secret_id.or(named.name)?;
        let home = &envelope.caller.home;
        let now = self.inner.now();
        let meant = self.inner.store.read(now, |reader| Ok::<_, ServiceError>(lookup::name_meant(reader, home, &text)));
        meant.ok().flatten()
    }
}
