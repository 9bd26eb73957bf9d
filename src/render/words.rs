//! Plurals, verbs, and what happens to a secret in a few words.

use super::escape;
use super::paint::Paint;
use crate::apply::Stopped;
use crate::desired::{Deletion, RotationSetup, Rotator};
use crate::domain::Frequency;
use crate::plan::{Fact, MadeBy, ObservedField, Refusal, ReplicaReason, RotationRun, UndoneVersion, ValueReason, Verb};
use crate::value::{SopsPart, Source};

/// The verbs in the order in which the summary names them.
pub(super) const VERBS: [(Verb, &str); 6] = [
    (Verb::Create, "to create"),
    (Verb::Restore, "to restore"),
    (Verb::Adopt, "to adopt"),
    (Verb::Change, "to change"),
    (Verb::Release, "to release"),
    (Verb::Delete, "to delete"),
];

/// `1 secret`, `2 secrets`.
pub fn count(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

/// The sign and the word of a verb.
pub(super) fn verb(verb: Verb) -> (&'static str, &'static str) {
    match verb {
        Verb::Create => ("+", "create"),
        Verb::Restore => ("^", "restore"),
        Verb::Adopt => (">", "adopt"),
        Verb::Change => ("~", "change"),
        Verb::Release => ("<", "release"),
        Verb::Delete => ("-", "delete"),
    }
}

/// The verb, once it is done.
pub(super) fn verb_done(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "created",
        Verb::Restore => "restored",
        Verb::Adopt => "adopted",
        Verb::Change => "changed",
        Verb::Release => "released",
        Verb::Delete => "deleted",
    }
}

/// Text in the verb's colour.
pub(super) fn paint_verb(paint: Paint, verb: Verb, text: &str) -> String {
    match verb {
        Verb::Create => paint.added(text),
        Verb::Change => paint.changed(text),
        Verb::Restore | Verb::Adopt | Verb::Release => paint.moved(text),
        Verb::Delete => paint.removed(text),
    }
}

/// What a guard refuses: its words, with what it found. Unescaped: a fact may be anybody's text.
pub(super) fn refusal(refusal: &Refusal) -> String {
    let mut rest = refusal.guard.words;
    let mut out = String::new();
    // Filled in from left to right, so that a fact which looks like a gap stays what it is.
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, behind)| Some((before, behind.split_once('}')?)))
    {
        out.push_str(before);
        match refusal.facts.iter().find(|(fact, _)| *fact == name) {
            Some((_, Fact::Number(number))) => out.push_str(&number.to_string()),
            Some((_, Fact::Text(text))) => out.push_str(text),
            None => debug_assert!(false, "the guard {} gives no fact {name}", refusal.guard.name),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// How a secret is deleted.
pub(super) fn deletion(deletion: Deletion) -> String {
    match deletion {
        Deletion::Window(days) => format!("can be restored for {days} days"),
        Deletion::Force => "at once and for good: it can NOT be restored".to_owned(),
    }
}

/// Who rotates a secret, and when, escaped.
pub fn rotation(setup: &RotationSetup) -> String {
    let window = setup.duration.as_ref().map_or_else(String::new, |_| format!(" in {}", window(setup)));
    format!("{}{window}, {}", when(setup), who(setup))
}

/// What changes of a rotation, each part before and after, escaped.
pub(super) fn rotation_changes(before: &RotationSetup, after: &RotationSetup) -> Vec<(String, String)> {
    [when, window, who].into_iter().map(|part| (part(before), part(after))).filter(|(a, b)| a != b).collect()
}

fn when(setup: &RotationSetup) -> String {
    match &setup.frequency {
        Frequency::EveryDays(1) => "every day".to_owned(),
        Frequency::EveryDays(days) => format!("every {days} days"),
        Frequency::Expression(expression) => escape::line(expression.as_str()).into_owned(),
    }
}

fn window(setup: &RotationSetup) -> String {
    let length = setup.duration.as_deref().unwrap_or("the default length");
    format!("a window of {}", escape::line(length))
}

fn who(setup: &RotationSetup) -> String {
    let text = match &setup.rotator {
        Rotator::Lambda(arn) => format!("by {arn}"),
        Rotator::External { role_arn, metadata } => {
            let role = role_arn.as_deref().unwrap_or("no role");
            let metadata: Vec<String> = metadata.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let with = if metadata.is_empty() { String::new() } else { format!(", {}", metadata.join(", ")) };
            format!("by its partner with {role}{with}")
        }
    };
    escape::line(&text).into_owned()
}

/// What an apply makes the rotation function do at once, in a sentence; none when that is nothing.
pub(super) fn rotation_run(run: RotationRun) -> Option<&'static str> {
    match run {
        RotationRun::Nothing => None,
        RotationRun::TestOnly => Some("the function's testSecret step runs at once; the value stays"),
        RotationRun::Now => Some("the secret is ROTATED AT ONCE: it gets a new value"),
    }
}

/// Why a replica is made or removed, and what that means where it is read, escaped.
pub(super) fn replica_reason(region: &str, reason: &ReplicaReason) -> Option<String> {
    let text = match reason {
        ReplicaReason::Added => return None,
        ReplicaReason::Overwrites => {
            format!("a secret of this name in {region} is DESTROYED for it, with all its versions")
        }
        ReplicaReason::Removed => format!("readers in {region} lose it at once"),
        ReplicaReason::KeyChanged => {
            format!(
                "it is removed and made anew, since a replica's key cannot be changed: readers in {region} miss it \
                 for a while"
            )
        }
        ReplicaReason::Failed { message } => format!("tried again; it failed: {message}"),
    };
    Some(escape::line(&text).into_owned())
}

/// Where a value comes from, escaped. Never what it is.
pub(super) fn source(source: &Source) -> String {
    let text = match source {
        Source::Sops(SopsPart { shown, key: Some(key), .. }) => format!("sops {shown} {key}"),
        // A console shows no SecretBinary, and other services inject none: which of the two it will be counts.
        Source::Sops(part) if part.is_binary() => format!("sops {} (SecretBinary)", part.shown),
        Source::Sops(part) => format!("sops {}", part.shown),
        Source::Env(name) => format!("env {name}"),
        Source::File { shown, .. } => format!("file {shown}"),
        Source::BinaryFile { shown, .. } => format!("binary file {shown}"),
        Source::Text(_) => "text in the manifest".to_owned(),
        Source::Generate(_) => "generated".to_owned(),
        Source::Json(fields) => {
            let kinds: Vec<String> =
                fields.iter().map(|(key, field)| format!("{key}: {}", self::source(field))).collect();
            format!("json of {}", kinds.join(", "))
        }
    };
    escape::line(&text).into_owned()
}

/// What becomes of a value that is compared with the live one first.
const NOTED_WHEN_EQUAL: &str = "an equal value mints no version, and is noted in the tag keywright:value";

/// Why a value is put, in a few words.
pub(super) fn value_reason(reason: &ValueReason) -> String {
    match reason {
        ValueReason::First => "set, it has none yet".to_owned(),
        ValueReason::NotFromGit { undone, moved_back } => format!(
            "undoes the current version {}, which did not come from git{}; {}",
            escape::line(&undone.id),
            made(undone),
            if *moved_back {
                "git's version is still there and becomes current again".to_owned()
            } else {
                format!("git's value is put anew; {NOTED_WHEN_EQUAL}")
            }
        ),
        ValueReason::NowGenerated { .. } => "generated anew, since the current value is one that git held".to_owned(),
        ValueReason::ReEncryptedOrChanged { .. } => {
            format!("re-encrypted or changed; {NOTED_WHEN_EQUAL}")
        }
        ValueReason::Reverted { .. } => "git went back to a version that is still there".to_owned(),
        ValueReason::Differs { .. } => "differs from the live value".to_owned(),
        ValueReason::ForLabel => "put beside the current version, for a label".to_owned(),
    }
}

/// When a version was made and by what, as far as that is known.
fn made(UndoneVersion { id: _, made_by, made }: &UndoneVersion) -> String {
    let date = made.map_or_else(String::new, |date| format!(" on {}", date.strftime("%Y-%m-%d %H:%M UTC")));
    let by = match made_by {
        MadeBy::Rotation => "by a rotation",
        MadeBy::Terraform => "by Terraform",
        MadeBy::RandomId => "under a random id, as the console, the CLI and rotation functions give",
        MadeBy::OwnId => "under an id of somebody's own",
    };
    format!(" (made{date} {by})")
}

/// Why nothing more was begun.
pub(super) fn stopped(why: Stopped) -> &'static str {
    match why {
        Stopped::Interrupted => "the run was interrupted",
        Stopped::RecordLost => "the journal could not be written any more",
    }
}

/// What is no longer as it was.
pub(super) fn observed_field(field: ObservedField) -> &'static str {
    match field {
        ObservedField::Existence => "whether it exists",
        ObservedField::Identity => "its ARN",
        ObservedField::ScheduledDeletion => "its scheduled deletion",
        ObservedField::Ownership => "its owner",
        ObservedField::Description => "its description",
        ObservedField::KmsKey => "its KMS key",
        ObservedField::Tags => "its tags",
        ObservedField::Policy => "its policy",
        ObservedField::Versions => "its versions",
        ObservedField::Type => "its type",
        ObservedField::Rotation => "its rotation",
        ObservedField::Replicas => "its replicas",
        ObservedField::Overwritten => "what its replica would destroy",
    }
}

/// Escaped text in quotation marks.
pub(super) fn quote(escaped: &str) -> String {
    format!("\"{escaped}\"")
}
