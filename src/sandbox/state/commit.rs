//! Durable commits that whoever writes at the same time shares.
//!
//! Waiting for the disk is nearly all that a write costs. A writer that is alone commits and waits for the disk. Where
//! several write at once, each makes its change visible, one of them then waits for the disk for all, and nobody is
//! answered before that: an acknowledged write is on the disk. What was not acknowledged may be seen and then lost with
//! the process, as an answer can be lost on its way.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redb::{Database, Durability, WriteTransaction};

use super::store::StoreError;

/// How long the one that waits for the disk lets others join.
const JOINING: Duration = Duration::from_millis(2);

/// Who is writing, and how far the disk is.
#[derive(Default)]
pub(super) struct SharedCommits {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    /// How many have begun a change and not committed it.
    applying: usize,
    /// How many changes were made visible.
    visible: u64,
    /// How many of these are on the disk.
    durable: u64,
    /// Whether somebody waits for the disk on behalf of all.
    flushing: bool,
}

/// One writer, between the beginning of its change and its commit.
pub(super) struct Applying<'c>(&'c SharedCommits);

impl Drop for Applying<'_> {
    fn drop(&mut self) {
        self.0.locked().applying -= 1;
        self.0.moved.notify_all();
    }
}

impl SharedCommits {
    /// Says that a change begins.
    pub(super) fn begin(&self) -> Applying<'_> {
        self.locked().applying += 1;
        Applying(self)
    }

    /// Commits a change, and returns when it is on the disk.
    pub(super) fn commit(
        &self,
        database: &Database,
        mut transaction: WriteTransaction,
        applying: Applying<'_>,
    ) -> Result<(), StoreError> {
        let (alone, visible) = {
            let state = self.locked();
            (state.applying == 1, state.visible)
        };
        if alone {
            transaction.commit()?;
            // With it, all that was visible before it.
            let mut state = self.locked();
            state.durable = state.durable.max(visible);
            return Ok(());
        }
        // Refused only where savepoints were changed.
        let shared = transaction.set_durability(Durability::None).is_ok();
        transaction.commit()?;
        if !shared {
            return Ok(());
        }
        let ticket = {
            let mut state = self.locked();
            state.visible += 1;
            state.visible
        };
        drop(applying);
        self.wait(database, ticket)
    }

    /// Waits until a change is on the disk, or brings it and all others there.
    fn wait(&self, database: &Database, ticket: u64) -> Result<(), StoreError> {
        let mut state = self.locked();
        while state.durable < ticket {
            if state.flushing {
                state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.flushing = true;
            let joined = self.moved.wait_timeout_while(state, JOINING, |state| state.applying > 0);
            let visible = joined.unwrap_or_else(PoisonError::into_inner).0.visible;
            let flushed = flush(database);
            state = self.locked();
            state.flushing = false;
            self.moved.notify_all();
            flushed?;
            state.durable = state.durable.max(visible);
        }
        Ok(())
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Brings what is visible to the disk.
fn flush(database: &Database) -> Result<(), StoreError> {
    let mut transaction = database.begin_write()?;
    // The default, said: what was committed before without it goes to the disk with this.
    drop(transaction.set_durability(Durability::Immediate));
    Ok(transaction.commit()?)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a database in memory does not fail")]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Barrier};

    use redb::backends::InMemoryBackend;
    use redb::{ReadableDatabase as _, ReadableTableMetadata as _, StorageBackend, TableDefinition};

    use super::*;

    const TABLE: TableDefinition<u64, u64> = TableDefinition::new("t");

    /// Memory that counts how often it was to wait for the disk.
    #[derive(Debug)]
    struct Counted {
        memory: InMemoryBackend,
        syncs: Arc<AtomicUsize>,
    }

    impl StorageBackend for Counted {
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
            self.memory.sync_data()
        }
        fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
            self.memory.write(offset, data)
        }
    }

    #[test]
    fn writers_at_once_wait_for_the_disk_together() {
        const WRITERS: usize = 16;
        const EACH: u64 = 4;
        let syncs = Arc::new(AtomicUsize::new(0));
        let backend = Counted { memory: InMemoryBackend::new(), syncs: Arc::clone(&syncs) };
        let database = redb::Builder::new().create_with_backend(backend).unwrap();
        let (commits, start) = (SharedCommits::default(), Barrier::new(WRITERS));
        syncs.store(0, Ordering::SeqCst);
        std::thread::scope(|scope| {
            for writer in 0..WRITERS as u64 {
                let (commits, database, start) = (&commits, &database, &start);
                scope.spawn(move || {
                    start.wait();
                    for change in 0..EACH {
                        let applying = commits.begin();
                        let transaction = database.begin_write().unwrap();
                        transaction.open_table(TABLE).unwrap().insert(writer * EACH + change, change).unwrap();
                        commits.commit(database, transaction, applying).unwrap();
                    }
                });
            }
        });
        let written = database.begin_read().unwrap().open_table(TABLE).unwrap().len().unwrap();
        assert_eq!(written, WRITERS as u64 * EACH);
        let syncs = syncs.load(Ordering::SeqCst);
        assert!(syncs < WRITERS * 2, "{syncs} waits for the disk for {written} changes");
        let state = commits.locked();
        assert_eq!((state.applying, state.flushing), (0, false));
        assert!(state.durable <= state.visible);
    }
}
