//! Work on many things at once, on every core: manifests that are parsed, secrets that are planned.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Fewer are done before other threads have begun.
const WORTH_A_THREAD: usize = 64;

/// Most threads: reading a project is not all that a machine does.
const MOST_THREADS: usize = 8;

/// What `work` makes of each item, in the order of the items.
pub fn on_every_core<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    on_threads(cores.min(MOST_THREADS).min(items.len() / WORTH_A_THREAD), items, work)
}

fn on_threads<T: Sync, R: Send>(threads: usize, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if threads < 2 {
        return items.iter().map(work).collect();
    }
    // Items differ in size: each thread takes the next one as soon as it is done with its last.
    let next = AtomicUsize::new(0);
    let take = || {
        let index = next.fetch_add(1, Ordering::Relaxed);
        items.get(index).map(|item| (index, item))
    };
    let share = || std::iter::from_fn(take).map(|(index, item)| (index, work(item))).collect::<Vec<_>>();
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(share)).collect();
        let mut done = share();
        for other in others {
            match other.join() {
                Ok(theirs) => done.extend(theirs),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        let doubled: Vec<usize> = items.iter().map(|item| item * 2).collect();
        for threads in [0, 1, 2, 7] {
            assert_eq!(on_threads(threads, &items, |item| item * 2), doubled, "{threads} threads");
        }
        assert_eq!(on_every_core(&items, |item| item * 2), doubled);
        assert_eq!(on_every_core::<usize, usize>(&[], |item| *item), Vec::<usize>::new());
    }
}
