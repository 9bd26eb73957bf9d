//! Short lists in order, without a sort for each.

use std::cmp::Ordering;

/// What sorts a list as `sort_by` and `sort_by_key` do: what is equal keeps its order.
///
/// The standard library's stable sort is compiled anew for each kind of item and each comparison: five kilobytes of the
/// program each. Here one sort orders places, and the items are exchanged by these. The long lists of a fleet are sorted
/// by the standard library.
pub trait SortFew<T> {
    /// Sorts by a comparison.
    fn sort_few_by(&mut self, compare: impl FnMut(&T, &T) -> Ordering);

    /// Sorts by a key, which is made anew for each comparison.
    fn sort_few_by_key<K: Ord>(&mut self, mut key: impl FnMut(&T) -> K) {
        self.sort_few_by(|a, b| key(a).cmp(&key(b)));
    }
}

impl<T> SortFew<T> for [T] {
    fn sort_few_by(&mut self, mut compare: impl FnMut(&T, &T) -> Ordering) {
        let mut order = in_order(self.len(), &mut |a, b| compare(&self[a], &self[b]));
        for place in 0..order.len() {
            let mut from = order[place];
            // What stood there has made way for another one before, and is where that one came from.
            while from < place {
                from = order[from];
            }
            order[place] = from;
            self.swap(place, from);
        }
    }
}

/// The places of so many items, in their order.
fn in_order(items: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..items).collect();
    order.sort_by(|a, b| compare(*a, *b));
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lists_are_sorted_as_the_standard_library_does(mut items in proptest::collection::vec((0_u8..9, any::<u8>()), 0..60)) {
            let mut expected = items.clone();
            expected.sort_by_key(|item| item.0);
            let mut by_key = items.clone();
            by_key.sort_few_by_key(|item| item.0);
            prop_assert_eq!(&by_key, &expected);
            expected.sort_by_key(|b| std::cmp::Reverse(b.1));
            by_key.sort_few_by(|a, b| b.1.cmp(&a.1));
            prop_assert_eq!(&by_key, &expected);
            items.sort_few_by(|_, _| Ordering::Equal);
            items.sort_few_by_key(|item| item.0);
            expected.sort_few_by_key(|item| item.0);
            prop_assert_eq!(items.len(), expected.len());
        }
    }
}
