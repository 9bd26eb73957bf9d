//! The sandbox as its users hold it: a handle that answers requests, remembers the calls, and does what tests ask of
//! it.

use std::cell::Cell;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde::Deserialize;

use super::calls::{Call, CallLog, Outcome};
use super::clock::Clock;
use super::dump::{self, SecretDump};
use super::error::ServiceError;
use super::faults::{Fault, FaultKind, Faults};
use super::identity::Home;
use super::lookup;
use super::operations::{self, Context};
use super::protocol::{self, Envelope, Reply, Service};
use super::record::Tag;
use super::store::{OpenError, Store, StoreError};
use super::sts;

/// The longest name of an operation that the log keeps, in bytes: the name comes from a header that anybody can write.
const LOGGED_NAME: usize = 128;

/// The tag that AWS sets on a secret which one of its services owns.
const OWNING_SERVICE_TAG: &str = "aws:secretsmanager:owningService";

/// An embedded Secrets Manager. Clones share one store, and may be used from any thread.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

/// How a sandbox is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// What ARNs are derived from: the same seed and a manual clock give the same ARNs and dates.
    pub seed: u64,
    /// Where the time comes from.
    pub clock: Clock,
}

impl Default for Options {
    /// A random seed and the operating system's clock.
    fn default() -> Self {
        Self { seed: rand::random(), clock: Clock::System }
    }
}

/// What a test runs before a call is executed. It may use the sandbox that it is given; calls that it makes on its own
/// thread are neither logged nor struck by faults, and run no hook.
pub type Hook = Box<dyn Fn(&Call, &Sandbox) + Send + Sync>;

struct Inner {
    store: Store,
    options: Options,
    random: Mutex<StdRng>,
    log: Mutex<CallLog>,
    faults: Mutex<Faults>,
    hooks: Mutex<Vec<Arc<Hook>>>,
}

thread_local! {
    /// Whether this thread is inside a hook.
    static IN_HOOK: Cell<bool> = const { Cell::new(false) };
}

/// A test that panicked while it held a lock must not stop the others.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sandbox {
    /// Opens a sandbox file, or makes it, with its folder, where there is none. One process at a time can have it open.
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        Ok(Self::over(Store::open(path)?, options))
    }

    /// A sandbox in memory, which is gone with its last handle.
    ///
    /// # Panics
    /// If there is no memory for an empty database.
    #[expect(clippy::expect_used, reason = "without a file there is nothing that could fail but memory itself")]
    pub fn in_memory(options: Options) -> Self {
        Self::over(Store::in_memory().expect("a database in memory can be made"), options)
    }

    fn over(store: Store, options: Options) -> Self {
        let random = Mutex::new(StdRng::seed_from_u64(options.seed));
        let inner =
            Inner { store, options, random, log: Mutex::default(), faults: Mutex::default(), hooks: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Answers a request, as the real service would: it waits for the disk, and never panics, whatever the request is.
    ///
    /// The account comes from the access key id in the credential scope (twelve digits are an account, and so are
    /// keys of the sandbox's own AssumeRole; any other key means `DEFAULT_ACCOUNT`), region and service from the
    /// scope too. The signature itself is not verified.
    pub fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let envelope = match protocol::read(request) {
            Ok(envelope) => envelope,
            Err((service, error)) => return protocol::respond(service, Err(error)),
        };
        let outcome = if IN_HOOK.get() { self.execute(&envelope) } else { self.observed(&envelope) };
        protocol::respond(envelope.service, outcome)
    }

    /// Forgets every secret, of all accounts and regions. Calls, faults and hooks stay.
    pub fn reset(&self) -> Result<(), StoreError> {
        self.inner.store.reset()
    }

    /// The calls so far, the oldest first; a bounded number of them. A request that never reached an operation is not
    /// among them.
    pub fn calls(&self) -> Vec<Call> {
        locked(&self.inner.log).calls()
    }

    /// Forgets the calls.
    pub fn clear_calls(&self) {
        locked(&self.inner.log).clear();
    }

    /// Adds a fault rule. Of several rules that match a call, the first one that applies decides.
    pub fn inject(&self, fault: Fault) {
        locked(&self.inner.faults).add(fault);
    }

    /// Adds a hook, which runs before every call.
    pub fn on_call(&self, hook: Hook) {
        locked(&self.inner.hooks).push(Arc::new(hook));
    }

    /// Gives a secret to another AWS service, as if that had made it: DescribeSecret shows the OwningService, and the
    /// tag that the service itself sets. No operation of the API can do this. False if there is no such secret.
    pub fn hand_to_service(&self, account: &str, region: &str, name: &str, service: &str) -> Result<bool, StoreError> {
        let home = Home::new(account, region);
        self.inner.store.write(self.inner.options.clock.now(), |writer| {
            let Some(mut record) = writer.secret(&home, name)? else { return Ok(false) };
            record.owning_service = Some(service.to_owned());
            let tags = record.tags.get_or_insert_default();
            tags.retain(|tag| tag.key != OWNING_SERVICE_TAG);
            tags.push(Tag { key: OWNING_SERVICE_TAG.to_owned(), value: service.to_owned() });
            writer.save(&home, &record)?;
            Ok(true)
        })
    }

    /// Every secret of one account and region, in the order of the names. Empty if the store cannot be read, which
    /// the log of the process says.
    pub fn dump(&self, account: &str, region: &str) -> Vec<SecretDump> {
        let home = Home::new(account, region);
        let now = self.inner.options.clock.now();
        self.inner.store.read(now, |reader| dump::dump(reader, &home)).unwrap_or_default()
    }

    /// Executes a call with all that surrounds it: hooks, faults, the log.
    fn observed(&self, envelope: &Envelope<'_>) -> Result<Reply, ServiceError> {
        let mut call = self.call(envelope);
        self.run_hooks(&call);
        let fault = locked(&self.inner.faults).strike(&call);
        let outcome = match fault {
            None => self.execute(envelope),
            Some(fault) => {
                if matches!(fault, FaultKind::AnswerLost) {
                    // Whatever came of it, nobody will know.
                    drop(self.execute(envelope));
                }
                Err(fault.error(&call))
            }
        };
        call.outcome = match &outcome {
            Ok(_) => Outcome::Ok,
            Err(error) => Outcome::Error(error.code.name().to_owned()),
        };
        locked(&self.inner.log).push(call);
        outcome
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
        let Options { seed, clock } = &self.inner.options;
        let now = clock.now();
        match envelope.service {
            Service::Sts => sts::run(&envelope.caller, &envelope.operation, envelope.body, now),
            Service::SecretsManager => {
                let context = Context {
                    store: &self.inner.store,
                    now,
                    caller: &envelope.caller.home,
                    seed: *seed,
                    random: &self.inner.random,
                };
                operations::run(&context, &envelope.operation, envelope.body)
            }
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
        let now = self.inner.options.clock.now();
        let home = &envelope.caller.home;
        let meant = self.inner.store.read(now, |reader| Ok::<_, ServiceError>(lookup::name_meant(reader, home, &text)));
        meant.ok().flatten()
    }
}
