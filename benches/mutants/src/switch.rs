//! What is put into the tree under test as `src/mutant.rs`: which mutant is on, and which were reached.

use std::io::Write;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The mutant that is on in this process; none is 0.
static ACTIVE: LazyLock<usize> =
    LazyLock::new(|| std::env::var("MUTANT").ok().and_then(|number| number.parse().ok()).unwrap_or(0));

/// Where reached mutants are noted, when that is asked for.
static TRACE: LazyLock<Option<std::path::PathBuf>> =
    LazyLock::new(|| std::env::var_os("MUTANT_TRACE").map(Into::into));

static SEEN: [AtomicBool; 1 << 14] = [const { AtomicBool::new(false) }; 1 << 14];

/// Whether the mutant of this number is on.
pub(crate) fn on(number: usize) -> bool {
    if let Some(path) = &*TRACE
        && !SEEN[number].swap(true, Ordering::Relaxed)
    {
        // One write for each line: processes share the file.
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        let noted = file.and_then(|mut file| file.write_all(format!("{number}\n").as_bytes()));
        noted.unwrap_or_else(|error| panic!("cannot note mutant {number}: {error}"));
    }
    *ACTIVE == number
}

/// An iterator, or the one that a mutant puts in its place.
pub(crate) enum Or<A, B> {
    Original(A),
    Mutant(B),
}

impl<T, A: Iterator<Item = T>, B: Iterator<Item = T>> Iterator for Or<A, B> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match self {
            Or::Original(original) => original.next(),
            Or::Mutant(mutant) => mutant.next(),
        }
    }
}
