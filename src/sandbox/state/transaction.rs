//! A transaction that holds several changes, of which each can be taken back while the others stay.
//!
//! redb undoes a transaction as a whole only. Here each change notes what was in the places that it wrote, so that one
//! that fails half-way leaves the others in place.

use std::borrow::Borrow;
use std::cell::RefCell;
use std::ops::RangeBounds;

use redb::{
    AccessGuard, Database, Key, Range, ReadableTable as _, StorageError, Table, TableDefinition, Value,
    WriteTransaction,
};

use super::store::StoreError;

/// Puts back what was in one place.
type Undo = Box<dyn FnOnce(&WriteTransaction) -> Result<(), StoreError> + Send>;

/// An open transaction, and how the change that is being made is taken back.
pub(crate) struct SharedTransaction {
    transaction: WriteTransaction,
    undo: RefCell<Vec<Undo>>,
}

impl SharedTransaction {
    /// Begins a transaction, when the one before it has ended.
    pub(super) fn begin(database: &Database) -> Result<Self, StoreError> {
        Ok(Self { transaction: database.begin_write()?, undo: RefCell::default() })
    }

    /// The transaction, for what recognises and removes tables: nothing of that can be taken back.
    pub(super) fn transaction(&self) -> &WriteTransaction {
        &self.transaction
    }

    /// Ends a change: it is part of the transaction from now on.
    pub(super) fn keep(&self) {
        self.undo.borrow_mut().clear();
    }

    /// Takes a change back. On an error it is unknown what the transaction holds, and it must not be committed.
    pub(super) fn take_back(&self) -> Result<(), StoreError> {
        let undo = self.undo.take();
        // The newest first: a place may have been written twice.
        undo.into_iter().rev().try_for_each(|undo| undo(&self.transaction))
    }

    /// Writes everything to the disk.
    pub(super) fn commit(self) -> Result<(), StoreError> {
        Ok(self.transaction.commit()?)
    }

    /// Opens a table for changes that can be taken back. One table is open once at a time.
    pub(super) fn open<K: Key + Send + 'static, V: Value + Send + 'static>(
        &self,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<OpenTable<'_, K, V>, StoreError> {
        Ok(OpenTable { table: self.transaction.open_table(definition)?, definition, undo: &self.undo })
    }
}

/// A table whose changes can be taken back.
pub(super) struct OpenTable<'t, K: Key + 'static, V: Value + 'static> {
    table: Table<'t, K, V>,
    definition: TableDefinition<'static, K, V>,
    undo: &'t RefCell<Vec<Undo>>,
}

impl<K: Key + Send + 'static, V: Value + Send + 'static> OpenTable<'_, K, V> {
    pub(super) fn get<'k>(
        &self,
        key: impl Borrow<K::SelfType<'k>>,
    ) -> Result<Option<AccessGuard<'_, V>>, StorageError> {
        self.table.get(key)
    }

    pub(super) fn range<'k, B: Borrow<K::SelfType<'k>> + 'k>(
        &self,
        range: impl RangeBounds<B> + 'k,
    ) -> Result<Range<'_, K, V>, StorageError> {
        self.table.range(range)
    }

    /// Writes an entry; what was in its place.
    pub(super) fn insert<'k, 'v>(
        &mut self,
        key: impl Borrow<K::SelfType<'k>>,
        value: impl Borrow<V::SelfType<'v>>,
    ) -> Result<Option<AccessGuard<'_, V>>, StorageError> {
        let former = self.table.insert(key.borrow(), value.borrow())?;
        let kept = former.as_ref().map(|former| bytes::<V>(&former.value()));
        self.undo.borrow_mut().push(putting_back(self.definition, bytes::<K>(key.borrow()), kept));
        Ok(former)
    }

    /// Removes an entry; what it was.
    pub(super) fn remove<'k>(
        &mut self,
        key: impl Borrow<K::SelfType<'k>>,
    ) -> Result<Option<AccessGuard<'_, V>>, StorageError> {
        let former = self.table.remove(key.borrow())?;
        if let Some(former) = &former {
            let kept = Some(bytes::<V>(&former.value()));
            self.undo.borrow_mut().push(putting_back(self.definition, bytes::<K>(key.borrow()), kept));
        }
        Ok(former)
    }

    /// Removes all entries of a range.
    pub(super) fn remove_range<'k, B: Borrow<K::SelfType<'k>> + 'k>(
        &mut self,
        range: impl RangeBounds<B> + 'k,
    ) -> Result<(), StorageError> {
        let undo = self.undo;
        for entry in self.table.extract_from_if(range, |_, _| true)? {
            let (key, former) = entry?;
            let kept = Some(bytes::<V>(&former.value()));
            undo.borrow_mut().push(putting_back(self.definition, bytes::<K>(&key.value()), kept));
        }
        Ok(())
    }
}

/// Puts back what was in a place: an entry, or nothing.
fn putting_back<K: Key + Send + 'static, V: Value + Send + 'static>(
    definition: TableDefinition<'static, K, V>,
    key: Vec<u8>,
    former: Option<Vec<u8>>,
) -> Undo {
    Box::new(move |transaction| {
        let mut table = transaction.open_table(definition)?;
        let key = K::from_bytes(&key);
        match &former {
            Some(former) => table.insert(key, V::from_bytes(former))?,
            None => table.remove(key)?,
        };
        Ok(())
    })
}

fn bytes<V: Value>(value: &V::SelfType<'_>) -> Vec<u8> {
    V::as_bytes(value).as_ref().to_vec()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a database in memory does not fail")]
mod tests {
    use proptest::prelude::*;
    use redb::backends::InMemoryBackend;

    use super::*;

    const TABLE: TableDefinition<(u8, &str), &str> = TableDefinition::new("t");

    #[derive(Clone, Debug)]
    enum Step {
        Put(u8, String),
        Remove(u8),
        RemoveRange(u8, u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..8_u8, "[ab]{0,3}").prop_map(|(key, value)| Step::Put(key, value)),
            (0..8_u8).prop_map(Step::Remove),
            (0..8_u8, 0..8_u8).prop_map(|(from, to)| Step::RemoveRange(from.min(to), from.max(to))),
        ]
    }

    fn take(shared: &SharedTransaction, steps: &[Step]) {
        let mut table = shared.open(TABLE).unwrap();
        for step in steps {
            match step {
                Step::Put(key, value) => drop(table.insert((*key, "k"), value.as_str()).unwrap()),
                Step::Remove(key) => drop(table.remove((*key, "k")).unwrap()),
                Step::RemoveRange(from, to) => table.remove_range((*from, "")..(*to, "")).unwrap(),
            }
        }
    }

    fn entries(shared: &SharedTransaction) -> Vec<(u8, String)> {
        let table = shared.transaction().open_table(TABLE).unwrap();
        let entries = table.iter().unwrap().map(Result::unwrap);
        entries.map(|(key, value)| (key.value().0, value.value().to_owned())).collect()
    }

    proptest! {
        #[test]
        fn what_is_taken_back_leaves_what_was_kept(
            kept in proptest::collection::vec(step(), 0..12),
            taken_back in proptest::collection::vec(step(), 0..12),
            after in proptest::collection::vec(step(), 0..4),
        ) {
            let database = redb::Builder::new().create_with_backend(InMemoryBackend::new()).unwrap();
            let shared = SharedTransaction::begin(&database).unwrap();
            take(&shared, &kept);
            shared.keep();
            let before = entries(&shared);
            take(&shared, &taken_back);
            shared.take_back().unwrap();
            prop_assert_eq!(entries(&shared), before);
            // Nothing of it is left to be taken back with the next.
            take(&shared, &after);
            shared.keep();
            let last = entries(&shared);
            shared.take_back().unwrap();
            prop_assert_eq!(entries(&shared), last);
        }
    }
}
