//! The flags that override guards, and those that were given for this run.

use std::collections::BTreeMap;

use crate::live::AcceptedRisks;

/// A flag of the command line that overrides a guard for one run.
#[derive(Debug, PartialEq, Eq)]
pub struct Flag {
    /// Its name without the dashes: `allow-protected`.
    pub name: &'static str,
    /// Its help: what is done with it.
    pub help: &'static str,
    /// What it is given.
    pub argument: FlagArgument,
}

/// What a flag is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagArgument {
    /// Nothing: the guard is not checked.
    None,
    /// A limit, instead of the project's own.
    Number {
        /// How the help names it.
        name: &'static str,
        /// The largest that makes sense.
        max: u32,
    },
}

impl Flag {
    /// A flag without an argument.
    pub(super) const fn switch(name: &'static str, help: &'static str) -> Self {
        Self { name, help, argument: FlagArgument::None }
    }
}

/// The guards that the caller overrides for this run: the flags that were given, each with its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuardOverrides(BTreeMap<&'static str, Option<u32>>);

impl GuardOverrides {
    /// The same, with a flag; `number` is its argument where it takes one.
    #[must_use]
    pub fn with(mut self, flag: &'static Flag, number: Option<u32>) -> Self {
        self.0.insert(flag.name, number);
        self
    }

    /// Whether the flag was given.
    pub fn allows(&self, flag: &Flag) -> bool {
        self.0.contains_key(flag.name)
    }

    /// The limit that was given.
    pub fn limit(&self, flag: &Flag) -> Option<u32> {
        self.0.get(flag.name).copied().flatten()
    }

    /// What ValidateResourcePolicy may find of a policy, since the guard that looks for the same is overridden.
    pub fn accepted_risks(&self) -> AcceptedRisks {
        AcceptedRisks {
            broad_access: self.allows(&super::public_policy::FLAG),
            lock_out: self.allows(&super::lock_out::FLAG),
        }
    }

    /// The flags as they are written on the command line, by name.
    pub fn flags(&self) -> Vec<String> {
        let written = |(name, number): (&&str, &Option<u32>)| match number {
            None => format!("--{name}"),
            Some(number) => format!("--{name} {number}"),
        };
        self.0.iter().map(written).collect()
    }
}
