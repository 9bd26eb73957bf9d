//! The `sops` part of a file: recipients, MAC and selection mode.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::Value;

use super::MAX_NODES;
use super::rules::Rules;

/// The most recipients that one file may name: each is tried, and each is listed when none works.
const MAX_RECIPIENTS: usize = 500;

/// The largest encrypted data key, in bytes of text. With age it has some 400, behind a post-quantum key 2,500.
const MAX_ENCRYPTED_KEY: usize = 16 << 10;

/// The deepest place in flattened metadata. SOPS writes five steps.
const MAX_STEPS: usize = 16;

/// The largest compiled pattern of a selection mode, in bytes.
const MAX_PATTERN: usize = 1 << 20;

/// What a file says about its own encryption.
pub(super) struct Metadata {
    pub(super) age: Vec<AgeRecipient>,
    pub(super) kms: Vec<KmsRecipient>,
    /// Recipients that only the `sops` program can use, each with its kind before it.
    pub(super) other_recipients: Vec<String>,
    /// Features that only the `sops` program can deal with.
    pub(super) program_features: Vec<String>,
    /// When it was last encrypted, as it is written: the MAC is bound to it.
    pub(super) last_modified: String,
    /// The encrypted MAC; empty when there is none.
    pub(super) mac: String,
    pub(super) mac_only_encrypted: bool,
    pub(super) rules: Rules,
}

/// A data key encrypted with age.
#[derive(Deserialize)]
pub(super) struct AgeRecipient {
    #[serde(default)]
    pub(super) recipient: String,
    /// An armored age file.
    #[serde(default)]
    pub(super) enc: String,
}

/// A data key encrypted with AWS KMS.
#[derive(Deserialize)]
pub(super) struct KmsRecipient {
    #[serde(default)]
    pub(super) arn: String,
    #[serde(default)]
    pub(super) role: Option<String>,
    #[serde(default)]
    pub(super) context: Option<BTreeMap<String, Option<String>>>,
    /// In base64.
    #[serde(default)]
    pub(super) enc: String,
    #[serde(default)]
    pub(super) aws_profile: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Raw {
    key_groups: Option<Vec<RawGroup>>,
    lastmodified: Option<String>,
    mac: Option<String>,
    unencrypted_suffix: Option<String>,
    encrypted_suffix: Option<String>,
    unencrypted_regex: Option<String>,
    encrypted_regex: Option<String>,
    unencrypted_comment_regex: Option<String>,
    encrypted_comment_regex: Option<String>,
    mac_only_encrypted: Option<bool>,
    #[serde(flatten)]
    group: RawGroup,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawGroup {
    age: Option<Vec<AgeRecipient>>,
    kms: Option<Vec<KmsRecipient>>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

impl Metadata {
    /// Decodes the metadata. An error says what is wrong, and quotes nothing.
    pub(super) fn decode(json: Value) -> Result<Self, &'static str> {
        let mut raw: Raw = serde_json::from_value(json).map_err(|_| "its `sops` metadata is damaged")?;
        let mut groups = raw.key_groups.take().unwrap_or_default();
        let mut metadata = Self {
            age: Vec::new(),
            kms: Vec::new(),
            other_recipients: Vec::new(),
            program_features: Vec::new(),
            last_modified: raw.lastmodified.take().unwrap_or_default(),
            mac: raw.mac.take().unwrap_or_default(),
            mac_only_encrypted: raw.mac_only_encrypted.unwrap_or_default(),
            rules: raw.rules()?,
        };
        for (set, name) in [
            (&raw.unencrypted_comment_regex, "unencrypted_comment_regex"),
            (&raw.encrypted_comment_regex, "encrypted_comment_regex"),
        ] {
            if set.as_ref().is_some_and(|pattern| !pattern.is_empty()) {
                metadata.program_features.push(name.to_owned());
            }
        }
        metadata.add(raw.group);
        // SOPS looks at `key_groups` only when there are no recipients beside it, and one group is no sharing of the
        // key.
        if !metadata.has_recipients() {
            if groups.len() > 1 {
                metadata.program_features.push(format!("{} key groups (Shamir)", groups.len()));
                for group in groups {
                    metadata.add(group);
                }
            } else if let Some(group) = groups.pop() {
                metadata.add(group);
            }
        }
        if !metadata.has_recipients() {
            return Err("its `sops` metadata names no recipient");
        }
        metadata.check_size()?;
        Ok(metadata)
    }

    fn has_recipients(&self) -> bool {
        !(self.age.is_empty() && self.kms.is_empty() && self.other_recipients.is_empty())
    }

    fn check_size(&self) -> Result<(), &'static str> {
        if self.age.len() + self.kms.len() + self.other_recipients.len() > MAX_RECIPIENTS {
            return Err("its `sops` metadata names more than 500 recipients");
        }
        let mut keys = self.age.iter().map(|age| &age.enc).chain(self.kms.iter().map(|kms| &kms.enc));
        if keys.any(|key| key.len() > MAX_ENCRYPTED_KEY) {
            return Err("its `sops` metadata has an encrypted data key of more than 16 KiB");
        }
        Ok(())
    }

    fn add(&mut self, group: RawGroup) {
        for age in group.age.unwrap_or_default() {
            // `age1` and no other 1: a plugin's recipients have its name between two of them.
            if age.recipient.strip_prefix("age1").is_some_and(|key| !key.contains('1')) {
                self.age.push(age);
            } else {
                self.other_recipients.push(age.recipient);
            }
        }
        self.kms.extend(group.kms.unwrap_or_default());
        for (kind, recipients) in group.others {
            let Value::Array(recipients) = recipients else { continue };
            for recipient in recipients {
                let name = ["fp", "resource_id", "key_id", "vault_url", "vault_address", "recipient", "arn"]
                    .iter()
                    .find_map(|field| recipient.get(field).and_then(Value::as_str));
                self.other_recipients.push(name.map_or_else(|| kind.clone(), |name| format!("{kind} {name}")));
            }
        }
    }

    /// Every recipient, for a message.
    pub(super) fn recipients(&self) -> Vec<String> {
        let age = self.age.iter().map(|age| age.recipient.clone());
        let kms = self.kms.iter().map(|kms| kms.arn.clone());
        age.chain(kms).chain(self.other_recipients.iter().cloned()).collect()
    }
}

impl Raw {
    fn rules(&self) -> Result<Rules, &'static str> {
        let regex = |pattern: &str| -> Result<Regex, &'static str> {
            let built = RegexBuilder::new(pattern).size_limit(MAX_PATTERN).build();
            built.map_err(|_| "its selection mode has a pattern that cannot be read")
        };
        let written = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let mut rules = Vec::new();
        rules.extend(written(&self.unencrypted_suffix).map(|suffix| Ok(Rules::UnencryptedSuffix(suffix))));
        rules.extend(written(&self.encrypted_suffix).map(|suffix| Ok(Rules::EncryptedSuffix(suffix))));
        rules.extend(written(&self.unencrypted_regex).map(|pattern| regex(&pattern).map(Rules::UnencryptedRegex)));
        rules.extend(written(&self.encrypted_regex).map(|pattern| regex(&pattern).map(Rules::EncryptedRegex)));
        for (comment, name) in [
            (&self.unencrypted_comment_regex, "unencrypted_comment_regex"),
            (&self.encrypted_comment_regex, "encrypted_comment_regex"),
        ] {
            rules.extend(written(comment).map(|_| Ok(Rules::Comments(name))));
        }
        if rules.len() > 1 {
            return Err("it has more than one selection mode");
        }
        rules.pop().unwrap_or_else(|| Ok(Rules::assumed()))
    }
}

/// Gathers flattened metadata (`age__list_0__map_enc`), which is how formats without nesting hold it.
pub(super) fn unflatten(flat: Vec<(String, String)>) -> Result<Value, &'static str> {
    let mut root = Value::Object(serde_json::Map::new());
    let mut places = 0;
    for (key, text) in flat {
        let place = place(&mut root, &key, &mut places)?;
        if !place.is_null() {
            return Err(DAMAGED);
        }
        *place = match (key.as_str(), text.as_str()) {
            ("mac_only_encrypted", set) => Value::Bool(set == "true"),
            _ => Value::String(text.replace("\\n", "\n")),
        };
    }
    Ok(root)
}

const DAMAGED: &str = "its `sops` metadata is damaged";

/// The place that a flattened key stands for, made where it is not there yet. `places` counts what was made.
fn place<'a>(root: &'a mut Value, key: &str, places: &mut usize) -> Result<&'a mut Value, &'static str> {
    // A step into a map begins with `m`, one into a list with `l`.
    let marked = format!("m{}", key.replace("__map_", "\u{0}m").replace("__list_", "\u{0}l"));
    if marked.split('\u{0}').count() > MAX_STEPS {
        return Err("its `sops` metadata is nested more than 16 deep");
    }
    let mut place = root;
    for step in marked.split('\u{0}') {
        place = match step.split_at_checked(1) {
            Some(("m", name)) => {
                if place.is_null() {
                    *place = Value::Object(serde_json::Map::new());
                }
                *places += 1;
                place.as_object_mut().ok_or(DAMAGED)?.entry(name).or_insert(Value::Null)
            }
            Some(("l", index)) => {
                if place.is_null() {
                    *place = Value::Array(Vec::new());
                }
                let list = place.as_array_mut().ok_or(DAMAGED)?;
                let index: usize = index.parse().ok().filter(|index| *index <= MAX_NODES).ok_or(DAMAGED)?;
                if list.len() <= index {
                    *places += index + 1 - list.len();
                    if *places <= MAX_NODES {
                        list.resize(index + 1, Value::Null);
                    }
                }
                list.get_mut(index).ok_or(TOO_LARGE)?
            }
            _ => return Err(DAMAGED),
        };
        if *places > MAX_NODES {
            return Err(TOO_LARGE);
        }
    }
    Ok(place)
}

const TOO_LARGE: &str = "its `sops` metadata holds more than 200,000 values";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn flattened_metadata_is_gathered() {
        let flat = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let gathered = unflatten(flat(&[
            ("age__list_1__map_recipient", "b"),
            ("age__list_0__map_enc", "x\\ny"),
            ("kms__list_0__map_context__map_Key", "v"),
            ("mac_only_encrypted", "true"),
        ]));
        let expected = json!({
            "age": [{ "enc": "x\ny" }, { "recipient": "b" }],
            "kms": [{ "context": { "Key": "v" } }],
            "mac_only_encrypted": true,
        });
        assert_eq!(gathered, Ok(expected));
        assert!(unflatten(flat(&[("age__list_99999999", "b")])).is_err());
        assert!(unflatten(flat(&[("age__list_199999", "b"), ("kms__list_199999", "b")])).is_err());
        assert!(unflatten(flat(&[(&"a__map_".repeat(20_000), "b")])).is_err());
        assert!(unflatten(flat(&[("mac", "a"), ("mac", "b")])).is_err());
        assert!(unflatten(flat(&[("mac", "b"), ("mac__map_x", "b")])).is_err());
    }

    #[test]
    fn recipients_are_told_apart() -> Result<(), &'static str> {
        let metadata = Metadata::decode(json!({
            "age": [
                { "recipient": "age1abc", "enc": "" },
                { "recipient": "age1yubikey1abc", "enc": "" },
                { "recipient": "ssh-ed25519 AAAA" },
            ],
            "pgp": [{ "fp": "ABCD", "enc": "" }],
            "gcp_kms": [], "hc_vault": null, "newer_kms": [{ "key_id": "k" }],
            "version": "3.11.0",
        }))?;
        assert_eq!(metadata.age.len(), 1);
        assert_eq!(metadata.other_recipients, ["age1yubikey1abc", "ssh-ed25519 AAAA", "newer_kms k", "pgp ABCD"]);
        assert!(Metadata::decode(json!({ "mac": "" })).is_err());
        assert!(Metadata::decode(json!({ "age": [{}], "encrypted_regex": "a", "unencrypted_suffix": "b" })).is_err());
        assert!(Metadata::decode(json!({ "age": [{}], "encrypted_regex": "(a{900}){900}" })).is_err());
        let recipient = json!({ "recipient": "age1abc", "enc": "x" });
        let many = |count: usize| Metadata::decode(json!({ "age": vec![recipient.clone(); count] })).is_ok();
        assert!(many(MAX_RECIPIENTS) && !many(20_000));
        let large = json!({ "recipient": "age1abc", "enc": "x".repeat(MAX_ENCRYPTED_KEY + 1) });
        assert!(Metadata::decode(json!({ "age": [large] })).is_err());
        Ok(())
    }
}
