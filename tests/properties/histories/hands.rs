//! What people and tools do by another client of the same sandbox.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::git::{NAMES, TARGETS};
use super::world::World;
use crate::desired::policy;
use crate::stage::ACCOUNT;
use crate::support::try_call;

/// Something that somebody does.
#[derive(Clone, Debug)]
pub(super) enum Hand {
    /// To a secret that is live in a region, by its place in the list.
    Secret { target: usize, at: usize, what: Deed },
    /// A secret that nobody owns, under a name that git may declare.
    Create { target: usize, name: usize, env: &'static str },
    /// The clock goes on.
    Later,
}

/// What somebody does to a secret.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed {
    Value,
    Pending,
    /// Another secret beside it, with its tags.
    Copy,
    StripTags,
    Protect,
    Delete,
    ForceDelete,
    Restore,
    Policy,
    Rotate,
    CancelRotation,
}

pub(super) fn hands() -> impl Strategy<Value = Hand> {
    let deeds = prop_oneof![
        4 => Just(Deed::Value),
        1 => Just(Deed::Pending),
        2 => Just(Deed::Copy),
        2 => Just(Deed::StripTags),
        2 => Just(Deed::Protect),
        2 => Just(Deed::Delete),
        1 => Just(Deed::ForceDelete),
        2 => Just(Deed::Restore),
        1 => Just(Deed::Policy),
        2 => Just(Deed::Rotate),
        1 => Just(Deed::CancelRotation),
    ];
    let target = || 0..TARGETS.len();
    prop_oneof![
        8 => (target(), 0_usize..16, deeds).prop_map(|(target, at, what)| Hand::Secret { target, at, what }),
        1 => (target(), 0..NAMES.len(), select(vec!["dev", "live"]))
            .prop_map(|(target, name, env)| Hand::Create { target, name, env }),
        1 => Just(Hand::Later),
    ]
}

impl Hand {
    /// Does it. What the service refuses is not done.
    pub(super) fn act(&self, world: &mut World) {
        match self {
            Self::Later => world.sandbox.advance(std::time::Duration::from_hours(1)).expect("the clock goes on"),
            Self::Create { target, name, env } => {
                let name = format!("{env}/shop/{}", NAMES[*name]);
                let body = json!({ "Name": name, "SecretString": "planted", "ClientRequestToken": world.token() });
                world.by_hand(TARGETS[*target].1, "CreateSecret", &body);
            }
            Self::Secret { target, at, what } => {
                let region = TARGETS[*target].1;
                let live = world.sandbox.dump(ACCOUNT, region);
                let Some(secret) = live.get(at % live.len().max(1)) else { return };
                let (operation, body) = what.call(&secret.name, &secret.tags, &world.token());
                world.by_hand(region, operation, &body);
            }
        }
    }
}

impl Deed {
    fn call(self, name: &str, tags: &std::collections::BTreeMap<String, String>, token: &str) -> (&'static str, Value) {
        let put = |stages: &[&str]| {
            json!({ "SecretId": name, "SecretString": format!("set by {token}"), "VersionStages": stages,
                "ClientRequestToken": token })
        };
        match self {
            Self::Value => ("PutSecretValue", put(&["AWSCURRENT"])),
            Self::Pending => ("PutSecretValue", put(&["AWSPENDING"])),
            Self::Copy => {
                let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
                let body = json!({ "Name": format!("{name}-copy"), "SecretString": "copied", "Tags": tags,
                    "ClientRequestToken": token });
                ("CreateSecret", body)
            }
            Self::StripTags => {
                ("UntagResource", json!({ "SecretId": name, "TagKeys": tags.keys().collect::<Vec<_>>() }))
            }
            Self::Protect => {
                ("TagResource", json!({ "SecretId": name, "Tags": [{ "Key": "keywright:protect", "Value": "true" }] }))
            }
            Self::Delete => ("DeleteSecret", json!({ "SecretId": name, "RecoveryWindowInDays": 7 })),
            Self::ForceDelete => ("DeleteSecret", json!({ "SecretId": name, "ForceDeleteWithoutRecovery": true })),
            Self::Restore => ("RestoreSecret", json!({ "SecretId": name })),
            Self::Policy => {
                ("PutResourcePolicy", json!({ "SecretId": name, "ResourcePolicy": policy("by-hand").to_string() }))
            }
            Self::Rotate => (
                "RotateSecret",
                json!({
                    "SecretId": name, "RotationRules": { "AutomaticallyAfterDays": 30 }, "ClientRequestToken": token,
                    "RotationLambdaARN": format!("arn:aws:lambda:eu-west-1:{ACCOUNT}:function:rotate"),
                }),
            ),
            Self::CancelRotation => ("CancelRotateSecret", json!({ "SecretId": name })),
        }
    }
}

impl World {
    fn by_hand(&self, region: &str, operation: &str, body: &Value) {
        let _ = try_call(&self.sandbox, ACCOUNT, region, operation, body);
    }
}
