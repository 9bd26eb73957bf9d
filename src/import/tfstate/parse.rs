//! A Terraform state (version 4), and nothing of it but secrets without their values.
//!
//! Source: the format of `terraform show` is documented and that of the file is not; it is the one that Terraform 0.12
//! and later write, and OpenTofu with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::address::{index, is_identifier, module_path};
use super::attributes::{Attributes, Loose};
use super::flat::Flat;
use super::{ResourceAddress, ResourceKind, State, StateResource, StateSecret, Unread, Why};
use crate::collect::CollectMap as _;
use crate::desired::Deletion;
use crate::domain::{
    AccountId, Arn, ArnParts, KmsKey, Partition, Region, RotationDuration, SecretName, StagingLabel, TagKey, VersionId,
};
use crate::live::{CrossAccount, LivePolicy, LiveReplica, LiveRotation, LiveSecret, ReplicaStatus, Seen};
use crate::policy::PolicyDocument;

/// The version of the format.
const VERSION: i64 = 4;

/// How the types of all resources of Secrets Manager begin.
const OURS: &str = "aws_secretsmanager_";

/// Why a state cannot be read. Nothing of the file is quoted: it holds values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It is not JSON.
    #[error("it is not JSON: line {line}, column {column}")]
    Syntax {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
    },
    /// It is JSON of another form.
    #[error("it is not a Terraform state: line {line}, column {column}")]
    Form {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
    },
    /// It is a state of another version.
    #[error("it is not a Terraform state of version 4, which Terraform 0.12 and later write")]
    Version,
    /// It is a state that Terraform before 0.12 wrote.
    #[error("it is a state of version {version}, which Terraform 0.11 and before wrote")]
    Old {
        /// The version.
        version: i64,
    },
    /// It is encrypted.
    #[error("it is encrypted by OpenTofu")]
    Encrypted,
    /// It is what `terraform show -json` prints.
    #[error("it is what `terraform show -json` prints, and not the state itself")]
    Shown,
    /// It begins like gzip, and does not go on so.
    #[error("it is compressed, and damaged")]
    Gzip,
    /// It is UTF-16, and damaged.
    #[error("it is UTF-16, and damaged")]
    Utf16,
    /// It is too large once it is decompressed.
    #[error("it is larger than 512 MiB when it is decompressed")]
    TooLarge,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    version: Option<Loose>,
    /// What OpenTofu has in the place of everything else.
    #[serde(default)]
    encrypted_data: Option<IgnoredAny>,
    /// The version of what `terraform show -json` prints.
    #[serde(default)]
    format_version: Option<IgnoredAny>,
    #[serde(default)]
    resources: Vec<Resource>,
}

/// A resource; without instances when it is none of ours.
#[derive(Default)]
struct Resource {
    module: Option<String>,
    managed: bool,
    kind: Option<ResourceKind>,
    /// A type of Secrets Manager that is not known here.
    unknown: Option<String>,
    name: String,
    instances: Vec<OnlyMap<Instance>>,
}

#[derive(Deserialize)]
struct Instance {
    index_key: Option<Loose>,
    /// An object that was replaced, and is still to be destroyed.
    deposed: Option<Loose>,
    #[serde(default)]
    attributes: Attributes,
    #[serde(default)]
    attributes_flat: Flat,
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ResourceVisitor;
        impl<'de> Visitor<'de> for ResourceVisitor {
            type Value = Resource;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a resource")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Resource, A::Error> {
                let mut resource = Resource::default();
                let mut foreign = false;
                while let Some(key) = access.next_key::<String>()? {
                    match key.as_str() {
                        "module" => resource.module = access.next_value()?,
                        "mode" => resource.managed = access.next_value::<String>()? == "managed",
                        "type" => {
                            let name = access.next_value::<String>()?;
                            resource.kind = ResourceKind::of(&name);
                            foreign = resource.kind.is_none();
                            resource.unknown = Some(name).filter(|name| foreign && name.starts_with(OURS));
                        }
                        "name" => resource.name = access.next_value()?,
                        // Terraform writes the type first. Other tools may have sorted the keys.
                        "instances" if !foreign => resource.instances = access.next_value()?,
                        _ => {
                            access.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(resource)
            }
        }
        deserializer.deserialize_map(ResourceVisitor)
    }
}

/// What is read of a map alone: serde takes a list for the fields of a struct in their order.
struct OnlyMap<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OnlyMap<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MapVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for MapVisitor<T> {
            type Value = OnlyMap<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<OnlyMap<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(access)).map(OnlyMap)
            }
        }
        deserializer.deserialize_map(MapVisitor(PhantomData))
    }
}

/// Reads a state.
pub fn parse(bytes: &[u8]) -> Result<State, StateError> {
    let OnlyMap(file) = serde_json::from_slice::<OnlyMap<File>>(bytes).map_err(|error| {
        // What is wrong with the first character is told without a column.
        let (line, column) = (error.line(), error.column().max(1));
        if error.is_data() { StateError::Form { line, column } } else { StateError::Syntax { line, column } }
    })?;
    if file.encrypted_data.is_some() {
        return Err(StateError::Encrypted);
    }
    match file.version.as_ref().and_then(Loose::number) {
        Some(VERSION) => {}
        Some(version @ 1..VERSION) => return Err(StateError::Old { version }),
        None if file.format_version.is_some() => return Err(StateError::Shown),
        _ => return Err(StateError::Version),
    }
    let mut reading = Reading::default();
    for resource in file.resources.into_iter().filter(|resource| resource.managed) {
        reading.resource(resource);
    }
    Ok(reading.finish())
}

#[derive(Default)]
struct Reading {
    secrets: Vec<StateSecret>,
    resources: BTreeMap<ResourceAddress, StateResource>,
    /// What other resources say of a secret, by its ARN.
    policies: BTreeMap<String, LivePolicy>,
    rotations: BTreeMap<String, LiveRotation>,
    versions: BTreeMap<String, BTreeMap<VersionId, BTreeSet<StagingLabel>>>,
    unread: Vec<Unread>,
}

impl Reading {
    fn resource(&mut self, resource: Resource) {
        let Resource { module, managed: _, kind, unknown, name, instances } = resource;
        let prefix = module.as_ref().map_or_else(String::new, |module| format!("{module}."));
        if let Some(kind) = unknown {
            return self.leave(format!("{prefix}{kind}.{name}"), Why::UnknownType);
        }
        let Some(kind) = kind else { return };
        let path = module.as_deref().map(module_path);
        let good = path != Some(None) && is_identifier(&name);
        let address = ResourceAddress { kind, module: path.flatten(), name };
        for instance in instances {
            let OnlyMap(Instance { index_key, deposed, attributes, attributes_flat: Flat(flat) }) = instance;
            let full = format!("{prefix}{}.{}{}", kind.name(), address.name, index(index_key.as_ref()));
            let attributes = if attributes.is_empty() { flat } else { attributes };
            let read = match () {
                () if deposed.is_some() => Err(Why::Deposed),
                () if !good => Err(Why::Address),
                () if attributes.is_empty() => Err(Why::NoAttributes),
                () => self.instance(kind, &full, &attributes),
            };
            let arn = match read {
                Ok(arn) => arn,
                Err(why) => {
                    let shown = if why == Why::Deposed { format!("{full} (deposed)") } else { full.clone() };
                    self.leave(shown, why);
                    String::new()
                }
            };
            if good && deposed.is_none() {
                let resource = self
                    .resources
                    .entry(address.clone())
                    .or_insert_with(|| StateResource { address: address.clone(), instances: BTreeMap::new() });
                resource.instances.insert(full, arn);
            }
        }
    }

    fn leave(&mut self, address: String, why: Why) {
        self.unread.push(Unread { address, why });
    }

    /// The ARN, or the name, of the secret that an instance is or belongs to.
    fn instance(&mut self, kind: ResourceKind, address: &str, attributes: &Attributes) -> Result<String, Why> {
        match kind {
            ResourceKind::Secret => self.secret(address, attributes),
            ResourceKind::Policy => self.policy(attributes).ok_or(Why::Arn),
            ResourceKind::Rotation => self.rotation(attributes).ok_or(Why::Arn),
            ResourceKind::Version => self.version(attributes).ok_or(Why::Arn),
        }
    }

    fn secret(&mut self, address: &str, attributes: &Attributes) -> Result<String, Why> {
        let arn = attributes.text("arn").or_else(|| attributes.text("id")).ok_or(Why::Arn)?;
        let parts = ArnParts::parse(arn).filter(|parts| parts.service == "secretsmanager").ok_or(Why::Arn)?;
        let (region, account) = (Region::parse(parts.region), AccountId::parse(parts.account));
        let (Some(region), Some(account)) = (region, account) else { return Err(Why::Arn) };
        let name = attributes.text("name").or_else(|| parts.secret_name()).ok_or(Why::Name)?;
        let name = SecretName::new(name);
        let tags = match attributes.get("tags_all") {
            // With the provider's default tags.
            all @ Loose::Map(_) => all.texts(),
            _ => attributes.get("tags").texts(),
        };
        let replicas: BTreeMap<Region, LiveReplica> =
            attributes.get("replica").items().iter().filter_map(replica).collect_map();
        let policy = attributes.text("policy").map_or(LivePolicy::None, |text| policy(text, arn));
        let secret = LiveSecret {
            name,
            arn: Arn::of_service(arn),
            description: attributes.text("description").map(str::to_owned),
            kms_key_id: attributes.text("kms_key_id").map(KmsKey::of_service),
            tags: tags.into_iter().map(|(key, value)| (TagKey::of_service(key), value)).collect_map(),
            deleted_at: None,
            owning_service: None,
            primary_region: (!replicas.is_empty()).then(|| region.clone()),
            versions: BTreeMap::new(),
            secret_type: attributes.text("type").map(str::to_owned),
            // Version 3 of the provider has rotation here.
            rotation: rotation(attributes).unwrap_or_default(),
            replicas,
            cross_account: CrossAccount::default(),
            created: None,
            last_changed: None,
            last_accessed: None,
            replicas_accessed: None,
            policy,
            other_policies: Vec::new(),
            seen: Seen::Described,
        };
        let deletion = match attributes.get("recovery_window_in_days").number() {
            Some(0) => Some(Deletion::Force),
            Some(days) => u8::try_from(days).ok().map(Deletion::Window),
            None => None,
        };
        self.secrets.push(StateSecret { address: address.to_owned(), account, region, secret, deletion });
        Ok(arn.to_owned())
    }

    fn policy(&mut self, attributes: &Attributes) -> Option<String> {
        let arn = attributes.text("secret_arn").or_else(|| attributes.text("id"))?;
        if let Some(text) = attributes.text("policy") {
            self.policies.insert(arn.to_owned(), policy(text, arn));
        }
        Some(arn.to_owned())
    }

    fn rotation(&mut self, attributes: &Attributes) -> Option<String> {
        let arn = attributes.text("secret_id").or_else(|| attributes.text("id"))?;
        if let Some(rotation) = rotation(attributes) {
            self.rotations.insert(arn.to_owned(), rotation);
        }
        Some(arn.to_owned())
    }

    fn version(&mut self, attributes: &Attributes) -> Option<String> {
        let arn = attributes.text("arn").or_else(|| attributes.text("secret_id"))?;
        if let Some(id) = attributes.text("version_id") {
            let stages = attributes.get("version_stages").items();
            let labels = stages.iter().filter_map(Loose::text).map(StagingLabel::of_service).collect();
            self.versions.entry(arn.to_owned()).or_default().insert(VersionId::of_service(id), labels);
        }
        Some(arn.to_owned())
    }

    /// Puts together what several resources say of one secret.
    fn finish(mut self) -> State {
        for StateSecret { secret, .. } in &mut self.secrets {
            // Other resources name a secret by its ARN, or, as people may write it, by its name.
            let (arn, name) = (secret.arn.to_string(), secret.name.to_string());
            if let Some(policy) = self.policies.get(&arn).or_else(|| self.policies.get(&name)) {
                secret.policy = policy.clone();
            }
            if let Some(rotation) = self.rotations.get(&arn).or_else(|| self.rotations.get(&name)) {
                secret.rotation = rotation.clone();
            }
            if let Some(versions) = self.versions.get(&arn).or_else(|| self.versions.get(&name)) {
                secret.versions = versions.clone();
            }
        }
        let arns: BTreeMap<&str, &str> =
            self.secrets.iter().map(|found| (found.secret.name.as_str(), found.secret.arn.as_str())).collect_map();
        for arn in self.resources.values_mut().flat_map(|resource| resource.instances.values_mut()) {
            if let Some(known) = arns.get(arn.as_str()) {
                *arn = (*known).to_owned();
            }
        }
        let known: BTreeSet<&str> = self.secrets.iter().map(|found| found.secret.arn.as_str()).collect();
        let others = self.resources.values().filter(|resource| resource.address.kind != ResourceKind::Secret);
        let instances = others.flat_map(|resource| &resource.instances);
        let elsewhere = instances.filter(|(_, arn)| !arn.is_empty() && !known.contains(arn.as_str()));
        let elsewhere: Vec<Unread> =
            elsewhere.map(|(address, _)| Unread { address: address.clone(), why: Why::SecretElsewhere }).collect();
        self.unread.extend(elsewhere);
        State { secrets: self.secrets, resources: self.resources.into_values().collect(), unread: self.unread }
    }
}

fn policy(text: &str, arn: &str) -> LivePolicy {
    PolicyDocument::parse_lenient(text, &Partition::of_arn(arn))
        .map_or_else(|| LivePolicy::Unparsable(text.to_owned()), LivePolicy::Document)
}

fn replica(replica: &Loose) -> Option<(Region, LiveReplica)> {
    let text = |key: &str| replica.get(key).and_then(Loose::text).map(str::to_owned);
    let status = match text("status").as_deref() {
        Some("Failed") => ReplicaStatus::Failed { message: text("status_message").unwrap_or_default() },
        Some("InProgress") => ReplicaStatus::InProgress,
        _ => ReplicaStatus::InSync,
    };
    Some((
        Region::of_service(text("region")?),
        LiveReplica { kms_key_id: text("kms_key_id").map(KmsKey::of_service), status },
    ))
}

/// Rotation, when it is on.
fn rotation(attributes: &Attributes) -> Option<LiveRotation> {
    let rules = attributes.get("rotation_rules").items().first()?;
    if attributes.get("rotation_enabled").is_false() {
        return None;
    }
    let text = |key: &str| rules.get(key).and_then(Loose::text).map(str::to_owned);
    // 0 where an expression is given.
    let days = rules.get("automatically_after_days").and_then(Loose::number).filter(|days| *days > 0);
    Some(LiveRotation {
        enabled: true,
        lambda_arn: attributes.text("rotation_lambda_arn").map(Arn::of_service),
        every_days: days.and_then(|days| u32::try_from(days).ok()),
        expression: text("schedule_expression"),
        duration: text("duration").map(RotationDuration::of_service),
        external_role_arn: attributes.text("external_secret_rotation_role_arn").map(Arn::of_service),
        external_metadata: external_metadata(attributes.get("external_secret_rotation_metadata")),
        last: None,
        next: None,
    })
}

/// A list of `{ key, value }`.
fn external_metadata(items: &Loose) -> BTreeMap<String, String> {
    let pair = |item: &Loose| {
        let text = |key: &str| item.get(key).and_then(Loose::text).map(str::to_owned);
        Some((text("key")?, text("value")?))
    };
    items.items().iter().filter_map(pair).collect_map()
}
