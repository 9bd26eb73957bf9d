//! Durable commits that whoever writes at the same time shares.
//!
//! Beginning a transaction and waiting for the disk is nearly all that a write costs. A writer that is alone has a
//! transaction of its own. Where several write at once, they make their changes one after the other in one transaction;
//! the one that began it commits it, and no change is answered or visible before it is on the disk. A change
//! that fails is taken back and leaves the others' as they are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redb::Database;

use super::store::StoreError;
use super::transaction::SharedTransaction;

/// How long the one that commits lets others join.
const JOINING: Duration = Duration::from_millis(2);

/// The transaction that writers share, while one is open.
#[derive(Default)]
pub(super) struct SharedCommits {
    open: Mutex<Option<Open>>,
    /// How many have begun to write and not made their change yet.
    coming: AtomicUsize,
    /// The last one of them made its change.
    all_came: Condvar,
}

/// A transaction in which at least one change was made.
struct Open {
    transaction: SharedTransaction,
    fate: Arc<Fate>,
}

/// What became of a transaction.
#[derive(Default)]
struct Fate {
    /// Whether it is on the disk; nothing while it is not known.
    durable: Mutex<Option<bool>>,
    known: Condvar,
}

impl Fate {
    fn decide(&self, durable: bool) {
        *locked(&self.durable) = Some(durable);
        self.known.notify_all();
    }

    fn wait(&self) -> Result<(), StoreError> {
        let durable = self.known.wait_while(locked(&self.durable), |durable| durable.is_none());
        if *durable.unwrap_or_else(PoisonError::into_inner) == Some(true) { Ok(()) } else { Err(StoreError::Shared) }
    }
}

/// One that has begun to write and not made its change yet.
struct Coming<'c>(&'c SharedCommits);

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        if self.0.coming.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.all_came.notify_all();
        }
    }
}

impl SharedCommits {
    /// Makes a change, and returns when it is on the disk.
    pub(super) fn write<T, E: From<StoreError>>(
        &self,
        database: &Database,
        change: impl FnOnce(&SharedTransaction) -> Result<T, E>,
    ) -> Result<T, E> {
        self.coming.fetch_add(1, Ordering::AcqRel);
        let coming = Coming(self);
        let mut open = locked(&self.open);
        let joined = open.take();
        let begun = joined.is_none();
        let Open { transaction, fate } = match joined {
            Some(joined) => joined,
            None => Open { transaction: SharedTransaction::begin(database)?, fate: Arc::default() },
        };
        // Whoever panics here takes the transaction along: `fail` tells those who are in it.
        let lost = Lost(Some(&fate));
        let outcome = change(&transaction);
        match &outcome {
            Ok(_) => transaction.keep(),
            Err(_) if begun => {
                // Dropped with all that is in it: this one change.
                lost.averted();
                drop(coming);
                return outcome;
            }
            Err(_) => transaction.take_back()?,
        }
        lost.averted();
        *open = Some(Open { transaction, fate: Arc::clone(&fate) });
        drop(coming);
        let outcome = outcome?;
        if begun {
            self.commit(open, &fate)?;
        } else {
            drop(open);
            fate.wait()?;
        }
        Ok(outcome)
    }

    /// Commits the open transaction when all have come that are on their way.
    fn commit(&self, open: MutexGuard<'_, Option<Open>>, fate: &Arc<Fate>) -> Result<(), StoreError> {
        let coming = |_: &mut Option<Open>| self.coming.load(Ordering::Acquire) > 0;
        let (mut open, _) =
            self.all_came.wait_timeout_while(open, JOINING, coming).unwrap_or_else(PoisonError::into_inner);
        // It is not there if it was lost since, and another may have been begun.
        let mine = open.take_if(|open| Arc::ptr_eq(&open.fate, fate));
        drop(open);
        let Some(Open { transaction, fate }) = mine else { return fate.wait() };
        let lost = Lost(Some(&fate));
        transaction.commit()?;
        lost.averted();
        fate.decide(true);
        Ok(())
    }
}

/// Says of a transaction that it is lost, unless that is averted.
struct Lost<'f>(Option<&'f Fate>);

impl Lost<'_> {
    fn averted(mut self) {
        self.0 = None;
    }
}

impl Drop for Lost<'_> {
    fn drop(&mut self) {
        if let Some(fate) = self.0 {
            fate.decide(false);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a database in memory does not fail")]
mod tests {
    use std::collections::BTreeSet;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Barrier;
    use std::sync::atomic::AtomicBool;

    use redb::backends::InMemoryBackend;
    use redb::{ReadableDatabase as _, ReadableTable as _, StorageBackend, TableDefinition};

    use super::*;

    const TABLE: TableDefinition<u64, u64> = TableDefinition::new("t");

    /// Memory that counts how often it was to wait for the disk, and can refuse to.
    #[derive(Clone, Debug, Default)]
    struct Disk {
        memory: Arc<InMemoryBackend>,
        syncs: Arc<AtomicUsize>,
        broken: Arc<AtomicBool>,
    }

    impl StorageBackend for Disk {
        fn len(&self) -> std::io::Result<u64> {
            self.memory.len()
        }
        fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
            self.memory.read(offset, out)
        }
        fn set_len(&self, len: u64) -> std::io::Result<()> {
            self.memory.set_len(len)
        }
        fn sync_data(&self) -> std::io::Result<()> {
            self.syncs.fetch_add(1, Ordering::SeqCst);
            // Time for others to come.
            std::thread::sleep(Duration::from_millis(5));
            if self.broken.load(Ordering::SeqCst) { Err(std::io::ErrorKind::Other.into()) } else { Ok(()) }
        }
        fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
            self.memory.write(offset, data)
        }
    }

    fn database(disk: &Disk) -> Database {
        let database = redb::Builder::new().create_with_backend(disk.clone()).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(TABLE).unwrap();
        transaction.commit().unwrap();
        disk.syncs.store(0, Ordering::SeqCst);
        database
    }

    fn keys(database: &Database) -> BTreeSet<u64> {
        let table = database.begin_read().unwrap().open_table(TABLE).unwrap();
        table.iter().unwrap().map(|entry| entry.unwrap().0.value()).collect()
    }

    fn put(shared: &SharedTransaction, key: u64, value: u64) -> Result<(), StoreError> {
        shared.open(TABLE)?.insert(key, value)?;
        Ok(())
    }

    const WRITERS: usize = 16;
    const EACH: u64 = 4;

    /// Lets every writer make its changes at the same time as the others: `change` is given the change's number.
    fn write_at_once(database: &Database, change: impl Fn(&SharedCommits, u64) + Sync) {
        let (commits, start) = (SharedCommits::default(), Barrier::new(WRITERS));
        std::thread::scope(|scope| {
            for writer in 0..WRITERS as u64 {
                let (commits, start, change) = (&commits, &start, &change);
                scope.spawn(move || {
                    start.wait();
                    (0..EACH).for_each(|number| change(commits, writer * EACH + number));
                });
            }
        });
        assert_eq!(commits.coming.load(Ordering::SeqCst), 0);
        assert!(locked(&commits.open).is_none());
        // Whatever became of those, the next one is written.
        commits.write(database, |shared| put(shared, u64::MAX, 0)).unwrap();
        assert!(keys(database).contains(&u64::MAX));
    }

    fn all_but(left_out: impl Fn(&u64) -> bool) -> BTreeSet<u64> {
        let numbers = (0..WRITERS as u64 * EACH).filter(|number| !left_out(number));
        numbers.chain([u64::MAX]).collect()
    }

    #[test]
    fn writers_at_once_wait_for_the_disk_together() {
        let disk = Disk::default();
        let database = database(&disk);
        write_at_once(&database, |commits, number| {
            commits.write(&database, |shared| put(shared, number, number)).unwrap();
            assert!(keys(&database).contains(&number));
        });
        assert_eq!(keys(&database), all_but(|_| false));
        let syncs = disk.syncs.load(Ordering::SeqCst);
        assert!(syncs < WRITERS * 2, "{syncs} waits for the disk for {WRITERS} writers of {EACH} changes");
    }

    /// Every third change fails when it has written; the key it wrote first is that of its neighbour, who comes later.
    #[test]
    fn a_change_that_fails_leaves_the_others_in_place() {
        let fails = |number: &u64| number.is_multiple_of(3);
        let database = database(&Disk::default());
        write_at_once(&database, |commits, number| {
            let written = commits.write(&database, |shared| {
                put(shared, number, number)?;
                if fails(&number) {
                    put(shared, number + 1, 0)?;
                    shared.open(TABLE)?.remove_range(0..=number)?;
                    return Err(StoreError::Value);
                }
                Ok(())
            });
            assert_eq!(written.is_err(), fails(&number));
        });
        assert_eq!(keys(&database), all_but(fails));
    }

    /// What is in a transaction that a panic took along is answered as failed, and not as written.
    #[test]
    fn what_a_panic_takes_along_is_not_acknowledged() {
        let database = database(&Disk::default());
        let acknowledged = Mutex::new(BTreeSet::from([u64::MAX]));
        write_at_once(&database, |commits, number| {
            let write = || {
                commits.write(&database, |shared| {
                    assert!(number != 17, "a broken change");
                    put(shared, number, number)
                })
            };
            match catch_unwind(AssertUnwindSafe(write)) {
                Ok(Ok(())) => drop(locked(&acknowledged).insert(number)),
                Ok(Err(error)) => assert!(matches!(error, StoreError::Shared), "{error:?}"),
                Err(_) => assert_eq!(number, 17),
            }
        });
        assert_eq!(keys(&database), *locked(&acknowledged));
    }

    #[test]
    fn a_disk_that_fails_fails_everybody_who_shares_it() {
        let disk = Disk::default();
        let database = database(&disk);
        let (commits, start) = (SharedCommits::default(), Barrier::new(WRITERS));
        disk.broken.store(true, Ordering::SeqCst);
        std::thread::scope(|scope| {
            for number in 0..WRITERS as u64 {
                let (commits, start, database) = (&commits, &start, &database);
                scope.spawn(move || {
                    start.wait();
                    commits.write(database, |shared| put(shared, number, number)).unwrap_err();
                });
            }
        });
        assert_eq!(commits.coming.load(Ordering::SeqCst), 0);
        assert!(locked(&commits.open).is_none());
    }
}
