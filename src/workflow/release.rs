//! Letting go of one secret: its plan, and carrying it out.

use std::collections::BTreeSet;

use super::error::{Error, SecretProblem};
use super::journal::Journal;
use super::one_secret::OneSecret;
use super::stop::Stop;
use super::values::{NoPasswords, RunValues, ValueRules, ValueSources};
use crate::apply::{ApplyEvent, ApplyOptions, ApplyReport, MadeSecrets, PolicyChecks, Recorder, Work, apply};
use crate::live::Live;
use crate::plan::{Plan, plan_release};

/// A release that was planned.
pub struct Release {
    /// What would be done.
    pub plan: Plan,
    live: Live,
}

impl Release {
    /// Plans it, for a secret that this project owns.
    pub fn plan(found: &OneSecret) -> Result<Self, Error> {
        found.check_owner()?;
        found.check_not_leaving()?;
        let OneSecret { desired, connection, secret, .. } = found;
        let mut live =
            Live { account: connection.account.clone(), region: desired.target.region.clone(), ..Live::default() };
        live.secrets.insert(secret.name.clone(), secret.clone());
        match plan_release(desired, &live, &secret.name) {
            Some(plan) => Ok(Self { plan: Plan { endpoint: found.connection.endpoint(), ..plan }, live }),
            None => Err(found.refuse(SecretProblem::NothingToRelease)),
        }
    }

    /// Carries it out.
    pub async fn carry_out(
        &self,
        found: &OneSecret,
        journal: &Journal,
        stop: Stop,
        listener: &(dyn Fn(ApplyEvent<'_>) + Sync),
    ) -> ApplyReport {
        let writer = found.connection.writer();
        // A release puts no value; the engine wants to know where one would come from.
        let sources = ValueSources::open(&ValueRules::default(), &found.aws, &found.root);
        let decryptor = sources.decryptor();
        let values = RunValues { sources: &sources, decryptor: &decryptor, passwords: NoPasswords };
        let work = Work {
            plan: &self.plan,
            live: &self.live,
            ignored: &found.desired.ignore_tags,
            made: &MadeSecrets::default(),
            undone: &BTreeSet::new(),
            policies: &PolicyChecks::default(),
        };
        let entries = found.entries(journal, &found.desired.target.region);
        let recorder = Recorder::new(&writer, &entries);
        apply(&recorder, &values, work, ApplyOptions::default(), stop, listener).await
    }
}
