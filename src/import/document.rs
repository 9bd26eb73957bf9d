//! One live secret as a manifest: every field that a manifest can hold, and comments on what it leaves out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::manifest::Note;
use super::yaml::{Yaml, scalar};
use super::{ImportField, Importable, Layout, cross_account};
use crate::desired::{Deletion, RotationSetup, Rotator};
use crate::domain::{AccountId, Arn, Frequency, KmsKey, Region, StagingLabel, TagKey};
use crate::live::{LivePolicy, LiveReplica, LiveSecret, ReplicaStatus};
use crate::manifest::{Accepts, DefaultFields, escape_interpolation};
use crate::policy::PolicyDocument;

/// Longest description, and longest type, that a manifest takes, in characters (CreateSecret).
const MAX_DESCRIPTION: usize = 2_048;
const MAX_TYPE: usize = 256;

/// What a manifest says of one secret in one target.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) spec: Vec<(String, Yaml)>,
    /// `unset` of the override for the target.
    pub(super) unset: Vec<String>,
    /// What else is in there: what must not be merged with the project's defaults.
    pub(super) over: Vec<(String, Yaml)>,
    /// Comments.
    pub(super) notes: Vec<Note>,
    /// Whether the key is the one that lies beneath anyway.
    pub(super) key_as_beneath: bool,
}

/// Drafts the manifest of one secret.
pub(super) fn draft(importable: &Importable, layout: &Layout<'_>, beneath: &DefaultFields) -> Draft {
    let mut writer = Writer {
        secret: &importable.secret,
        layout,
        beneath,
        spec: Vec::new(),
        over: Vec::new(),
        unset: Vec::new(),
        notes: Vec::new(),
    };
    if let Some(service) = &importable.secret.owning_service {
        writer.note(format!("Managed by {}: of it, tags and the schedule can be declared.", scalar(service)));
        writer.chosen(ImportField::Tags, Writer::tags);
        writer.chosen(ImportField::Rotation, Writer::schedule);
        return writer.finish();
    }
    writer.note_value();
    writer.note_fields();
    writer.note_stack();
    if importable.secret.cross_account.primary.is_some() {
        writer.replica_of_another_account();
        return writer.finish();
    }
    writer.chosen(ImportField::Description, Writer::description);
    writer.chosen(ImportField::Type, Writer::secret_type);
    writer.chosen(ImportField::KmsKeyId, Writer::kms_key);
    writer.chosen(ImportField::Tags, Writer::tags);
    writer.chosen(ImportField::Policy, Writer::policy);
    writer.chosen(ImportField::Rotation, Writer::rotation);
    writer.chosen(ImportField::Replicas, Writer::replicas);
    writer.chosen(ImportField::CrossAccount, Writer::cross_account);
    writer.chosen(ImportField::Deletion, |writer| writer.deletion(importable.deletion));
    writer.finish()
}

/// The staging labels of a secret that are not the service's own.
fn custom_labels(secret: &LiveSecret) -> impl Iterator<Item = &str> {
    let labels: BTreeSet<&str> = secret.versions.values().flatten().map(StagingLabel::as_str).collect();
    labels.into_iter().filter(|label| !label.starts_with("AWS"))
}

struct Writer<'a> {
    secret: &'a LiveSecret,
    layout: &'a Layout<'a>,
    /// What lies beneath its `spec` in the target.
    beneath: &'a DefaultFields,
    /// `spec`.
    spec: Vec<(String, Yaml)>,
    /// `spec.overrides` for the target: what must not be merged with the project's defaults.
    over: Vec<(String, Yaml)>,
    /// `unset` in there.
    unset: Vec<String>,
    /// Comments.
    notes: Vec<Note>,
}

impl Writer<'_> {
    fn accepts(&self) -> Accepts<'_> {
        Accepts { account: self.layout.account.map(AccountId::as_str), region: self.layout.region.as_str() }
    }

    fn has_default(&self, field: &str) -> bool {
        self.beneath.fields.contains(field)
    }

    fn note(&mut self, text: String) {
        self.notes.push(Note::of(text));
    }

    fn put(&mut self, field: &str, value: Yaml) {
        self.spec.push((field.to_owned(), value));
    }

    /// A field with a map as its value: the project's default of it would be merged in, and is unset first.
    fn put_map(&mut self, field: &str, value: Yaml) {
        if self.has_default(field) {
            self.unset.push(field.to_owned());
            self.over.push((field.to_owned(), value));
        } else {
            self.put(field, value);
        }
    }

    /// There is none: that needs to be said only where the project's defaults say something else.
    fn put_none(&mut self, field: &str) {
        if self.has_default(field) {
            self.put(field, Yaml::Null);
        }
    }

    /// The live state is nothing that a manifest may say, so the field is left alone.
    fn leave(&mut self, field: &str, why: &str) {
        self.note(format!("Not managed: {field}, since {why}."));
        if self.has_default(field) {
            self.unset.push(field.to_owned());
        }
    }

    /// Writes a field, or leaves it alone, the project's default of it included, where it was not asked for.
    fn chosen(&mut self, field: ImportField, write: impl FnOnce(&mut Self)) {
        if self.layout.fields.is_none_or(|fields| fields.contains(&field)) {
            return write(self);
        }
        // How a secret is deleted is no field of it.
        if field != ImportField::Deletion && self.secret.owning_service.is_none() {
            self.unset_defaults(&field.written());
        }
    }

    /// Leaves fields alone, the project's defaults of them included.
    fn unset_defaults(&mut self, fields: &[&str]) {
        let fields = fields.iter().filter(|field| self.beneath.fields.contains(**field));
        self.unset.extend(fields.map(|field| (*field).to_owned()));
    }

    fn note_fields(&mut self) {
        if let Some(fields) = self.layout.fields {
            let fields: Vec<&str> = fields.iter().map(|field| field.name()).collect();
            self.note(format!("Managed: {} alone (import --fields).", fields.join(", ")));
        }
    }

    fn note_value(&mut self) {
        let why = if self.secret.cross_account.primary.is_some() {
            "since its primary gives it"
        } else if self.secret.is_rotated() {
            "since rotation owns it"
        } else if self.layout.from_state && !self.secret.versions.is_empty() {
            "which stays as Terraform set it"
        } else {
            "since people own it"
        };
        let changed = self.secret.last_changed.map(day);
        self.notes.push(Note { changed, ..Note::of(format!("Not managed: the value, {why}.")) });
        let labels: Vec<String> = custom_labels(self.secret).map(scalar).collect();
        if !labels.is_empty() {
            let labels = labels.join(", ");
            self.note(format!("Not managed: its staging labels of your own, which stay where they are: {labels}."));
        }
        self.unset_defaults(&["value", "labels"]);
    }

    /// Two tools that manage one secret undo each other's work.
    fn note_stack(&mut self) {
        let managed = |key: &TagKey| key.as_str().starts_with("aws:cloudformation:");
        if self.secret.named_owner().is_none() && self.secret.tags.keys().any(managed) {
            self.note(
                "A CloudFormation stack manages it: an apply refuses to adopt it until it has left the stack."
                    .to_owned(),
            );
        }
    }

    fn description(&mut self) {
        match self.secret.description.as_deref().filter(|text| !text.is_empty()) {
            Some(text) if text.chars().count() > MAX_DESCRIPTION => {
                self.leave("description", "it is longer than a manifest may say");
            }
            Some(text) => self.put("description", Yaml::literal(text)),
            None => self.put_none("description"),
        }
    }

    fn secret_type(&mut self) {
        match self.secret.secret_type.as_deref().filter(|text| !text.is_empty()) {
            Some(text) if text.chars().count() > MAX_TYPE => self.leave("type", "it is longer than a manifest may say"),
            Some(text) => self.put("type", Yaml::literal(text)),
            None => self.put_none("type"),
        }
    }

    fn kms_key(&mut self) {
        let Layout { account, region, .. } = *self.layout;
        match self.secret.kms_key_id.as_ref().filter(|key| !KmsKey::is_same(Some(key), None, account, region)) {
            Some(key) if self.accepts().kms_key(key.as_str(), region.as_str()) => {
                self.put("kmsKeyId", Yaml::literal(key.as_str()));
            }
            Some(_) => self.leave("kmsKeyId", "it is nothing that a manifest may name"),
            None => self.put_none("kmsKeyId"),
        }
    }

    fn tags(&mut self) {
        let layout = self.layout;
        let defaults = &self.beneath.tags;
        let live = self.secret.tags.iter().filter(|(key, _)| !layout.ignore_tags.ignores(key.as_str()));
        let (written, refused): (Vec<_>, Vec<_>) =
            live.partition(|(key, value)| self.accepts().tag(key.as_str(), value));
        let same_as_default = |key: &str, value: &str| defaults.get(key).and_then(Option::as_deref) == Some(value);
        let tags: Vec<(String, Yaml)> = written
            .iter()
            .filter(|(key, value)| !same_as_default(key.as_str(), value))
            .map(|(key, value)| (key.to_string(), Yaml::literal(value)))
            .collect();
        for key in defaults.keys().filter(|key| !self.secret.tags.contains_key(key.as_str())) {
            self.unset.push(format!("tags.{key}"));
        }
        if !tags.is_empty() {
            self.put("tags", Yaml::Map(tags));
        }
        if refused.is_empty() {
            if self.has_default("tagMode") {
                self.put("tagMode", Yaml::Text("exact".to_owned()));
            }
        } else {
            self.put("tagMode", Yaml::Text("additive".to_owned()));
            self.note(format!("Not managed: {} of the tags, since manifests may not name them.", refused.len()));
        }
    }

    fn policy(&mut self) {
        match &self.secret.policy {
            LivePolicy::None => self.put_none("policy"),
            LivePolicy::NotRead | LivePolicy::Unreadable => self.leave("policy", "it was not read"),
            LivePolicy::Unparsable(_) => self.leave("policy", "it is not a JSON object"),
            LivePolicy::Document(policy) => {
                // The canonical form may be larger than what is live, and than what the service takes.
                let spelled = policy.spelled_as(&[]);
                let forms = [&spelled, policy.as_written()];
                match forms.into_iter().find(|form| PolicyDocument::check(form).is_empty()) {
                    Some(form) => self.put_map("policy", Yaml::json(form)),
                    None => self.leave("policy", "it holds something that keywright does not know"),
                }
            }
        }
    }

    fn rotation(&mut self) {
        match self.secret.rotation_setup() {
            None => self.put_none("rotation"),
            Some(setup) if !self.accepts().rotation(&setup) => {
                self.leave("rotation", "it holds something that manifests may not say");
            }
            Some(RotationSetup { rotator: Rotator::External { .. }, .. }) if self.secret.secret_type.is_none() => {
                self.leave("rotation", "a partner rotates the secret, and it has no type");
            }
            Some(setup) => self.put_map("rotation", rotation(&setup)),
        }
    }

    /// The schedule by which the service rotates that manages the secret.
    fn schedule(&mut self) {
        if let Some(setup) = self.secret.rotation_setup().filter(|setup| self.accepts().rotation(setup)) {
            self.put("rotation", rotation(&setup));
        }
    }

    fn replicas(&mut self) {
        let replicas = &self.secret.replicas;
        if replicas.is_empty() {
            return self.put_none("replicas");
        }
        let accepts = self.accepts();
        let failed = replicas.values().any(|replica| matches!(replica.status, ReplicaStatus::Failed { .. }));
        let known = replicas.iter().all(|(region, replica)| {
            accepts.replica_region(region.as_str())
                && replica_key(self.layout.account, region, replica)
                    .is_none_or(|key| accepts.kms_key(key.as_str(), region.as_str()))
        });
        if failed {
            return self.leave("replicas", "one of them could not be made: see to it, then declare them here");
        }
        if !known {
            return self.leave("replicas", "they hold something that manifests may not say");
        }
        let items = replicas.iter().map(|(region, replica)| {
            let mut item = vec![("region".to_owned(), Yaml::literal(region.as_str()))];
            if let Some(key) = replica_key(self.layout.account, region, replica) {
                item.push(("kmsKeyId".to_owned(), Yaml::literal(key.as_str())));
            }
            Yaml::Map(item)
        });
        let items = items.collect();
        self.put("replicas", Yaml::List(items));
    }

    /// The links of a secret that is no replica.
    fn cross_account(&mut self) {
        if self.layout.from_state {
            // A state knows nothing of them.
            return self.unset_defaults(&ImportField::CrossAccount.written());
        }
        match cross_account::replica(self.secret, self.layout) {
            Ok(Some(replica)) => {
                self.put_map("crossAccountReplica", replica);
                self.note(
                    "The restriction of its replica cannot be read back: left out, it is sameOrg when an apply \
                     associates the replica again."
                        .to_owned(),
                );
            }
            Ok(None) => self.put_none("crossAccountReplica"),
            Err(why) => self.leave("crossAccountReplica", why),
        }
        self.put_none("crossAccountPrimary");
    }

    /// A replica has nothing of its own but its key, its tags and its policy.
    fn replica_of_another_account(&mut self) {
        self.unset_defaults(&["description", "type", "rotation", "replicas", "crossAccountReplica"]);
        let is_chosen = |field| self.layout.fields.is_none_or(|fields| fields.contains(&field));
        let (links, key) = (is_chosen(ImportField::CrossAccount), is_chosen(ImportField::KmsKeyId));
        let primary = links.then(|| cross_account::primary(self.secret, self.layout));
        if matches!(primary, Some(Ok(Some(_)))) && !key {
            self.note("Managed too: kmsKeyId, without which no manifest declares a replica.".to_owned());
            self.kms_key();
        } else {
            self.chosen(ImportField::KmsKeyId, Self::kms_key);
        }
        self.chosen(ImportField::Tags, Self::tags);
        self.chosen(ImportField::Policy, Self::policy);
        match primary {
            Some(Ok(Some(primary))) => self.put_map("crossAccountPrimary", primary),
            Some(Err(why)) => self.leave("crossAccountPrimary", why),
            Some(Ok(None)) | None => self.unset_defaults(&["crossAccountPrimary"]),
        }
    }

    fn deletion(&mut self, deletion: Option<Deletion>) {
        match deletion {
            Some(Deletion::Window(days @ 7..=29)) => {
                let window = ("recoveryWindowDays".to_owned(), Yaml::Raw(days.to_string()));
                self.put_map("deletion", Yaml::Map(vec![window]));
            }
            Some(Deletion::Force) => self.note(
                "Terraform would delete it at once (recovery_window_in_days = 0); here it can be restored for 30 days."
                    .to_owned(),
            ),
            _ => {}
        }
    }

    fn finish(self) -> Draft {
        let Self { secret, layout: _, beneath, spec, over, unset, notes } = self;
        let key = secret.kms_key_id.as_ref().map(KmsKey::as_str);
        let key_as_beneath = key.is_some() && key == beneath.kms_key.as_deref();
        Draft { spec, unset, over, notes, key_as_beneath }
    }
}

/// What stands in a secret's `metadata` beside its name and the targets.
pub(super) fn metadata(secret: &LiveSecret, layout: &Layout<'_>) -> Vec<(String, Yaml)> {
    if let Some(service) = &secret.owning_service {
        vec![("managedBy".to_owned(), Yaml::Text(service.clone()))]
    } else if secret.is_protected() && layout.fields.is_none() {
        vec![("protect".to_owned(), Yaml::Raw("true".to_owned()))]
    } else {
        Vec::new()
    }
}

/// The name as it is written: with the variables of the prefix of the scope that it begins with.
pub(super) fn name(name: &str, layout: &Layout<'_>) -> String {
    let prefixes = layout.target.prefixes.iter().filter(|prefix| name.starts_with(prefix.filled.as_str()));
    let longest = prefixes.max_by_key(|prefix| prefix.filled.len());
    longest.map_or_else(
        || escape_interpolation(name),
        |prefix| format!("{}{}", prefix.written, escape_interpolation(&name[prefix.filled.len()..])),
    )
}

/// The replica's key, when it is not its region's own key for Secrets Manager.
fn replica_key<'a>(account: Option<&AccountId>, region: &Region, replica: &'a LiveReplica) -> Option<&'a KmsKey> {
    replica.kms_key_id.as_ref().filter(|key| !KmsKey::is_same(Some(key), None, account, region))
}

fn rotation(setup: &RotationSetup) -> Yaml {
    let RotationSetup { rotator, frequency, duration } = setup;
    let mut entries = Vec::new();
    match rotator {
        Rotator::OwningService => {}
        Rotator::Lambda(arn) => entries.push(("lambdaArn".to_owned(), Yaml::literal(arn.as_str()))),
        Rotator::External { role_arn, metadata } => {
            entries.push(("externalRotation".to_owned(), external(role_arn.as_ref(), metadata)));
        }
    }
    entries.push(match frequency {
        Frequency::EveryDays(days) => ("everyDays".to_owned(), Yaml::Raw(days.to_string())),
        Frequency::Expression(expression) => ("schedule".to_owned(), Yaml::literal(expression.as_str())),
    });
    if let Some(duration) = duration {
        entries.push(("duration".to_owned(), Yaml::literal(duration.as_str())));
    }
    Yaml::Map(entries)
}

fn external(role_arn: Option<&Arn>, metadata: &BTreeMap<String, String>) -> Yaml {
    let mut entries: Vec<(String, Yaml)> =
        role_arn.iter().map(|role| ("roleArn".to_owned(), Yaml::literal(role.as_str()))).collect();
    if !metadata.is_empty() {
        let items = metadata.iter().map(|(key, value)| (key.clone(), Yaml::literal(value))).collect();
        entries.push(("metadata".to_owned(), Yaml::Map(items)));
    }
    Yaml::Map(entries)
}

/// The day in UTC.
fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
