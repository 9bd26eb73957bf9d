//! How a change writes the tables: each method keeps the tables in step that belong together.
//!
//! Nothing here knows a rule of the service.

use std::time::Duration;

use super::index;
use super::record::{SecretData, SecretRecord, VersionRecord};
use super::store::StoreError;
use super::tables::{
    CLOCK_OFFSET, COUNTERS, CREATED, DUE, HISTORY, INCARNATIONS, NOTHING, POLICIES, SECRETS, VALUES, VERSIONS, Writer,
    place,
};
use crate::clock::Moment;
use crate::home::Home;

/// How long changes are remembered: longer than any list lags.
const REMEMBERED: Duration = Duration::from_mins(10);

impl Writer<'_> {
    /// Like `first_due`, and it is not due any more: whoever takes it sees to what comes next.
    pub(crate) fn take_first_due(&self) -> Result<Option<(Moment, Home, String)>, StoreError> {
        let first = self.first_due()?;
        if let Some((moment, Home { account, region }, name)) = &first {
            let key = (moment.0, account.as_str(), region.as_str(), name.as_str());
            self.transaction.open(DUE)?.remove(key)?;
        }
        Ok(first)
    }

    /// A serial number that was never given before.
    pub(crate) fn next_serial(&self) -> Result<u64, StoreError> {
        self.count_up("serial")
    }

    /// The next number of a counter.
    pub(super) fn count_up(&self, counter: &str) -> Result<u64, StoreError> {
        let mut counters = self.transaction.open(COUNTERS)?;
        let next = counters.get(counter)?.map_or(0, |last| last.value()) + 1;
        counters.insert(counter, next)?;
        Ok(next)
    }

    /// Writes a secret's record and keeps the tables that order secrets in step with it.
    pub(crate) fn save(&self, home: &Home, record: &SecretRecord) -> Result<(), StoreError> {
        let (account, region, name) = (home.account.as_str(), home.region.as_str(), record.name.as_str());
        self.remember(home, name)?;
        let stored = serde_json::to_vec(record)?;
        let mut secrets = self.transaction.open(SECRETS)?;
        let former = secrets
            .insert((account, region, name), stored.as_slice())?
            .map(|former| serde_json::from_slice::<SecretRecord>(former.value()))
            .transpose()?;
        let former_due = former.as_ref().and_then(SecretRecord::due).map(|due| due.0);
        let due = record.due().map(|due| due.0);
        if former_due != due {
            let mut dues = self.transaction.open(DUE)?;
            if let Some(due) = former_due {
                dues.remove((due, account, region, name))?;
            }
            if let Some(due) = due {
                dues.insert((due, account, region, name), ())?;
            }
        }
        drop(secrets);
        index::follow(self.transaction, home, former.as_ref(), Some(record))?;
        if former.is_none() {
            let mut created = self.transaction.open(CREATED)?;
            created.insert((account, region, record.created.0, record.serial), name)?;
        }
        Ok(())
    }

    /// Removes a secret and all that hangs on it, at once and for good.
    pub(crate) fn remove(&self, home: &Home, record: &SecretRecord) -> Result<(), StoreError> {
        let (account, region, name) = (home.account.as_str(), home.region.as_str(), record.name.as_str());
        self.remember(home, name)?;
        self.transaction.open(CREATED)?.remove((account, region, record.created.0, record.serial))?;
        let former = self
            .transaction
            .open(SECRETS)?
            .remove((account, region, name))?
            .map(|former| serde_json::from_slice::<SecretRecord>(former.value()))
            .transpose()?;
        index::follow(self.transaction, home, former.as_ref(), None)?;
        // As it was saved, which need not be as it was handed over.
        if let Some(due) = former.as_ref().and_then(SecretRecord::due) {
            self.transaction.open(DUE)?.remove((due.0, account, region, name))?;
        }
        self.transaction.open(POLICIES)?.remove(record.serial)?;
        let all = (record.serial, "")..(record.serial.saturating_add(1), "");
        self.transaction.open(VERSIONS)?.remove_range(all.clone())?;
        self.transaction.open(VALUES)?.remove_range(all)?;
        let count = self.incarnation(home, name)? + 1;
        self.transaction.open(INCARNATIONS)?.insert((account, region, name), count)?;
        Ok(())
    }

    /// Remembers what a secret is before it changes, and forgets what no list can show any more.
    fn remember(&self, home: &Home, name: &str) -> Result<(), StoreError> {
        if !self.remembering {
            return Ok(());
        }
        let (account, region) = (home.account.as_str(), home.region.as_str());
        let secrets = self.transaction.open(SECRETS)?;
        let former = secrets.get((account, region, name))?;
        let former = former.as_ref().map_or(NOTHING, redb::AccessGuard::value);
        let mut history = self.transaction.open(HISTORY)?;
        let place = (account, region, name, self.now.0);
        // Of several changes at one moment, the first one's former state is what was there before.
        if history.get(place)?.is_none() {
            history.insert(place, former)?;
        }
        let forgotten = (account, region, name, i64::MIN)..(account, region, name, self.now.minus(REMEMBERED).0);
        history.remove_range(forgotten)?;
        Ok(())
    }

    /// Moves the clock forward, by milliseconds; the new offset.
    pub(crate) fn advance_clock(&self, by: u64) -> Result<u64, StoreError> {
        let offset = self.clock_offset()?.saturating_add(by);
        self.transaction.open(COUNTERS)?.insert(CLOCK_OFFSET, offset)?;
        Ok(offset)
    }

    /// Sets the text of a secret's resource policy, or removes it.
    pub(crate) fn save_policy(&self, serial: u64, text: Option<&str>) -> Result<(), StoreError> {
        let mut policies = self.transaction.open(POLICIES)?;
        match text {
            Some(text) => policies.insert(serial, text)?,
            None => policies.remove(serial)?,
        };
        Ok(())
    }

    /// Writes a version's record.
    pub(crate) fn save_version(
        &self,
        serial: u64,
        version_id: &str,
        version: &VersionRecord,
    ) -> Result<(), StoreError> {
        let stored = serde_json::to_vec(version)?;
        self.transaction.open(VERSIONS)?.insert((serial, version_id), stored.as_slice())?;
        Ok(())
    }

    /// Writes a version's value.
    pub(crate) fn save_value(
        &self,
        home: &Home,
        serial: u64,
        version_id: &str,
        value: &SecretData,
    ) -> Result<(), StoreError> {
        let stored = self.cipher.seal(&place(home, serial, version_id), &value.to_stored()).ok_or(StoreError::Value)?;
        self.transaction.open(VALUES)?.insert((serial, version_id), stored.as_slice())?;
        Ok(())
    }

    /// Removes a version and its value.
    pub(crate) fn remove_version(&self, serial: u64, version_id: &str) -> Result<(), StoreError> {
        self.transaction.open(VERSIONS)?.remove((serial, version_id))?;
        self.transaction.open(VALUES)?.remove((serial, version_id))?;
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a store in memory does not fail")]
mod tests {
    use std::ops::ControlFlow;

    use zeroize::Zeroizing;

    use super::*;
    use crate::state::{Deletion, Labels, Store};

    fn record(serial: u64, due: Option<Moment>) -> SecretRecord {
        SecretRecord {
            serial,
            name: "a".to_owned(),
            arn: "arn".to_owned(),
            description: None,
            kind: None,
            kms_key_id: None,
            tags: None,
            labels: Labels::default(),
            created: Moment(0),
            changed: Moment(0),
            accessed: None,
            deletion: due.map(|due| Deletion { requested: Moment(0), due }),
            owning_service: None,
            replicas: Vec::new(),
            replica_of: None,
            rotation: None,
            cross_account_replica: None,
            cross_account_primary: None,
        }
    }

    /// What hangs on a secret can be reached only through its serial number: nothing of it may stay behind unseen.
    #[test]
    fn a_secret_that_is_removed_leaves_nothing_behind() {
        let store = Store::in_memory().unwrap();
        let home = Home::new("000000000000", "eu-west-1");
        let serial = store
            .write(Moment(1), |writer| {
                let serial = writer.next_serial()?;
                writer.save(&home, &record(serial, Some(Moment(10))))?;
                writer.save_policy(serial, Some("policy"))?;
                let version = VersionRecord { created: Moment(1), accessed: None, kms_key_id: None };
                writer.save_version(serial, "v", &version)?;
                writer.save_value(&home, serial, "v", &SecretData::Text(Zeroizing::new("x".to_owned())))?;
                Ok::<_, StoreError>(serial)
            })
            .unwrap();
        store
            .write(Moment(10), |writer| {
                let (due, home, name) = writer.first_due()?.unwrap();
                assert_eq!((due, name.as_str()), (Moment(10), "a"));
                writer.remove(&home, &writer.secret_as_stored(&home, &name)?.unwrap())?;
                assert_eq!(writer.first_due()?, None);
                Ok::<_, StoreError>(())
            })
            .unwrap();
        store
            .read(Moment(1), |reader| {
                assert!(reader.secret(&home, "a")?.is_none());
                assert_eq!(reader.policy(serial)?, None);
                assert!(reader.version(serial, "v")?.is_none());
                assert!(reader.value(&home, serial, "v")?.is_none());
                assert_eq!(reader.incarnation(&home, "a")?, 1);
                let mut listed = 0;
                reader.walk_by_creation(&home, None, false, |_, _| {
                    listed += 1;
                    Ok::<_, StoreError>(ControlFlow::Continue(()))
                })?;
                assert_eq!(listed, 0);
                Ok::<_, StoreError>(())
            })
            .unwrap();
    }
}
