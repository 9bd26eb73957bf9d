//! What was approved, as lines: the part of a plan that an apply must find again.
//!
//! One line for the run (project, selection, overridden guards), one for each target, one for each secret with what its
//! actions rest on, one for each action. The fingerprint is SHA-256 over them. No date is in them, no secret that the
//! plan does not touch, and nothing made of a plaintext: a value is its source and the version id that its ciphertext
//! stands for.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::action::{Action, CarriedVersion, LabelVersion, PlannedValue, Token};
use super::cross_account::{OtherArn, PlannedLink};
use super::guard::GuardOverrides;
use super::precondition::{ObservedField, destroyed, observations};
use super::selection::Selection;
use super::{Plan, SecretPlan, Verb};
use crate::desired::{Deletion, PolicyTemplate, RotationSetup, Rotator, TagPatterns};
use crate::domain::{Frequency, Part, Partition, Template};
use crate::live::Live;
use crate::policy::PolicyDocument;
use crate::value::{GenerateOptions, SopsPart, Source};

/// The version of the lines. Lines of another version are never compared.
pub const FORMAT_VERSION: &str = "1";

/// The line of a run.
pub fn run_line(project: &str, selection: &Selection, overrides: &GuardOverrides, read_values: bool) -> String {
    json!({
        "format": FORMAT_VERSION,
        "project": project,
        "select": selection.patterns(),
        "shard": selection.shard(),
        "guardOverrides": overrides.flags(),
        "readValues": read_values,
    })
    .to_string()
}

/// The lines of one target.
pub fn target_lines(plan: &Plan, live: &Live, ignored: &TagPatterns) -> Vec<String> {
    let Plan { project: _, target, account, region, endpoint, secrets } = plan;
    let heading = json!({ "target": target, "account": account, "region": region, "endpoint": endpoint });
    let mut lines = vec![heading.to_string()];
    for secret in secrets {
        lines.extend(secret_lines(secret, live, ignored));
    }
    lines
}

/// SHA-256 over the lines, in hexadecimal.
pub fn fingerprint(lines: &[String]) -> String {
    let mut hasher = Sha256::new();
    for line in lines {
        hasher.update(u64::try_from(line.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(line.as_bytes());
    }
    format!("sha256:{}", hex::encode(hasher.finalize()))
}

fn secret_lines(secret: &SecretPlan, live: &Live, ignored: &TagPatterns) -> Vec<String> {
    // The origin is where it is declared: moving it in git asks for nothing new, nor does what is known of its leaving.
    let SecretPlan { name, origin: _, verb, changes: _, actions, depends_on, observed, leaving: _, moved: _, item: _ } =
        secret;
    // What becomes of the old secret of a move is approved with it.
    let of_old = secret.removal_of_old().map(|removal| secret_lines(&removal, live, ignored)).unwrap_or_default();
    let rests_on: Map<String, Value> = observed
        .iter()
        .flat_map(|observed| observations(secret, observed, ignored))
        .map(|(field, value)| (observed_word(field).to_owned(), value))
        .collect();
    let destroys: Map<String, Value> = secret
        .regions_overwritten()
        .map(|region| {
            let there = live.other_regions.get(&(region.clone(), name.clone())).and_then(Option::as_ref);
            (region.to_string(), destroyed(there))
        })
        .collect();
    // A secret that was deleted and restored since is another one to whoever approved: both move its LastChangedDate,
    // and so does everything else that somebody did to what would be lost.
    let partition = live.region.partition();
    let last_changed = observed.as_ref().and_then(|observed| observed.last_changed).filter(|_| secret.is_removal());
    let heading = json!({
        "secret": name.as_str(),
        "verb": verb_word(*verb),
        "after": depends_on.iter().map(crate::domain::SecretName::as_str).collect::<Vec<_>>(),
        "exists": observed.is_some(),
        "restsOn": rests_on,
        "destroys": destroys,
        "lastChanged": last_changed.map(|date| date.to_string()),
    });
    std::iter::once(heading.to_string())
        .chain(actions.iter().map(|action| {
            json!({ "secret": name.as_str(), "call": action.operation(), "with": arguments(action, &partition) })
                .to_string()
        }))
        .chain(of_old)
        .collect()
}

fn verb_word(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "create",
        Verb::Restore => "restore",
        Verb::Move => "move",
        Verb::Adopt => "adopt",
        Verb::Change => "change",
        Verb::Release => "release",
        Verb::Delete => "delete",
    }
}

/// The name of what an action rests on. A file that was approved holds it, so it stays when the enum is renamed.
fn observed_word(field: ObservedField) -> &'static str {
    match field {
        ObservedField::Existence => "existence",
        ObservedField::Identity => "identity",
        ObservedField::ScheduledDeletion => "scheduledDeletion",
        ObservedField::Ownership => "ownership",
        ObservedField::Description => "description",
        ObservedField::KmsKey => "kmsKeyId",
        ObservedField::Tags => "tags",
        ObservedField::Policy => "policy",
        ObservedField::Versions => "versions",
        ObservedField::Type => "type",
        ObservedField::Rotation => "rotation",
        ObservedField::Replicas => "replicas",
        ObservedField::CrossAccount => "crossAccount",
        ObservedField::Overwritten => "overwritten",
        ObservedField::Replacement => "replacement",
    }
}

fn arguments(action: &Action, partition: &Partition) -> Value {
    match action {
        Action::Restore | Action::CancelRotation | Action::StopReplication | Action::DeletePolicy => Value::Null,
        Action::Create { description, kms_key_id, tags, secret_type, value, replicas, cross_account_primary } => {
            let mut with = json!({
                "description": description.as_ref().map(template),
                "kmsKeyId": kms_key_id,
                "tags": tags.iter().map(|(key, text)| (key.to_string(), template(text))).collect::<Map<_, _>>(),
                "type": secret_type,
                "value": value.as_deref().map(planned_value),
                "replicas": replicas,
            });
            if let Some(primary) = cross_account_primary {
                with["crossAccountPrimary"] = other_secret(primary);
            }
            with
        }
        Action::Update { description, kms_key_id, secret_type } => json!({
            "description": description.as_ref().map(template),
            "kmsKeyId": kms_key_id,
            "type": secret_type,
        }),
        Action::Tag { tags } => tags.iter().map(|(key, text)| (key.to_string(), template(text))).collect(),
        Action::PutPolicy { policy, block_public_policy } => {
            json!({ "policy": policy_template(policy, partition), "blockPublicPolicy": block_public_policy })
        }
        Action::PutValue(value) => planned_value(value),
        Action::CarryVersion(carried) => {
            let CarriedVersion { from, version, to, current, labels } = &**carried;
            json!({ "from": from.as_str(), "version": version, "to": to, "current": current, "labels": labels })
        }
        Action::RemoveLabel { label, from } => json!({ "removeLabel": label, "from": from }),
        Action::NoteEqualValue { live } => json!({ "whenEqualTo": live }),
        Action::MoveLabel { label, to, from } => json!({
            "label": label,
            "to": match to {
                LabelVersion::Id(id) => id.as_str(),
                LabelVersion::JustPut => "the version just put",
            },
            "from": from,
        }),
        Action::RemoveReplicas { regions } => json!(regions),
        Action::Replicate { regions, overwrite } => json!({ "regions": regions, "overwrite": overwrite }),
        Action::Disassociate { replica } => json!({ "replica": replica }),
        Action::Associate(PlannedLink { replica, restriction, role }) => {
            json!({ "replica": other_secret(replica), "restriction": restriction.as_str(), "role": role })
        }
        Action::Rotate { setup, immediately } => json!({ "setup": rotation(setup), "immediately": immediately }),
        Action::Untag { keys } => json!(keys),
        Action::Delete { deletion } => match deletion {
            Deletion::Window(days) => json!({ "recoveryWindowDays": days }),
            Deletion::Force => json!({ "force": true }),
        },
    }
}

/// A secret of another account: its account is a part of what is approved.
fn other_secret(other: &OtherArn) -> Value {
    match other {
        OtherArn::Known(arn) => json!(arn),
        OtherArn::Later { target, name, account } => {
            json!({ "arnOf": name.as_str(), "target": target, "account": account })
        }
    }
}

/// Text, or its pieces where an ARN is not known yet.
fn template(template: &Template) -> Value {
    let piece = |part: &Part| match part {
        Part::Text(text) => json!(text),
        Part::SecretArn(name) => json!({ "arnOf": name.as_str() }),
    };
    match template.parts() {
        [] => json!(""),
        [Part::Text(text)] => json!(text),
        parts => parts.iter().map(piece).collect(),
    }
}

fn policy_template(policy: &PolicyTemplate, partition: &Partition) -> Value {
    let holes: Map<String, Value> =
        policy.holes.iter().map(|(pointer, text)| (pointer.clone(), template(text))).collect();
    // Order of members is order in git, and means nothing.
    let document = PolicyDocument::from_checked(policy.document.clone()).in_partition(partition);
    json!({ "document": document.canonical(), "knownAfterApply": holes })
}

fn planned_value(value: &PlannedValue) -> Value {
    let PlannedValue { source: from, token, compare_with, labels, digest, keeps_generated_of } = value;
    let mut planned = json!({
        "source": source(from),
        "version": match token {
            Token::Id(id) => id.as_str(),
            Token::KnownAfterApply => "known after apply",
            Token::Random => "random",
        },
        "content": digest,
        "compareWith": compare_with,
        "labels": labels,
    });
    if let Some(version) = keeps_generated_of {
        planned["generatedPartsOf"] = json!(version.as_str());
    }
    planned
}

/// Where a value comes from; never what it is. Text in a manifest is public, and its version id stands for it.
fn source(from: &Source) -> Value {
    match from {
        Source::Sops(part) => {
            let SopsPart { file: _, shown, key, format: _, as_string, allow_unencrypted } = part;
            let format = part.format().name();
            json!({
                "sops": shown,
                "key": key,
                "format": format,
                "asString": as_string,
                "allowUnencrypted": allow_unencrypted,
            })
        }
        Source::Env(name) => json!({ "env": name }),
        Source::File { path: _, shown } => json!({ "file": shown }),
        Source::BinaryFile { path: _, shown } => json!({ "binaryFile": shown }),
        Source::Text(text) => {
            json!({ "text": text.references().map(crate::domain::SecretName::as_str).collect::<Vec<_>>() })
        }
        Source::Generate(options) => generate(options),
        Source::Json(fields) => {
            json!({ "json": fields.iter().map(|(key, from)| (key.clone(), source(from))).collect::<Map<_, _>>() })
        }
    }
}

fn generate(options: &GenerateOptions) -> Value {
    let GenerateOptions {
        length,
        exclude_characters,
        exclude_numbers,
        exclude_punctuation,
        exclude_uppercase,
        exclude_lowercase,
        include_space,
        require_each_included_type,
    } = options;
    json!({ "generate": {
        "length": length,
        "excludeCharacters": exclude_characters,
        "excludeNumbers": exclude_numbers,
        "excludePunctuation": exclude_punctuation,
        "excludeUppercase": exclude_uppercase,
        "excludeLowercase": exclude_lowercase,
        "includeSpace": include_space,
        "requireEachIncludedType": require_each_included_type,
    }})
}

/// Who rotates, and when.
pub(super) fn rotation(setup: &RotationSetup) -> Value {
    let RotationSetup { rotator, frequency, duration } = setup;
    json!({
        "by": match rotator {
            Rotator::OwningService => json!("owning service"),
            Rotator::Lambda(arn) => json!(arn),
            Rotator::External { role_arn, metadata } => json!({ "role": role_arn, "metadata": metadata }),
        },
        "when": match frequency {
            Frequency::EveryDays(days) => json!(days),
            Frequency::Expression(expression) => json!(expression.as_str()),
        },
        "window": duration,
    })
}
