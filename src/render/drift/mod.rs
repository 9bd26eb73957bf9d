//! What differs from git, for people and for programs.

pub mod json;
pub mod text;

use std::collections::BTreeMap;

use crate::drift::{Class, Found};

/// How many drifts there are of each class that has one.
fn counts(found: &Found) -> BTreeMap<Class, usize> {
    let mut counts = BTreeMap::new();
    for drift in &found.drifts {
        *counts.entry(drift.class).or_default() += 1;
    }
    counts
}

/// One drift as a sentence behind the secret's name. Not escaped.
fn sentence(drift: &crate::drift::Drift) -> String {
    match drift.class {
        Class::Changed if !drift.what.contains(' ') || !drift.what.starts_with("is ") => {
            format!("differs in {}", drift.what)
        }
        _ => drift.what.clone(),
    }
}
