//! What the key policies of linked secrets have to say: a proposal for whoever owns the keys.
//!
//! Sources: "Create a replica secret" (the replica's key is customer managed, since `aws/secretsmanager` serves one
//! account, and lets its own account make the secret), "How Secrets Manager authorizes cross-account replication"
//! (each copy is kms:Decrypt with the primary's key and kms:Encrypt with the replica's, by the replication role, or by
//! whoever changes the value where there is none), "Permissions for cross-account replication" (whoever associates
//! needs both too), all of the user guide. An identity of another account needs the key's policy and its own.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::arn::Place;
use super::cross_account::Others;
use super::document::{Conditions, Set};
use super::needs::present;
use crate::desired::{Desired, DesiredSecret, OtherSecret};
use crate::domain::{Arn, KmsKey, Partition};

/// The version of the document.
const FORMAT_VERSION: &str = "1";

/// The statements to add to key policies, key by key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyPolicies {
    format_version: &'static str,
    /// The keys of both sides of every link.
    pub key_policies: Vec<KeyPolicy>,
}

/// What one key's policy has to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyPolicy {
    /// The target whose manifests name the key; none where another project's or nobody's do.
    pub target: Option<String>,
    /// The account of the key, when it is known.
    pub account: Option<String>,
    /// Its region.
    pub region: String,
    /// The key as the manifest names it: an id, an alias or an ARN. None where no manifest of this project does.
    pub key: Option<String>,
    /// The secrets whose values it protects: names, or ARNs where no manifest of this project declares them.
    pub secrets: BTreeSet<String>,
    /// What a reader has to know before the statements are of use.
    pub notes: BTreeSet<&'static str>,
    /// The statements, for the policy of the key alone.
    pub statements: Vec<KeyStatement>,
}

/// One statement of a key policy. `Resource` is the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyStatement {
    /// `Sid`: letters and digits, unique among the statements of the key.
    pub sid: String,
    effect: &'static str,
    /// `Principal`: roles, and accounts where it is not known which of their identities.
    #[serde(serialize_with = "principals")]
    pub principal: BTreeSet<String>,
    /// `Action`.
    #[serde(serialize_with = "set")]
    pub action: BTreeSet<String>,
    resource: &'static str,
    /// `Condition`: the key is used by way of Secrets Manager alone.
    #[serde(serialize_with = "conditions")]
    pub condition: Conditions,
}

fn set<S: serde::Serializer>(set: &BTreeSet<String>, serializer: S) -> Result<S::Ok, S::Error> {
    Set(set).serialize(serializer)
}

fn principals<S: serde::Serializer>(principals: &BTreeSet<String>, serializer: S) -> Result<S::Ok, S::Error> {
    BTreeMap::from([("AWS", Set(principals))]).serialize(serializer)
}

fn conditions<S: serde::Serializer>(conditions: &Conditions, serializer: S) -> Result<S::Ok, S::Error> {
    super::document::written(conditions).serialize(serializer)
}

const DEFAULT_OF_PRIMARY: &str = "AWS's own key (aws/secretsmanager) cannot get a statement: it lets every identity \
    of its account that may use Secrets Manager there decrypt, and no other account. Name a customer managed key in \
    kmsKeyId where that is not enough";
const UNKNOWN_KEY: &str = "no manifest of this project names the key: whoever owns the secret adds this to the \
    policy of its key, which has to be customer managed on the replica's side";
const UNMANAGED_KEY: &str = "the manifest names no kmsKeyId: the secret keeps the key that it has. This is for a \
    customer managed one; AWS's own key (aws/secretsmanager) cannot get a statement";
const ANYBODY: &str = "an account as principal leaves it to that account's own policies who of it: no role for \
    replication is declared, so whoever changes the value uses the keys, or the target names no role that applies \
    (assumeRole)";
const NO_ACCOUNT: &str =
    "the account of the primary is not known, so there is no principal: write spec.targets[].account";

/// A secret of a link.
#[derive(Clone, Copy)]
struct Side<'a> {
    /// Its target and its manifest, where this project has them.
    target: Option<&'a Desired>,
    desired: Option<&'a DesiredSecret>,
    /// Its ARN, or its name where the project's own targets have it.
    named: &'a str,
    place: Place<'a>,
}

impl<'a> Side<'a> {
    fn of(desired: &'a Desired, secret: &'a DesiredSecret) -> Self {
        let place = Place::of(&desired.target);
        Self { target: Some(desired), desired: Some(secret), named: secret.name.as_str(), place }
    }

    fn other(other: &'a OtherSecret, others: &Others<'a>, here: Place<'a>) -> Self {
        match other {
            OtherSecret::Named { target, name } => {
                let target = others.target(target);
                let place = target.map_or(here.in_any_account(), |target| Place::of(&target.target));
                let desired = target.and_then(|target| target.secrets.get(name));
                Self { target, desired, named: name.as_str(), place }
            }
            OtherSecret::Arn(arn) => {
                let account = arn.parts().map(|parts| parts.account);
                let place = account.map_or(here.in_any_account(), |account| here.in_account(account));
                Self { target: None, desired: None, named: arn.as_str(), place }
            }
        }
    }

    /// The key that the manifest names, and what is to be said of it.
    fn key(&self) -> (Option<&'a str>, Option<&'static str>) {
        let Some(desired) = self.desired else { return (None, Some(UNKNOWN_KEY)) };
        match desired.kms_key_id.as_ref().map(|declared| declared.value.as_ref()) {
            Some(Some(key)) if !key.as_str().ends_with(KmsKey::DEFAULT_ALIAS) => (Some(key.as_str()), None),
            Some(_) => (Some(KmsKey::DEFAULT_ALIAS), Some(DEFAULT_OF_PRIMARY)),
            None => (None, Some(UNMANAGED_KEY)),
        }
    }

    /// Who applies there: the role of the target, or whoever its account lets.
    fn who_applies(&self) -> Option<String> {
        let role = self.target.and_then(|desired| desired.target.assume_role.clone());
        role.or_else(|| self.place.root())
    }
}

/// A primary, its replica, and the role that copies.
struct Link<'a> {
    primary: Side<'a>,
    replica: Side<'a>,
    role: Option<&'a Arn>,
}

impl Link<'_> {
    /// Who decrypts the value and encrypts it again.
    fn who_copies(&self) -> BTreeSet<String> {
        let by = self.role.map(Arn::to_string).or_else(|| self.primary.place.root());
        by.into_iter().chain(self.primary.who_applies()).collect()
    }
}

/// The links that the targets declare, each once.
fn links<'a>(targets: &[&'a Desired], others: &Others<'a>) -> Vec<Link<'a>> {
    let mut links = Vec::new();
    for desired in targets {
        let here = Place::of(&desired.target);
        for secret in present(desired) {
            let own = Side::of(desired, secret);
            if let Some(link) = secret.other_replica() {
                let replica = Side::other(&link.secret, others, here);
                links.push(Link { primary: own, replica, role: link.role.as_ref() });
            }
            let Some(other) = secret.other_primary() else { continue };
            let primary = Side::other(other, others, here);
            let declared = primary.desired.and_then(DesiredSecret::other_replica);
            let role = declared.and_then(|link| link.role.as_ref());
            links.push(Link { primary, replica: own, role });
        }
    }
    links
}

/// What the keys of both sides of the links need that `targets` declare. `beside` are targets that these are linked
/// with.
pub fn key_policies(targets: &[Desired], beside: &[Desired]) -> KeyPolicies {
    let others = Others::of(targets.iter().chain(beside));
    let targets: Vec<&Desired> = targets.iter().collect();
    let mut draft = Draft::default();
    for link in links(&targets, &others) {
        let Link { primary, replica, role: _ } = &link;
        let copies = link.who_copies();
        let via = || [primary.place, replica.place].into_iter().flat_map(Place::via_service).collect();
        let key = draft.key(primary);
        if primary.desired.is_some_and(|secret| secret.value.is_some()) {
            let own = primary.who_applies().into_iter().collect();
            key.allow("WriteValues", own, &["kms:Decrypt", "kms:GenerateDataKey"], via());
        }
        key.allow("CopyValues", copies.clone(), &["kms:Decrypt"], via());
        let key = draft.key(replica);
        if replica.desired.is_some() {
            let own = replica.who_applies().into_iter().collect();
            key.allow("MakeReplicas", own, &["kms:Decrypt", "kms:GenerateDataKey"], via());
        }
        let from = primary.place.account().unwrap_or_default();
        key.allow(&format!("CopyValuesFrom{from}"), copies, &["kms:Encrypt"], via());
    }
    KeyPolicies { format_version: FORMAT_VERSION, key_policies: draft.0.into_values().collect() }
}

/// A key: its account and region, its name, and its secret where nobody names the key.
type KeyPlace<'a> = (Option<&'a str>, &'a str, Option<&'a str>, Option<&'a str>);

/// The policies in the making.
#[derive(Default)]
struct Draft<'a>(BTreeMap<KeyPlace<'a>, KeyPolicy>);

impl<'a> Draft<'a> {
    fn key(&mut self, side: &Side<'a>) -> &mut KeyPolicy {
        let (key, note) = side.key();
        let (account, region) = (side.place.account(), side.place.region());
        let at = (account, region, key, key.is_none().then_some(side.named));
        let policy = self.0.entry(at).or_insert_with(|| KeyPolicy {
            target: side.target.map(|desired| desired.target.name.clone()),
            account: account.map(str::to_owned),
            region: region.to_owned(),
            key: key.map(str::to_owned),
            secrets: BTreeSet::new(),
            notes: BTreeSet::new(),
            statements: Vec::new(),
        });
        policy.secrets.insert(side.named.to_owned());
        policy.notes.extend(note);
        policy
    }
}

impl KeyPolicy {
    /// Adds a statement, or widens the one that allows the same.
    fn allow(&mut self, sid: &str, principal: BTreeSet<String>, actions: &[&str], via: BTreeSet<String>) {
        if self.notes.contains(DEFAULT_OF_PRIMARY) {
            return;
        }
        if principal.is_empty() {
            self.notes.insert(NO_ACCOUNT);
            return;
        }
        if principal.iter().any(|arn| arn.ends_with(":root")) {
            self.notes.insert(ANYBODY);
        }
        if let Some(same) = self.statements.iter_mut().find(|statement| statement.sid == sid) {
            same.principal.extend(principal);
            return;
        }
        let via = BTreeMap::from([("kms:ViaService".to_owned(), via)]);
        self.statements.push(KeyStatement {
            sid: sid.to_owned(),
            effect: "Allow",
            principal,
            action: actions.iter().copied().map(str::to_owned).collect(),
            resource: "*",
            condition: BTreeMap::from([("StringEquals".to_owned(), via)]),
        });
    }
}

impl Place<'_> {
    /// The account as a principal: whoever its own policies let.
    fn root(self) -> Option<String> {
        let partition = Partition::of_region(self.region());
        self.account().map(|account| format!("arn:{partition}:iam::{account}:root"))
    }
}
