//! What is in the database, and how a transaction reads it. How it is changed is in `changes`.
//!
//! | table | key | value |
//! |---|---|---|
//! | meta | name | the magic word, the format, and what a wrong key is known by |
//! | counters | name | the last serial number; how far the clock was moved |
//! | secrets | account, region, name | the record, JSON |
//! | created | account, region, creation date, serial | the name: the order of ListSecrets |
//! | due | when there is next something to do, account, region, name | nothing |
//! | incarnations | account, region, name | how many secrets of this name were removed |
//! | history | account, region, name, when it was changed | the record before that: what a lagging list shows |
//! | policies | serial | the resource policy's text |
//! | versions | serial, version id | the version's record, JSON |
//! | values | serial, version id | the value, encrypted |
//!
//! What lists find secrets by, which follows from these, is in `index`; CloudTrail's events are in `events`.
//!
//! Nothing here knows a rule of the service, except that a secret whose recovery window has ended is gone even before
//! it is removed.

use std::collections::BTreeSet;
use std::ops::{Bound, ControlFlow};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use redb::{Key, ReadTransaction, ReadableTable, TableDefinition, TableError, TableHandle as _, Value};

use super::cipher::Cipher;
use super::events;
use super::index::{self, CHANGED};
use super::record::{SecretData, SecretRecord, VersionRecord};
use super::store::StoreError;
use super::transaction::SharedTransaction;
use crate::clock::Moment;
use crate::home::Home;

/// The format that this version reads and writes.
pub(crate) const FORMAT: &str = "3";

/// The format before it, without the tables of `index`.
const WITHOUT_INDEXES: &str = "2";

const MAGIC: &str = "keywright sandbox";
const META: TableDefinition<&str, &str> = TableDefinition::new("meta");
pub(super) const COUNTERS: TableDefinition<&str, u64> = TableDefinition::new("counters");
pub(super) const SECRETS: TableDefinition<(&str, &str, &str), &[u8]> = TableDefinition::new("secrets");
pub(super) const CREATED: TableDefinition<(&str, &str, i64, u64), &str> = TableDefinition::new("created");
pub(super) const DUE: TableDefinition<(i64, &str, &str, &str), ()> = TableDefinition::new("due");
pub(super) const INCARNATIONS: TableDefinition<(&str, &str, &str), u64> = TableDefinition::new("incarnations");
pub(super) const HISTORY: TableDefinition<(&str, &str, &str, i64), &[u8]> = TableDefinition::new("history");
pub(super) const POLICIES: TableDefinition<u64, &str> = TableDefinition::new("policies");
pub(super) const VERSIONS: TableDefinition<(u64, &str), &[u8]> = TableDefinition::new("versions");
pub(super) const VALUES: TableDefinition<(u64, &str), &[u8]> = TableDefinition::new("values");

/// The counter that holds how far the clock was moved.
pub(super) const CLOCK_OFFSET: &str = "clock offset";

/// In the history: there was no such secret.
pub(super) const NOTHING: &[u8] = b"";

/// What a database says of itself.
pub(crate) enum Format {
    /// There is nothing in it.
    Empty,
    /// Ours; `key_check` shows whether a key is the one of its values.
    Ours {
        key_check: String,
        /// Whether it is of the format before this one.
        older: bool,
    },
    NotASandbox,
    Other(String),
}

/// Tells whose database this is.
pub(crate) fn recognise(shared: &SharedTransaction) -> Result<Format, StoreError> {
    let transaction = shared.transaction();
    let tables: Vec<String> = transaction.list_tables()?.map(|table| table.name().to_owned()).collect();
    if tables.is_empty() {
        return Ok(Format::Empty);
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
        (Some(MAGIC), Some(format)) if format == FORMAT || format == WITHOUT_INDEXES => {
            events::make(shared)?;
            Ok(Format::Ours { key_check: entry("key check")?.unwrap_or_default(), older: format != FORMAT })
        }
        (Some(MAGIC), format) => Ok(Format::Other(format.unwrap_or_default())),
        _ => Ok(Format::NotASandbox),
    }
}

/// Brings a database of the format before this one up to it.
pub(crate) fn upgrade(transaction: &SharedTransaction) -> Result<(), StoreError> {
    index::make(transaction)?;
    transaction.open(META)?.insert("format", FORMAT)?;
    Ok(())
}

/// Whether a key is the one under which a database was made.
pub(crate) fn is_key(cipher: &Cipher, key_check: &str) -> bool {
    STANDARD.decode(key_check).is_ok_and(|sealed| cipher.open(MAGIC.as_bytes(), &sealed).is_some())
}

/// Removes everything and makes the tables again.
pub(crate) fn clear(shared: &SharedTransaction, cipher: &Cipher) -> Result<(), StoreError> {
    let transaction = shared.transaction();
    let tables: Vec<_> = transaction.list_tables()?.collect();
    for table in tables {
        transaction.delete_table(table)?;
    }
    make(shared, cipher)
}

/// Makes the tables of an empty database.
pub(crate) fn make(shared: &SharedTransaction, cipher: &Cipher) -> Result<(), StoreError> {
    let transaction = shared.transaction();
    let key_check = cipher.seal(MAGIC.as_bytes(), b"").ok_or(StoreError::Value)?;
    let mut meta = transaction.open_table(META)?;
    meta.insert("magic", MAGIC)?;
    meta.insert("format", FORMAT)?;
    meta.insert("key check", STANDARD.encode(key_check).as_str())?;
    // A read transaction cannot open a table that was never made.
    transaction.open_table(COUNTERS)?;
    transaction.open_table(SECRETS)?;
    transaction.open_table(CREATED)?;
    transaction.open_table(DUE)?;
    transaction.open_table(INCARNATIONS)?;
    transaction.open_table(HISTORY)?;
    transaction.open_table(POLICIES)?;
    transaction.open_table(VERSIONS)?;
    transaction.open_table(VALUES)?;
    events::make(shared)?;
    index::make(shared)
}

/// What a value's encryption is bound to: a value that was moved to another place in the file cannot be opened.
pub(super) fn place(home: &Home, serial: u64, version_id: &str) -> Vec<u8> {
    let Home { account, region } = home;
    // Neither an account nor a region can have a zero byte, nor can the version id, and the serial has a fixed size.
    [account.as_bytes(), b"\0", region.as_bytes(), b"\0", &serial.to_be_bytes(), version_id.as_bytes()].concat()
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

impl Transaction for SharedTransaction {
    fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<impl ReadableTable<K, V>, StoreError> {
        Ok(self.transaction().open_table(definition)?)
    }
}

/// One transaction's view of the tables at one moment.
pub(crate) struct View<'t, T> {
    pub(super) transaction: &'t T,
    pub(super) cipher: &'t Cipher,
    pub(super) now: Moment,
    /// Whether changes are remembered, for lists that lag.
    pub(super) remembering: bool,
}

/// A view that only reads.
pub(crate) type Reader<'t> = View<'t, ReadTransaction>;

/// A view that can also write.
pub(crate) type Writer<'t> = View<'t, SharedTransaction>;

/// A place in the order of creation: the date, then the serial number.
pub(crate) type Created = (Moment, u64);

impl<'t, T: Transaction> View<'t, T> {
    pub(crate) fn new(transaction: &'t T, cipher: &'t Cipher, now: Moment, remembering: bool) -> Self {
        Self { transaction, cipher, now, remembering }
    }

    /// The same view at another moment.
    pub(crate) fn at(&self, now: Moment) -> Self {
        Self { now, ..*self }
    }

    /// The moment at which this view looks.
    pub(crate) fn now(&self) -> Moment {
        self.now
    }

    /// A secret by its name.
    pub(crate) fn secret(&self, home: &Home, name: &str) -> Result<Option<SecretRecord>, StoreError> {
        let record = self.secret_as_stored(home, name)?;
        Ok(record.filter(|record| record.deletion.is_none_or(|deletion| deletion.due > self.now)))
    }

    /// The first secret with which there is something to do by now, and since when.
    pub(crate) fn first_due(&self) -> Result<Option<(Moment, Home, String)>, StoreError> {
        let dues = self.transaction.table(DUE)?;
        let mut range = dues.range(..(self.now.next().0, "", "", ""))?;
        let Some(entry) = range.next() else { return Ok(None) };
        let (key, ()) = entry.map(|(key, nothing)| (key, nothing.value()))?;
        let (moment, account, region, name) = key.value();
        Ok(Some((Moment(moment), Home::new(account, region), name.to_owned())))
    }

    /// A secret by its name, even if its recovery window has ended.
    pub(crate) fn secret_as_stored(&self, home: &Home, name: &str) -> Result<Option<SecretRecord>, StoreError> {
        let secrets = self.transaction.table(SECRETS)?;
        let Some(stored) = secrets.get((home.account.as_str(), home.region.as_str(), name))? else { return Ok(None) };
        Ok(Some(serde_json::from_slice(stored.value())?))
    }

    /// A secret as it was at an earlier moment, as far as changes were remembered since.
    pub(crate) fn secret_as_of(
        &self,
        home: &Home,
        name: &str,
        moment: Moment,
    ) -> Result<Option<SecretRecord>, StoreError> {
        let (account, region) = (home.account.as_str(), home.region.as_str());
        let history = self.transaction.table(HISTORY)?;
        let since = (account, region, name, moment.next().0)..=(account, region, name, i64::MAX);
        let record = match history.range(since)?.next() {
            Some(entry) => match entry?.1.value() {
                NOTHING => None,
                stored => Some(serde_json::from_slice::<SecretRecord>(stored)?),
            },
            None => self.secret_as_stored(home, name)?,
        };
        Ok(record.filter(|record| record.deletion.is_none_or(|deletion| deletion.due > moment)))
    }

    /// The clock's distance from the clock that it runs by, in milliseconds.
    pub(crate) fn clock_offset(&self) -> Result<u64, StoreError> {
        Ok(self.transaction.table(COUNTERS)?.get(CLOCK_OFFSET)?.map_or(0, |offset| offset.value()))
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

    /// The versions of a secret that hold a value, by their ids.
    pub(crate) fn versions_with_value(&self, serial: u64) -> Result<BTreeSet<String>, StoreError> {
        let values = self.transaction.table(VALUES)?;
        let mut ids = BTreeSet::new();
        for entry in values.range((serial, "")..(serial.saturating_add(1), ""))? {
            ids.insert(entry?.0.value().1.to_owned());
        }
        Ok(ids)
    }

    /// The value of a version. A version that a rotation has only begun has none.
    pub(crate) fn value(&self, home: &Home, serial: u64, version_id: &str) -> Result<Option<SecretData>, StoreError> {
        let values = self.transaction.table(VALUES)?;
        let Some(stored) = values.get((serial, version_id))? else { return Ok(None) };
        let opened = self.cipher.open(&place(home, serial, version_id), stored.value());
        opened.and_then(|opened| SecretData::from_stored(&opened)).map(Some).ok_or(StoreError::Value)
    }
}

impl Reader<'_> {
    /// The names of a home's secrets, those that are remembered too.
    pub(crate) fn names_remembered(&self, home: &Home) -> Result<BTreeSet<String>, StoreError> {
        let mut names = BTreeSet::new();
        self.walk_by_name(home, None, false, |name| {
            names.insert(name.to_owned());
            Ok::<_, StoreError>(ControlFlow::Continue(()))
        })?;
        let (account, region) = (home.account.as_str(), home.region.as_str());
        let next_region = format!("{region}\0");
        let all = (account, region, "", i64::MIN)..(account, next_region.as_str(), "", i64::MIN);
        for entry in self.transaction.table(HISTORY)?.range(all)? {
            names.insert(entry?.0.value().2.to_owned());
        }
        Ok(names)
    }

    /// Walks a home's secrets in the order of their creation, from behind `after`, until `visit` breaks.
    pub(crate) fn walk_by_creation<E: From<StoreError>>(
        &self,
        home: &Home,
        after: Option<Created>,
        descending: bool,
        visit: impl FnMut(Created, &str) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        self.walk_by_date(CREATED, home, after, descending, visit)
    }

    /// Walks a home's secrets in the order of their last change, from behind `after`, until `visit` breaks.
    pub(crate) fn walk_by_change<E: From<StoreError>>(
        &self,
        home: &Home,
        after: Option<Created>,
        descending: bool,
        visit: impl FnMut(Created, &str) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        self.walk_by_date(CHANGED, home, after, descending, visit)
    }

    fn walk_by_date<E: From<StoreError>>(
        &self,
        table: TableDefinition<'static, (&'static str, &'static str, i64, u64), &'static str>,
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
        let dates = self.transaction.table(table)?;
        let mut range = dates.range(bounds).map_err(StoreError::from)?;
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
