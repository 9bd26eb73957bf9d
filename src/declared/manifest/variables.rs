//! What a `${...}` can stand for: the seam between texts that are filled in and the target that knows the names.

use super::source::Span;

/// What `${name}` can stand for in one target.
pub(crate) trait Variables {
    /// The target's name.
    fn target(&self) -> &str;
    /// A variable.
    fn variable(&self, name: &str) -> Lookup<'_>;
    /// The names of all variables that may be shown.
    fn names(&self) -> Vec<&str>;
    /// How many fields of an item have names that are not shown: the first row of a CSV file may be data as well.
    fn unshown(&self) -> usize {
        0
    }
    /// `target.name`, `target.account` or `target.region`.
    fn attribute(&self, name: &str) -> Lookup<'_>;
    /// Where a variable's text comes from: its own place, then those of the variables in it.
    fn places(&self, name: &str) -> &[VariablePlace];
}

/// Where a variable is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VariablePlace {
    pub(crate) name: String,
    /// Its text in this target.
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// What a target says of a variable or of one of its attributes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lookup<'a> {
    /// Its text.
    Text(&'a str),
    /// Nothing: the project leaves it out.
    LeftOut,
    /// Something that is wrong, and reported where it is written.
    Wrong,
    /// There is no such thing.
    Unknown,
}
