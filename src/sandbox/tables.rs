//! What is in the database, and how a transaction reads and changes it.
//!
//! | table | key | value |
//! |---|---|---|
//! | meta | name | the magic word and the format |
//! | counters | name | the last serial number |
//! | secrets | account, region, name | the record, JSON |
//! | created | account, region, creation date, serial | the name: the order of ListSecrets |
//! | due | end of the recovery window, account, region, name | nothing |
//! | incarnations | account, region, name | how many secrets of this name were removed |
//! | policies | serial | the resource policy's text |
//! | versions | serial, version id | the version's record, JSON |
//! | values | serial, version id | the value |
//!
//! Nothing here knows a rule of the service, except that a secret whose recovery window has ended is gone.

use std::ops::{Bound, ControlFlow};

use redb::{
    Key, ReadTransaction, ReadableTable, TableDefinition, TableError, TableHandle as _, Value, WriteTransaction,
};

use super::clock::Moment;
use super::identity::Home;
use super::record::{SecretData, SecretRecord, VersionRecord};
use super::store::StoreError;

/// The format that this version reads and writes.
pub(crate) const FORMAT: &str = "1";

const MAGIC: &str = "keywright sandbox";
const META: TableDefinition<&str, &str> = TableDefinition::new("meta");
const COUNTERS: TableDefinition<&str, u64> = TableDefinition::new("counters");
const SECRETS: TableDefinition<(&str, &str, &str), &[u8]> = TableDefinition::new("secrets");
const CREATED: TableDefinition<(&str, &str, i64, u64), &str> = TableDefinition::new("created");
const DUE: TableDefinition<(i64, &str, &str, &str), ()> = TableDefinition::new("due");
const INCARNATIONS: TableDefinition<(&str, &str, &str), u64> = TableDefinition::new("incarnations");
const POLICIES: TableDefinition<u64, &str> = TableDefinition::new("policies");
const VERSIONS: TableDefinition<(u64, &str), &[u8]> = TableDefinition::new("versions");
const VALUES: TableDefinition<(u64, &str), &[u8]> = TableDefinition::new("values");

/// What a database says of itself.
pub(crate) enum Format {
    Ours,
    NotASandbox,
    Other(String),
}

/// Makes the tables of an empty database, and recognises those of another.
pub(crate) fn prepare(transaction: &WriteTransaction) -> Result<Format, StoreError> {
    let tables: Vec<String> = transaction.list_tables()?.map(|table| table.name().to_owned()).collect();
    if tables.is_empty() {
        make(transaction)?;
        return Ok(Format::Ours);
    }
    if !tables.iter().any(|table| table == META.name()) {
        return Ok(Format::NotASandbox);
    }
    let meta = match transaction.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::Storage(error)) => return Err(error.into()),
        // Somebody else's table of that name.
        Err(_) => return Ok(Format::NotASandbox),
    };
    let entry =
        |key| -> Result<Option<String>, StoreError> { Ok(meta.get(key)?.map(|value| value.value().to_owned())) };
    match (entry("magic")?.as_deref(), entry("format")?) {
        (Some(MAGIC), Some(format)) if format == FORMAT => Ok(Format::Ours),
        (Some(MAGIC), format) => Ok(Format::Other(format.unwrap_or_default())),
        _ => Ok(Format::NotASandbox),
    }
}

/// Removes everything and makes the tables anew.
pub(crate) fn clear(transaction: &WriteTransaction) -> Result<(), StoreError> {
    let tables: Vec<_> = transaction.list_tables()?.collect();
    for table in tables {
        transaction.delete_table(table)?;
    }
    make(transaction)
}

fn make(transaction: &WriteTransaction) -> Result<(), StoreError> {
    let mut meta = transaction.open_table(META)?;
    meta.insert("magic", MAGIC)?;
    meta.insert("format", FORMAT)?;
    // A read transaction cannot open a table that was never made.
    transaction.open_table(COUNTERS)?;
    transaction.open_table(SECRETS)?;
    transaction.open_table(CREATED)?;
    transaction.open_table(DUE)?;
    transaction.open_table(INCARNATIONS)?;
    transaction.open_table(POLICIES)?;
    transaction.open_table(VERSIONS)?;
    transaction.open_table(VALUES)?;
    Ok(())
}

/// What reading needs of a transaction, so that reads are the same within a change and outside.
pub(crate) trait Transaction {
    /// Opens a table for reading. A change must let go of it before it opens the same table again.
    fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<impl ReadableTable<K, V>, StoreError>;
}

impl Transaction for ReadTransaction {
    fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<impl ReadableTable<K, V>, StoreError> {
        Ok(self.open_table(definition)?)
    }
}

impl Transaction for WriteTransaction {
    fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<impl ReadableTable<K, V>, StoreError> {
        Ok(self.open_table(definition)?)
    }
}

/// One transaction's view of the tables at one moment.
pub(crate) struct View<'t, T> {
    transaction: &'t T,
    now: Moment,
}

/// A view that only reads.
pub(crate) type Reader<'t> = View<'t, ReadTransaction>;

/// A view that can also write.
pub(crate) type Writer<'t> = View<'t, WriteTransaction>;

/// A place in the order of creation: the date, then the serial number.
pub(crate) type Created = (Moment, u64);

impl<'t, T: Transaction> View<'t, T> {
    pub(crate) fn new(transaction: &'t T, now: Moment) -> Self {
        Self { transaction, now }
    }

    /// The moment at which this view looks.
    pub(crate) fn now(&self) -> Moment {
        self.now
    }

    /// A secret by its name.
    pub(crate) fn secret(&self, home: &Home, name: &str) -> Result<Option<SecretRecord>, StoreError> {
        let secrets = self.transaction.table(SECRETS)?;
        let Some(stored) = secrets.get((home.account.as_str(), home.region.as_str(), name))? else { return Ok(None) };
        let record: SecretRecord = serde_json::from_slice(stored.value())?;
        let gone = record.deletion.is_some_and(|deletion| deletion.due <= self.now);
        Ok((!gone).then_some(record))
    }

    /// How many secrets of this name were made here and removed since.
    pub(crate) fn incarnation(&self, home: &Home, name: &str) -> Result<u64, StoreError> {
        let incarnations = self.transaction.table(INCARNATIONS)?;
        let count = incarnations.get((home.account.as_str(), home.region.as_str(), name))?;
        Ok(count.map_or(0, |count| count.value()))
    }

    /// The text of a secret's resource policy.
    pub(crate) fn policy(&self, serial: u64) -> Result<Option<String>, StoreError> {
        let policies = self.transaction.table(POLICIES)?;
        Ok(policies.get(serial)?.map(|text| text.value().to_owned()))
    }

    /// One version of a secret.
    pub(crate) fn version(&self, serial: u64, version_id: &str) -> Result<Option<VersionRecord>, StoreError> {
        let versions = self.transaction.table(VERSIONS)?;
        let Some(stored) = versions.get((serial, version_id))? else { return Ok(None) };
        Ok(Some(serde_json::from_slice(stored.value())?))
    }

    /// All versions of a secret, deprecated ones too, the oldest first.
    pub(crate) fn versions(&self, serial: u64) -> Result<Vec<(String, VersionRecord)>, StoreError> {
        let table = self.transaction.table(VERSIONS)?;
        let mut versions = Vec::new();
        for entry in table.range((serial, "")..(serial.saturating_add(1), ""))? {
            let (key, stored) = entry?;
            versions.push((key.value().1.to_owned(), serde_json::from_slice::<VersionRecord>(stored.value())?));
        }
        versions.sort_by(|(left_id, left), (right_id, right)| (left.created, left_id).cmp(&(right.created, right_id)));
        Ok(versions)
    }

    /// The value of a version.
    pub(crate) fn value(&self, serial: u64, version_id: &str) -> Result<Option<SecretData>, StoreError> {
        let values = self.transaction.table(VALUES)?;
        let Some(stored) = values.get((serial, version_id))? else { return Ok(None) };
        SecretData::from_stored(stored.value()).map(Some).ok_or(StoreError::Value)
    }
}

impl Reader<'_> {
    /// Walks a home's secrets in the order of their creation, from behind `after`, until `visit` breaks.
    pub(crate) fn walk_by_creation<E: From<StoreError>>(
        &self,
        home: &Home,
        after: Option<Created>,
        descending: bool,
        mut visit: impl FnMut(Created, &str) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let (account, region) = (home.account.as_str(), home.region.as_str());
        let first = Bound::Included((account, region, i64::MIN, 0));
        let last = Bound::Included((account, region, i64::MAX, u64::MAX));
        let place = after.map(|(date, serial)| Bound::Excluded((account, region, date.0, serial)));
        let bounds = if descending { (first, place.unwrap_or(last)) } else { (place.unwrap_or(first), last) };
        let created = self.transaction.table(CREATED)?;
        let mut range = created.range(bounds).map_err(StoreError::from)?;
        while let Some(entry) = if descending { range.next_back() } else { range.next() } {
            let (key, name) = entry.map_err(StoreError::from)?;
            let (_, _, date, serial) = key.value();
            if visit((Moment(date), serial), name.value())?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Walks a home's secrets in the order of their names (by their bytes), from behind `after`, until `visit` breaks.
    pub(crate) fn walk_by_name<E: From<StoreError>>(
        &self,
        home: &Home,
        after: Option<&str>,
        descending: bool,
        mut visit: impl FnMut(&str) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let (account, region) = (home.account.as_str(), home.region.as_str());
        // The least text that is greater than the region's own.
        let next_region = format!("{region}\0");
        let first = Bound::Included((account, region, ""));
        let last = Bound::Excluded((account, next_region.as_str(), ""));
        let place = after.map(|name| Bound::Excluded((account, region, name)));
        let bounds = if descending { (first, place.unwrap_or(last)) } else { (place.unwrap_or(first), last) };
        let secrets = self.transaction.table(SECRETS)?;
        let mut range = secrets.range(bounds).map_err(StoreError::from)?;
        while let Some(entry) = if descending { range.next_back() } else { range.next() } {
            let (key, _) = entry.map_err(StoreError::from)?;
            if visit(key.value().2)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Writer<'_> {
    /// A serial number that was never given before.
    pub(crate) fn next_serial(&self) -> Result<u64, StoreError> {
        let mut counters = self.transaction.open_table(COUNTERS)?;
        let serial = counters.get("serial")?.map_or(0, |last| last.value()) + 1;
        counters.insert("serial", serial)?;
        Ok(serial)
    }

    /// Writes a secret's record and keeps the tables that order secrets in step with it.
    pub(crate) fn save(&self, home: &Home, record: &SecretRecord) -> Result<(), StoreError> {
        let (account, region, name) = (home.account.as_str(), home.region.as_str(), record.name.as_str());
        let stored = serde_json::to_vec(record)?;
        let mut secrets = self.transaction.open_table(SECRETS)?;
        let former = secrets
            .insert((account, region, name), stored.as_slice())?
            .map(|former| serde_json::from_slice::<SecretRecord>(former.value()))
            .transpose()?;
        let former_due = former.as_ref().and_then(|former| former.deletion).map(|deletion| deletion.due.0);
        let due = record.deletion.map(|deletion| deletion.due.0);
        if former_due != due {
            let mut dues = self.transaction.open_table(DUE)?;
            if let Some(due) = former_due {
                dues.remove((due, account, region, name))?;
            }
            if let Some(due) = due {
                dues.insert((due, account, region, name), ())?;
            }
        }
        if former.is_none() {
            let mut created = self.transaction.open_table(CREATED)?;
            created.insert((account, region, record.created.0, record.serial), name)?;
        }
        Ok(())
    }

    /// Removes a secret and all that hangs on it, at once and for good.
    pub(crate) fn remove(&self, home: &Home, record: &SecretRecord) -> Result<(), StoreError> {
        let (account, region, name) = (home.account.as_str(), home.region.as_str(), record.name.as_str());
        self.transaction.open_table(SECRETS)?.remove((account, region, name))?;
        self.transaction.open_table(CREATED)?.remove((account, region, record.created.0, record.serial))?;
        if let Some(deletion) = record.deletion {
            self.transaction.open_table(DUE)?.remove((deletion.due.0, account, region, name))?;
        }
        self.transaction.open_table(POLICIES)?.remove(record.serial)?;
        let all = (record.serial, "")..(record.serial.saturating_add(1), "");
        self.transaction.open_table(VERSIONS)?.retain_in(all.clone(), |_, _| false)?;
        self.transaction.open_table(VALUES)?.retain_in(all, |_, _| false)?;
        let count = self.incarnation(home, name)? + 1;
        self.transaction.open_table(INCARNATIONS)?.insert((account, region, name), count)?;
        Ok(())
    }

    /// Removes the secrets whose recovery window has ended.
    pub(crate) fn purge_due(&self) -> Result<(), StoreError> {
        let ended: Vec<(Home, String)> = {
            let dues = self.transaction.open_table(DUE)?;
            let mut ended = Vec::new();
            for entry in dues.range(..(self.now.next().0, "", "", ""))? {
                let (key, ()) = entry.map(|(key, nothing)| (key, nothing.value()))?;
                let (_, account, region, name) = key.value();
                ended.push((Home::new(account, region), name.to_owned()));
            }
            ended
        };
        for (home, name) in ended {
            let stored = {
                let secrets = self.transaction.open_table(SECRETS)?;
                let stored = secrets.get((home.account.as_str(), home.region.as_str(), name.as_str()))?;
                stored.map(|stored| serde_json::from_slice::<SecretRecord>(stored.value())).transpose()?
            };
            if let Some(record) = stored {
                self.remove(&home, &record)?;
            }
        }
        Ok(())
    }

    /// Sets the text of a secret's resource policy, or removes it.
    pub(crate) fn save_policy(&self, serial: u64, text: Option<&str>) -> Result<(), StoreError> {
        let mut policies = self.transaction.open_table(POLICIES)?;
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
        self.transaction.open_table(VERSIONS)?.insert((serial, version_id), stored.as_slice())?;
        Ok(())
    }

    /// Writes a version's value.
    pub(crate) fn save_value(&self, serial: u64, version_id: &str, value: &SecretData) -> Result<(), StoreError> {
        let stored = value.to_stored();
        self.transaction.open_table(VALUES)?.insert((serial, version_id), stored.as_slice())?;
        Ok(())
    }

    /// Removes a version and its value.
    pub(crate) fn remove_version(&self, serial: u64, version_id: &str) -> Result<(), StoreError> {
        self.transaction.open_table(VERSIONS)?.remove((serial, version_id))?;
        self.transaction.open_table(VALUES)?.remove((serial, version_id))?;
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a store in memory does not fail")]
mod tests {
    use zeroize::Zeroizing;

    use super::super::label::Labels;
    use super::super::record::Deletion;
    use super::super::store::Store;
    use super::*;

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
        }
    }

    /// What hangs on a secret can be reached only through its serial number: nothing of it may stay behind unseen.
    #[test]
    fn a_secret_whose_window_has_ended_leaves_nothing_behind() {
        let store = Store::in_memory().unwrap();
        let home = Home::new("000000000000", "eu-west-1");
        let serial = store
            .write(Moment(1), |writer| {
                let serial = writer.next_serial()?;
                writer.save(&home, &record(serial, Some(Moment(10))))?;
                writer.save_policy(serial, Some("policy"))?;
                let version = VersionRecord { created: Moment(1), accessed: None, kms_key_id: None };
                writer.save_version(serial, "v", &version)?;
                writer.save_value(serial, "v", &SecretData::Text(Zeroizing::new("x".to_owned())))?;
                Ok::<_, StoreError>(serial)
            })
            .unwrap();
        store.write(Moment(10), |_| Ok::<_, StoreError>(())).unwrap();
        store
            .read(Moment(1), |reader| {
                assert!(reader.secret(&home, "a")?.is_none());
                assert_eq!(reader.policy(serial)?, None);
                assert!(reader.version(serial, "v")?.is_none());
                assert!(reader.value(serial, "v")?.is_none());
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
