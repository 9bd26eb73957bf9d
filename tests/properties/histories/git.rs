//! What git says: a small project over two targets, and the edits that commits make to it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::desired::policy;
use crate::stage::ACCOUNT;

/// The regions of the targets `eu` and `us`.
pub(super) const TARGETS: [(&str, &str); 2] = [("eu", "eu-west-1"), ("us", "us-east-1")];

/// Last parts of names. Every second one is what the one before it is renamed to.
pub(super) const NAMES: [&str; 6] = ["login", "login-v2", "token", "token-v2", "key", "key-v2"];

/// How many secrets stand beside them, so that shares count.
const FILLERS: usize = 10;

/// `guards.maxDeletes` and `guards.maxChangesPercent` of every commit.
pub(super) const MAX_DELETES: usize = 2;
pub(super) const MAX_CHANGES_PERCENT: usize = 30;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    /// People own it.
    People,
    Text {
        text: &'static str,
        seed: bool,
    },
    Generate,
}

/// One manifest.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// By the place of the target.
    pub(super) targets: [bool; 2],
    pub(super) absent: bool,
    pub(super) source: Source,
    pub(super) description: u8,
    pub(super) protect: Option<bool>,
    pub(super) policy: Option<&'static str>,
}

/// One commit.
#[derive(Clone, Debug)]
pub(super) struct Git {
    pub(super) secrets: BTreeMap<usize, Entry>,
    /// The variable in the prefix.
    pub(super) env: &'static str,
    pub(super) prune: &'static str,
    /// What the fillers are described as, when they are there.
    pub(super) fillers: Option<u8>,
}

/// What a commit changes; of what is there, by its place.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    /// By the place in [`NAMES`].
    Write(usize, Entry),
    Remove(usize),
    Source(usize, Source),
    /// To the name beside it, or back.
    Rename(usize),
    /// The variable in the prefix gets its other value.
    Prefix,
    Move(usize, [bool; 2]),
    Absent(usize),
    Fillers(Option<u8>),
    /// Back to an earlier commit.
    Revert(usize),
}

impl Git {
    pub(super) fn prefix(&self) -> String {
        format!("{}/shop/", self.env)
    }

    /// What is declared for a target, by full name.
    pub(super) fn of_target(&self, target: usize) -> BTreeMap<String, Entry> {
        let named = self.secrets.iter().map(|(name, entry)| (NAMES[*name].to_owned(), entry.clone()));
        let fillers = self.fillers.into_iter().flat_map(|description| {
            (0..FILLERS).map(move |number| {
                let source = Source::Text { text: "filler", seed: false };
                let entry =
                    Entry { targets: [true; 2], absent: false, source, description, protect: None, policy: None };
                (format!("filler-{number}"), entry)
            })
        });
        let all = named.chain(fillers).filter(|(_, entry)| entry.targets[target]);
        all.map(|(name, entry)| (self.prefix() + &name, entry)).collect()
    }

    /// The files of the project.
    pub(super) fn files(&self) -> [(&'static str, String); 2] {
        let targets: Vec<Value> = TARGETS
            .iter()
            .map(|(name, region)| {
                let vars = json!({ "env": self.env });
                json!({ "name": name, "account": ACCOUNT, "region": region, "vars": vars })
            })
            .collect();
        let project = json!({ "apiVersion": "keywright/v1", "kind": "Project", "metadata": { "name": "shop" }, "spec": {
            "targets": targets, "scope": { "namePrefixes": ["${env}/shop/"] }, "prune": self.prune,
            "guards": { "maxDeletes": MAX_DELETES, "maxChangesPercent": MAX_CHANGES_PERCENT } } });
        let mut documents: BTreeMap<String, Value> = BTreeMap::new();
        for target in 0..TARGETS.len() {
            for (name, entry) in self.of_target(target) {
                let name = name.replacen(self.env, "${env}", 1);
                documents.insert(name.clone(), entry.document(&name));
            }
        }
        let text = documents.values().fold(String::new(), |mut text, document| {
            let _ = writeln!(text, "---\n{document}");
            text
        });
        [("keywright.yaml", project.to_string()), ("secrets.yaml", text)]
    }

    pub(super) fn edited(&self, edit: &Edit, earlier: &[Self]) -> Self {
        let mut git = self.clone();
        let at = |at: &usize| self.secrets.keys().nth(at % self.secrets.len().max(1)).copied().unwrap_or_default();
        let change = |git: &mut Self, place: &usize, change: &dyn Fn(&mut Entry)| {
            if let Some(entry) = git.secrets.get_mut(&at(place)) {
                change(entry);
            }
        };
        match edit {
            Edit::Write(name, entry) => drop(git.secrets.insert(*name, entry.clone())),
            Edit::Remove(place) => drop(git.secrets.remove(&at(place))),
            Edit::Source(place, source) => change(&mut git, place, &|entry| entry.source = source.clone()),
            Edit::Rename(place) => {
                if let Some(entry) = git.secrets.remove(&at(place)) {
                    git.secrets.insert(at(place) ^ 1, entry);
                }
            }
            Edit::Prefix => git.env = if git.env == "dev" { "live" } else { "dev" },
            Edit::Move(place, targets) => change(&mut git, place, &|entry| entry.targets = *targets),
            Edit::Absent(place) => change(&mut git, place, &|entry| entry.absent = true),
            Edit::Fillers(fillers) => git.fillers = *fillers,
            Edit::Revert(commit) => {
                if !earlier.is_empty() {
                    git = earlier[commit % earlier.len()].clone();
                }
            }
        }
        git
    }
}

impl Entry {
    fn document(&self, name: &str) -> Value {
        let mut metadata = json!({ "name": name });
        if self.targets != [true; 2] {
            let named = TARGETS.iter().zip(self.targets).filter(|(_, is)| *is).map(|((name, _), _)| *name);
            metadata["targets"] = named.collect();
        }
        let mut spec = json!({ "description": format!("Text {}", self.description) });
        if self.absent {
            metadata["state"] = "absent".into();
        } else if let Some(protect) = self.protect {
            metadata["protect"] = protect.into();
        }
        match &self.source {
            Source::People => {}
            Source::Text { text, seed } => {
                spec["value"] = json!({ "text": text, "ownership": if *seed { "seed" } else { "enforce" } });
            }
            Source::Generate => spec["value"] = json!({ "generate": { "length": 12 } }),
        }
        if let Some(role) = self.policy {
            spec["policy"] = policy(role);
        }
        json!({ "apiVersion": "keywright/v1", "kind": "Secret", "metadata": metadata, "spec": spec })
    }
}

fn sources() -> impl Strategy<Value = Source> {
    prop_oneof![
        2 => Just(Source::People),
        3 => (select(vec!["one", "two"]), proptest::bool::weighted(0.2))
            .prop_map(|(text, seed)| Source::Text { text, seed }),
        1 => Just(Source::Generate),
    ]
}

fn some_targets() -> impl Strategy<Value = [bool; 2]> {
    select(vec![[true, true], [true, false], [false, true]])
}

fn entries() -> impl Strategy<Value = Entry> {
    let protect = prop_oneof![6 => Just(None), 1 => Just(Some(true)), 1 => Just(Some(false))];
    let policy = option::weighted(0.1, select(vec!["one", "two"]));
    (some_targets(), sources(), 0_u8..3, protect, policy).prop_map(|(targets, source, description, protect, policy)| {
        Entry { targets, absent: false, source, description, protect, policy }
    })
}

/// The commit that a history begins with.
pub(super) fn first_commit() -> impl Strategy<Value = Git> {
    let prune = select(vec!["delete", "delete", "delete", "release", "report"]);
    let fillers = option::weighted(0.2, Just(0));
    (proptest::collection::btree_map(0..NAMES.len(), entries(), 2..6), prune, fillers)
        .prop_map(|(secrets, prune, fillers)| Git { secrets, env: "dev", prune, fillers })
}

pub(super) fn edits() -> impl Strategy<Value = Edit> {
    let name = || 0..NAMES.len();
    prop_oneof![
        4 => (name(), entries()).prop_map(|(name, entry)| Edit::Write(name, entry)),
        6 => name().prop_map(Edit::Remove),
        4 => (name(), sources()).prop_map(|(name, source)| Edit::Source(name, source)),
        6 => name().prop_map(Edit::Rename),
        1 => Just(Edit::Prefix),
        2 => (name(), some_targets()).prop_map(|(name, targets)| Edit::Move(name, targets)),
        1 => name().prop_map(Edit::Absent),
        1 => option::of(0_u8..3).prop_map(Edit::Fillers),
        2 => (0_usize..8).prop_map(Edit::Revert),
    ]
}
