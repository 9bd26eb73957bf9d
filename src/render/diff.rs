//! The shortest difference between two lists of texts: the one place that asks the library for it.
//!
//! `similar::TextDiff` brings every algorithm for every kind of text that is compared, half a megabyte of the binary.
//! Texts are numbered here instead, and numbers are compared, by Myers' algorithm alone.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::{ChangeTag, DiffOp};

/// How long the shortest difference is looked for; then what remains is shown as removed and added. Texts of 64 KiB
/// that have no line in common would take a minute, and whoever wrote a file may have put a million lines into it.
const LONGEST: Duration = Duration::from_secs(1);

/// Two lists of texts, and how the second comes from the first.
pub(super) struct Diff<'a> {
    old: Vec<&'a str>,
    new: Vec<&'a str>,
    operations: Vec<DiffOp>,
}

impl<'a> Diff<'a> {
    /// Compares two lists, piece by piece.
    pub(super) fn of(old: Vec<&'a str>, new: Vec<&'a str>) -> Self {
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut numbered = |texts: &[&'a str]| -> Vec<usize> {
            let mut number = |text| {
                let next = numbers.len();
                *numbers.entry(text).or_insert(next)
            };
            texts.iter().map(|text| number(*text)).collect()
        };
        let (before, after) = (numbered(&old), numbered(&new));
        let (before, after) = (before.as_slice(), after.as_slice());
        let mut found = Compact::new(Replace::new(Capture::new()), before, after);
        let until = Instant::now() + LONGEST;
        let found_all: Result<(), Infallible> =
            myers::diff_deadline(&mut found, before, 0..before.len(), after, 0..after.len(), Some(until));
        let Ok(()) = found_all;
        Self { old, new, operations: found.into_inner().into_inner().into_ops() }
    }

    /// How much the two have in common, from 0 to 1.
    pub(super) fn ratio(&self) -> f32 {
        similar::diff_ratio(&self.operations, self.old.len(), self.new.len())
    }

    /// All pieces in order.
    pub(super) fn changes(&self) -> impl Iterator<Item = (ChangeTag, &'a str)> {
        self.operations.iter().flat_map(|operation| self.changes_of(operation))
    }

    /// The pieces that differ, with `context` pieces around them that do not; those that lie apart are groups.
    pub(super) fn groups(&self, context: usize) -> Vec<Vec<(ChangeTag, &'a str)>> {
        let groups = similar::group_diff_ops(self.operations.clone(), context);
        groups.iter().map(|group| group.iter().flat_map(|operation| self.changes_of(operation)).collect()).collect()
    }

    fn changes_of(&self, operation: &DiffOp) -> impl Iterator<Item = (ChangeTag, &'a str)> {
        operation.iter_changes(&self.old[..], &self.new[..]).map(|change| (change.tag(), change.value()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(old: &[&str], new: &[&str]) -> String {
        let diff = Diff::of(old.to_vec(), new.to_vec());
        let sign = |tag| match tag {
            ChangeTag::Equal => ' ',
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        };
        diff.changes().map(|(tag, text)| format!("{}{text}", sign(tag))).collect()
    }

    #[test]
    fn what_went_stands_before_what_came() {
        assert_eq!(signed(&["a", "b", "c"], &["a", "x", "c", "d"]), " a-b+x c+d");
        assert_eq!(signed(&[], &["a"]), "+a");
        assert_eq!(signed(&["a", "a"], &["a"]), " a-a");
    }

    #[test]
    fn groups_have_their_context_and_no_more() {
        let old: Vec<String> = (0..30).map(|number| number.to_string()).collect();
        let old: Vec<&str> = old.iter().map(String::as_str).collect();
        let mut new = old.clone();
        new[3] = "x";
        new[25] = "y";
        let groups = Diff::of(old, new).groups(1);
        let texts: Vec<Vec<&str>> = groups.iter().map(|group| group.iter().map(|(_, text)| *text).collect()).collect();
        assert_eq!(texts, [["2", "3", "x", "4"], ["24", "25", "y", "26"]]);
    }

    #[test]
    fn texts_without_anything_in_common_end_in_time() {
        let (old, new): (Vec<String>, Vec<String>) =
            (0..100_000).map(|number| (format!("a{number}"), format!("b{number}"))).unzip();
        let diff = Diff::of(old.iter().map(String::as_str).collect(), new.iter().map(String::as_str).collect());
        assert!(diff.ratio() < f32::EPSILON);
        assert_eq!(diff.changes().count(), 200_000);
    }
}
