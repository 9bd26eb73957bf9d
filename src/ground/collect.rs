//! Maps and sets of a few entries, without a sort for each.

use std::collections::{BTreeMap, BTreeSet};

/// What collects pairs into a map.
pub trait CollectMap<K, V>: Iterator<Item = (K, V)> + Sized {
    /// Collects pairs into a map; of several with one key the last one stays.
    ///
    /// `collect` does so by a stable sort, which is compiled anew for each iterator: six kilobytes of the program each.
    /// This inserts one pair after the other, which takes no longer where there are few. What can have an entry for
    /// each secret of a fleet, with much in it, is collected: nodes that are filled in order have no gaps.
    fn collect_map(self) -> BTreeMap<K, V>
    where
        K: Ord,
    {
        let mut map = BTreeMap::new();
        map.extend(self);
        map
    }
}

impl<K, V, I: Iterator<Item = (K, V)>> CollectMap<K, V> for I {}

/// What collects items into a set.
pub trait CollectSet<T>: Iterator<Item = T> + Sized {
    /// Collects items into a set, one after the other: see [`CollectMap::collect_map`]. `collect` sorts, by a sort that
    /// is compiled for each kind of item.
    fn collect_set(self) -> BTreeSet<T>
    where
        T: Ord,
    {
        let mut set = BTreeSet::new();
        set.extend(self);
        set
    }
}

impl<T, I: Iterator<Item = T>> CollectSet<T> for I {}
