//! The sandbox as its users hold it: a handle that answers requests, remembers the calls, and has what tests need
//! beside. How a request is answered is in `dispatch`.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::dispatch::Dropped;
use super::fixtures::{self, FixtureError};
use crate::auth::{IdentityPolicy, PolicyError};
use crate::clock::{Clock, Moment};
use crate::faults::{
    Fault, FaultFile, FaultInjector, FaultProfile, ReplicationFault, Replications, RotationFault, RotationFunctions,
    RotationOf, RotationOutcome,
};
use crate::home::Home;
use crate::state::{Call, CallLog, LoadError, OpenError, SecretDump, Snapshot, Store, StoreError, dump, snapshot};
use crate::wire::{Service, ServiceError, protocol};

/// Every answer carries the sandbox's time here, beside the `Date` that is the server's own: clients take a `Date` that
/// is far from their clock for a skewed clock, and try again what was refused for another reason.
pub const NOW_HEADER: &str = "x-keywright-now";

/// An embedded Secrets Manager. Clones share one store, and may be used from any thread.
#[derive(Clone)]
pub struct Sandbox {
    pub(super) inner: Arc<Inner>,
}

/// How a sandbox is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// What ARNs are derived from: the same rng seed and a manual clock give the same ARNs and dates.
    pub rng_seed: u64,
    /// Where the time comes from.
    pub clock: Clock,
}

impl Default for Options {
    /// A random rng seed and the operating system's clock.
    fn default() -> Self {
        Self { rng_seed: rand::random(), clock: Clock::System }
    }
}

/// What a test runs before a call is executed. It may use the sandbox that it is given; calls that it makes on its own
/// thread are not logged, run no hook and have no faults.
pub type Hook = Box<dyn Fn(&Call, &Sandbox) + Send + Sync>;

pub(super) struct Inner {
    pub(super) store: Store,
    pub(super) options: Options,
    /// How far the clock was moved, in milliseconds: what the store keeps, at hand.
    pub(super) clock_offset: AtomicU64,
    pub(super) random: Mutex<StdRng>,
    pub(super) log: Mutex<CallLog>,
    pub(super) injector: Mutex<FaultInjector>,
    pub(super) functions: RotationFunctions,
    pub(super) replications: Replications,
    pub(super) hooks: Mutex<Vec<Arc<Hook>>>,
    /// What callers are bound by; none means that everybody may do everything.
    pub(super) policy: Mutex<Option<Arc<IdentityPolicy>>>,
}

impl Inner {
    /// The present moment of the sandbox.
    pub(super) fn now(&self) -> Moment {
        let offset = Duration::from_millis(self.clock_offset.load(Ordering::Acquire));
        self.options.clock.now().plus(offset)
    }
}

/// A test that panicked while it held a lock must not stop the others.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Sandbox {
    /// Nothing of what it holds.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sandbox")
    }
}

impl Sandbox {
    /// Opens a sandbox file, or makes it, with its folder, where there is none. One process at a time can have it open.
    ///
    /// Values are encrypted with a key that is kept beside it, in a file of the same name with `.key` behind it.
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        let store = Store::open(path)?;
        let offset = store.clock_offset().map_err(|source| OpenError::Damaged { path: path.to_owned(), source })?;
        Ok(Self::over(store, options, offset))
    }

    /// A sandbox in memory, which is gone with its last handle.
    ///
    /// # Panics
    /// If there is no memory for an empty database.
    #[expect(clippy::expect_used, reason = "without a file there is nothing that could fail but memory itself")]
    pub fn in_memory(options: Options) -> Self {
        Self::over(Store::in_memory().expect("a database in memory can be made"), options, 0)
    }

    fn over(store: Store, options: Options, clock_offset: u64) -> Self {
        let random = Mutex::new(StdRng::seed_from_u64(options.rng_seed));
        let inner = Inner {
            store,
            options,
            clock_offset: AtomicU64::new(clock_offset),
            random,
            log: Mutex::default(),
            injector: Mutex::default(),
            functions: RotationFunctions::default(),
            replications: Replications::default(),
            hooks: Mutex::default(),
            policy: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Answers a request, as the real service would: it waits for the disk, sleeps where a fault makes it
    /// slow, and never panics, whatever the request is.
    ///
    /// The account comes from the access key id in the credential scope (twelve digits are an account, and so are
    /// keys of the sandbox's own AssumeRole; any other key means `DEFAULT_ACCOUNT`), region and service from the
    /// scope too. The signature itself is not verified.
    ///
    /// `Dropped` means that a fault broke the connection: the client gets no answer.
    pub fn answer(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, Dropped> {
        let (service, outcome) = match protocol::read(request) {
            Ok(envelope) => (envelope.service, self.run(&envelope)?),
            Err((service, error)) => (service, Err(error)),
        };
        let mut response = protocol::respond(service, outcome);
        if let Ok(now) = HeaderValue::from_str(&self.now().to_string()) {
            response.headers_mut().insert(NOW_HEADER, now);
        }
        Ok(response)
    }

    /// Answers a request like `answer`, for callers that have no connection to break: a dropped one is answered with
    /// an HTTP 500.
    pub fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
        self.answer(request).unwrap_or_else(|Dropped| {
            let text = "The sandbox dropped this connection on purpose.";
            protocol::respond(Service::SecretsManager, Err(ServiceError::internal(text)))
        })
    }

    /// Forgets every secret, of all accounts and regions, and puts the clock back that `advance` moved. Calls, faults
    /// and hooks stay.
    pub fn reset(&self) -> Result<(), StoreError> {
        self.inner.store.reset()?;
        self.inner.clock_offset.store(0, Ordering::Release);
        Ok(())
    }

    /// Makes the secrets that a text in YAML describes, all of them or, on an error, none; how many it made. A secret
    /// whose name is taken is left as it is.
    ///
    /// The text is a list; only a name is needed:
    ///
    /// ```yaml
    /// - name: payments/db
    ///   account: "111111111111"       # default: 000000000000
    ///   region: eu-west-1             # default: us-east-1
    ///   description: Primary database
    ///   type: some-partner
    ///   kmsKeyId: alias/payments
    ///   tags: { team: payments }
    ///   policy: { Version: "2012-10-17", Statement: [] }   # or its text
    ///   value: hunter2                # or binary: in base64
    ///   versionId: 32 to 64 characters  # default: random
    ///   owningService: events
    ///   replicas: [{ region: us-west-2, kmsKeyId: alias/payments }]
    ///   crossAccountPrimary: { account: "222222222222", name: payments/db }   # and associated: false
    ///   rotation: { lambdaArn: "arn:...", schedule: rate(30 days), duration: 2h }   # or everyDays: 30
    ///   scheduledForDeletion: { recoveryWindowDays: 7 }   # or true
    /// ```
    pub fn make_fixtures(&self, text: &str) -> Result<usize, FixtureError> {
        let fixtures = fixtures::read(text)?;
        let made = self.with_context(&Home::new("", ""), |context| fixtures::make_all(context, fixtures))?;
        // A replication ends when the next request looks: here that is now.
        self.run_due()?;
        Ok(made)
    }

    /// Writes secrets as they are in another account, in one change: all of them or, on an error, none. A secret whose
    /// place is taken, by one that is loaded before it too, is left out; how many were written.
    pub fn load<'a>(&self, secrets: impl IntoIterator<Item = &'a Snapshot>) -> Result<usize, LoadError> {
        self.inner.store.write(self.inner.now(), |writer| snapshot::load(writer, secrets))
    }

    /// Moves the clock forward, whichever clock the sandbox has: recovery windows end and rotations fall due. A store
    /// on disk keeps how far its clock was moved; a manual clock is moved itself.
    pub fn advance(&self, by: Duration) -> Result<(), StoreError> {
        if let clock @ Clock::Manual(_) = &self.inner.options.clock {
            clock.advance(by.try_into().unwrap_or(jiff::SignedDuration::MAX));
            return Ok(());
        }
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        let offset = self.inner.store.write(self.inner.now(), |writer| writer.advance_clock(by))?;
        self.inner.clock_offset.store(offset, Ordering::Release);
        Ok(())
    }

    /// What time it is in the sandbox.
    pub fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.inner.now().0).unwrap_or(jiff::Timestamp::MAX)
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

    /// Takes a fault file, as JSON: `rules` are added to those in force, `profile` replaces the fault profile, and each
    /// of `rotations` says how the rotations of a secret or of a function end from now on, each of `replications` how
    /// the copies of a secret do.
    pub fn apply_fault_file(&self, text: impl AsRef<[u8]>) -> Result<(), serde_json::Error> {
        let FaultFile { rules, profile, rotations, replications } = serde_json::from_slice(text.as_ref())?;
        for rule in rules {
            self.inject(rule);
        }
        if let Some(profile) = profile {
            self.set_fault_profile(profile);
        }
        for RotationFault { of, outcome } in rotations {
            self.set_rotation(of, outcome);
        }
        for ReplicationFault { of, outcome } in replications {
            self.inner.replications.set(of, outcome);
        }
        Ok(())
    }

    /// Adds a fault rule. Of several rules that match a call, the first one that applies decides.
    pub fn inject(&self, fault: Fault) {
        locked(&self.inner.injector).add(fault);
    }

    /// Says how the simulated rotation functions end from now on.
    pub(crate) fn set_rotation(&self, rotations: RotationOf, outcome: RotationOutcome) {
        self.inner.functions.set(rotations, outcome);
    }

    /// Replaces the fault profile.
    pub(crate) fn set_fault_profile(&self, profile: FaultProfile) {
        self.inner.store.remember(!profile.lag().is_zero());
        locked(&self.inner.injector).set_profile(profile);
    }

    /// Whether the documented quotas hold, as the fault profile has it.
    pub fn has_quotas(&self) -> bool {
        locked(&self.inner.injector).profile().quotas
    }

    /// The fault profile in force.
    pub(crate) fn fault_profile(&self) -> FaultProfile {
        locked(&self.inner.injector).profile().clone()
    }

    /// Removes every fault rule and the fault profile, and lets rotations and replications succeed again.
    pub fn clear_faults(&self) {
        *locked(&self.inner.injector) = FaultInjector::default();
        self.inner.store.remember(false);
        self.inner.functions.clear();
        self.inner.replications.clear();
    }

    /// Enforces an identity-based policy from now on: whatever it does not allow is refused, to every caller alike. A
    /// policy with anything that the sandbox does not evaluate is an error, and the one before stays.
    pub fn enforce_policy(&self, policy: &str) -> Result<(), PolicyError> {
        let policy = IdentityPolicy::parse(policy)?;
        *locked(&self.inner.policy) = Some(Arc::new(policy));
        Ok(())
    }

    /// Enforces no policy any more: every caller may do everything.
    pub fn clear_policy(&self) {
        *locked(&self.inner.policy) = None;
    }

    /// Adds a hook, which runs before every call.
    pub fn on_call(&self, hook: Hook) {
        locked(&self.inner.hooks).push(Arc::new(hook));
    }

    /// Makes another AWS service the owner of a secret: DescribeSecret shows the OwningService, and the tag that AWS
    /// sets with it. No operation of the API can do this. False if there is no such secret.
    pub fn set_owning_service(
        &self,
        account: &str,
        region: &str,
        name: &str,
        service: &str,
    ) -> Result<bool, StoreError> {
        let home = Home::new(account, region);
        self.inner.store.write(self.inner.now(), |writer| fixtures::set_owning_service(writer, &home, name, service))
    }

    /// Every secret of one account and region, in the order of the names. Empty if the store cannot be read, which
    /// the log of the process says.
    pub fn dump(&self, account: &str, region: &str) -> Vec<SecretDump> {
        let home = Home::new(account, region);
        self.run_due()
            .and_then(|()| self.inner.store.read(self.inner.now(), |reader| dump::dump(reader, &home)))
            .unwrap_or_default()
    }
}
