//! The document: statements, how those of several targets become one policy, and how it is written.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::collect::CollectMap as _;

/// The most characters that a managed policy may have, white space not counted (IAM and AWS STS quotas).
pub const MANAGED_POLICY_LIMIT: usize = 6144;

/// An identity-based policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityPolicy {
    /// Its statements, all of them `Allow`.
    pub statements: Vec<Statement>,
}

/// What one statement allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// `Sid`: letters and digits, unique in the policy.
    pub sid: String,
    /// `Action`.
    pub actions: BTreeSet<String>,
    /// `Resource`.
    pub resources: BTreeSet<String>,
    /// `Condition`: operator, key, values.
    pub conditions: Conditions,
}

/// Operator to key to values.
pub(super) type Conditions = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

impl IdentityPolicy {
    /// Its characters without white space, which is how IAM counts them.
    pub fn size(&self) -> usize {
        let text = serde_json::to_string(self).unwrap_or_default();
        text.chars().filter(|character| !character.is_whitespace()).count()
    }
}

impl Serialize for IdentityPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_map(Some(2))?;
        document.serialize_entry("Version", "2012-10-17")?;
        document.serialize_entry("Statement", &self.statements)?;
        document.end()
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { sid, actions, resources, conditions } = self;
        let mut statement = serializer.serialize_map(None)?;
        statement.serialize_entry("Sid", sid)?;
        statement.serialize_entry("Effect", "Allow")?;
        statement.serialize_entry("Action", &Set(actions))?;
        statement.serialize_entry("Resource", &Set(resources))?;
        if !conditions.is_empty() {
            statement.serialize_entry("Condition", &written(conditions))?;
        }
        statement.end()
    }
}

/// Conditions as they are written.
pub(super) fn written(conditions: &Conditions) -> BTreeMap<&str, BTreeMap<&str, Set<'_>>> {
    let of_operator = conditions.iter().map(|(operator, keys)| {
        (operator.as_str(), keys.iter().map(|(key, values)| (key.as_str(), Set(values))).collect_map())
    });
    of_operator.collect()
}

/// A set that is written as its only member where it has one.
pub(super) struct Set<'a>(pub(super) &'a BTreeSet<String>);

impl Serialize for Set<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.first() {
            Some(only) if self.0.len() == 1 => only.serialize(serializer),
            _ => self.0.serialize(serializer),
        }
    }
}

/// A statement in the making.
#[derive(Clone, Debug)]
pub(super) struct Permission {
    kind: &'static str,
    actions: BTreeSet<String>,
    resources: BTreeSet<String>,
    conditions: Conditions,
}

impl Permission {
    /// Permission to call actions; `kind` becomes the Sid.
    pub(super) fn new<'a>(kind: &'static str, actions: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            kind,
            actions: actions.into_iter().map(str::to_owned).collect(),
            resources: BTreeSet::new(),
            conditions: Conditions::new(),
        }
    }

    /// On these resources.
    pub(super) fn on(mut self, resources: impl IntoIterator<Item = String>) -> Self {
        self.resources.extend(resources);
        self
    }

    /// On everything, for actions that have no resource type.
    pub(super) fn on_everything(self) -> Self {
        self.on(["*".to_owned()])
    }

    /// Under a condition.
    pub(super) fn when<V: Into<String>>(
        mut self,
        operator: &str,
        key: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let keys = self.conditions.entry(operator.to_owned()).or_default();
        keys.entry(key.into()).or_default().extend(values.into_iter().map(Into::into));
        self
    }
}

/// The statements of several targets, on their way to one policy.
#[derive(Debug, Default)]
pub(super) struct Draft {
    target: String,
    /// Each with the first target that asked for it.
    permissions: Vec<(String, Permission)>,
}

impl Draft {
    /// What follows is for this target.
    pub(super) fn begin_target(&mut self, name: &str) {
        name.clone_into(&mut self.target);
    }

    /// Adds a permission, unless it is one to call nothing, or on nothing. One that another target asked for too is
    /// widened by the resources.
    pub(super) fn add(&mut self, permission: Permission) {
        if permission.actions.is_empty() || permission.resources.is_empty() {
            return;
        }
        let same = self.permissions.iter_mut().map(|(_, other)| other).find(|other| {
            other.kind == permission.kind
                && other.actions == permission.actions
                && other.conditions == permission.conditions
        });
        match same {
            Some(other) => other.resources.extend(permission.resources),
            None => self.permissions.push((self.target.clone(), permission)),
        }
    }

    /// The policy. A Sid is the kind alone where that is unique, else followed by the target's name and a number.
    pub(super) fn finish(self) -> IdentityPolicy {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, permission) in &self.permissions {
            *kinds.entry(permission.kind).or_default() += 1;
        }
        let mut taken = BTreeSet::new();
        let mut statements = Vec::with_capacity(self.permissions.len());
        for (target, permission) in &self.permissions {
            let Permission { kind, actions, resources, conditions } = permission.clone();
            let alone = kinds.get(kind) == Some(&1);
            let name = if alone { kind.to_owned() } else { format!("{kind}{}", in_camel_case(target)) };
            let numbered = (2..).map(|number| format!("{name}{number}"));
            let free = std::iter::once(name.clone()).chain(numbered).find(|sid| taken.insert(sid.clone()));
            statements.push(Statement { sid: free.unwrap_or(name), actions, resources, conditions });
        }
        IdentityPolicy { statements }
    }
}

/// A target's name with the letters and digits alone, which is all that a Sid may have.
fn in_camel_case(name: &str) -> String {
    let pieces = name.split(|character: char| !character.is_ascii_alphanumeric());
    pieces
        .map(|piece| {
            let (first, rest) = piece.split_at(piece.len().min(1));
            format!("{}{rest}", first.to_ascii_uppercase())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(resource: &str) -> Permission {
        Permission::new("Read", ["s:Get"]).on([resource.to_owned()])
    }

    #[test]
    fn equal_permissions_of_several_targets_are_one_statement() {
        let mut draft = Draft::default();
        for (target, resource) in [("dev", "a"), ("prod", "b")] {
            draft.begin_target(target);
            draft.add(read(resource));
            draft.add(Permission::new("List", ["s:List"]).on_everything());
        }
        assert_eq!(
            serde_json::to_value(draft.finish()).ok(),
            Some(json!({"Version": "2012-10-17", "Statement": [
                {"Sid": "Read", "Effect": "Allow", "Action": "s:Get", "Resource": ["a", "b"]},
                {"Sid": "List", "Effect": "Allow", "Action": "s:List", "Resource": "*"},
            ]}))
        );
    }

    #[test]
    fn sids_are_unique_and_of_letters_and_digits() {
        let mut draft = Draft::default();
        for target in ["eu-1", "eu_1", "us"] {
            draft.begin_target(target);
            draft.add(read("a").when("StringEquals", "owner", [target]));
        }
        draft.add(read("b").when("StringEquals", "owner", ["another"]));
        let sids: Vec<String> = draft.finish().statements.into_iter().map(|statement| statement.sid).collect();
        assert_eq!(sids, ["ReadEu1", "ReadEu12", "ReadUs", "ReadUs2"]);
    }

    #[test]
    fn nothing_to_call_or_nothing_to_call_it_on_is_no_statement() {
        let mut draft = Draft::default();
        draft.add(Permission::new("Read", ["s:Get"]));
        draft.add(Permission::new("Read", []).on_everything());
        assert!(draft.finish().statements.is_empty());
    }

    #[test]
    fn white_space_does_not_count() {
        let mut draft = Draft::default();
        draft.add(read("a b"));
        let policy = draft.finish();
        let pretty = serde_json::to_string_pretty(&policy).unwrap_or_default();
        assert_eq!(policy.size(), pretty.chars().filter(|character| !character.is_whitespace()).count());
    }
}
