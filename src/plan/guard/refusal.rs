//! What a guard is, and what it says of a plan.

use super::overrides::{Flag, FlagArgument};
use super::run::{GuardedTarget, RunGuards};
use crate::domain::SecretName;
use crate::plan::SecretPlan;

/// A row of the table.
#[derive(Debug)]
pub struct Guard {
    /// Its name, as documents give it: `max-deletes`.
    pub name: &'static str,
    /// The flag that overrides it; none when nothing does.
    pub flag: Option<&'static Flag>,
    /// What it refuses, in a sentence without its period. `{name}` stands for a fact that the check gives.
    pub words: &'static str,
    /// What it looks at.
    pub(super) check: Check,
}

/// What a guard looks at.
#[derive(Debug)]
pub(super) enum Check {
    /// Each secret's plan by itself: the ones for which this holds are refused together.
    Secret(fn(&GuardedTarget<'_>, &SecretPlan) -> bool),
    /// The plan of a target, where need be beside those of the run's other targets. Refused here is what this target
    /// adds to what is too much.
    Target(fn(&GuardedTarget<'_>, &RunGuards<'_>) -> Vec<Refused>),
}

impl Guard {
    /// What it refuses of one target's plan. A guard whose flag takes no number is not asked when the flag was given.
    pub(super) fn refuse(&'static self, target: &GuardedTarget<'_>, run: &RunGuards<'_>) -> Vec<Refusal> {
        let switched_off =
            self.flag.is_some_and(|flag| flag.argument == FlagArgument::None && run.overrides.allows(flag));
        if switched_off {
            return Vec::new();
        }
        let refused = match self.check {
            Check::Secret(test) => {
                let secrets = target.chosen(|secret| test(target, secret));
                if secrets.is_empty() { Vec::new() } else { vec![Refused::secrets(secrets)] }
            }
            Check::Target(check) => check(target, run),
        };
        let refusal = |Refused { secrets, facts, needs, words }| Refusal {
            guard: self,
            words: words.unwrap_or(self.words),
            target: target.plan.target.clone(),
            secrets,
            facts,
            needs,
        };
        refused.into_iter().map(refusal).collect()
    }
}

/// What a check refuses.
#[derive(Debug, Default)]
pub(super) struct Refused {
    secrets: Vec<SecretName>,
    facts: Vec<(&'static str, Fact)>,
    needs: Option<u32>,
    words: Option<&'static str>,
}

impl Refused {
    /// These secrets; none when it is about the whole plan.
    pub(super) fn secrets(secrets: Vec<SecretName>) -> Self {
        Self { secrets, ..Self::default() }
    }

    /// With a number for the words.
    pub(super) fn number(mut self, name: &'static str, number: usize) -> Self {
        self.facts.push((name, Fact::Number(number)));
        self
    }

    /// With a text for the words; it may come from anybody.
    pub(super) fn text(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.facts.push((name, Fact::Text(text.into())));
        self
    }

    /// In other words than the guard's, for what those do not fit.
    pub(super) fn words(mut self, words: &'static str) -> Self {
        self.words = Some(words);
        self
    }

    /// With the number that the flag would have to be given.
    pub(super) fn needs(mut self, number: usize) -> Self {
        self.needs = Some(u32::try_from(number).unwrap_or(u32::MAX));
        self
    }
}

/// A guard that does not let an apply pass.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The guard.
    pub guard: &'static Guard,
    /// The guard's words, or others where those do not fit.
    pub words: &'static str,
    /// The target.
    pub target: String,
    /// The secrets that it is about; none when it is about the whole plan.
    pub secrets: Vec<SecretName>,
    /// What its words need.
    pub facts: Vec<(&'static str, Fact)>,
    /// The number that the guard's flag would have to be given.
    pub needs: Option<u32>,
}

/// Something that a guard found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// How many.
    Number(usize),
    /// A text that is live or that people wrote: hostile until `render` has escaped it.
    Text(String),
}

impl Refusal {
    /// The flag that overrides the guard, as it is written on the command line; none when nothing does.
    pub fn overridden_by(&self) -> Option<String> {
        let flag = self.guard.flag?;
        Some(match (flag.argument, self.needs) {
            (FlagArgument::None, _) => format!("--{}", flag.name),
            (FlagArgument::Number { name, .. }, None) => format!("--{} {name}", flag.name),
            (FlagArgument::Number { .. }, Some(number)) => format!("--{} {number}", flag.name),
        })
    }
}
