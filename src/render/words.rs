//! Plurals, verbs, and what happens to a secret in a few words.

use std::fmt;

use super::escape::{self, Escaped, Format, Fragment, Terminal};
use super::escaped;
use super::paint::Paint;
use crate::apply::Stopped;
use crate::desired::{Deletion, RotationSetup, Rotator};
use crate::domain::{Arn, Frequency, RotationDuration, VersionOrigin, Window};
use crate::plan::{
    Fact, LIST_PRICE_CENTS, LIST_PRICE_DATE, MadeBy, ObservedField, Refusal, ReplicaReason, RotationRun, SecretPlan,
    UndoneVersion, ValueReason, Verb,
};
use crate::value::{DifferingParts, SopsPart, Source};

/// The verbs in the order in which the summary names them.
const VERBS: [(Verb, &str); 7] = [
    (Verb::Create, "to create"),
    (Verb::Move, "to move"),
    (Verb::Restore, "to restore"),
    (Verb::Adopt, "to adopt"),
    (Verb::Change, "to change"),
    (Verb::Release, "to release"),
    (Verb::Delete, "to delete"),
];

/// How many secrets each verb has, in that order; verbs without any are left out.
pub(super) fn verb_counts<'p>(secrets: impl IntoIterator<Item = &'p SecretPlan>) -> Vec<(Verb, usize, &'static str)> {
    let verbs: Vec<Verb> = secrets.into_iter().map(|secret| secret.verb).collect();
    let number = |verb: Verb| verbs.iter().filter(|other| **other == verb).count();
    let counts = VERBS.into_iter().map(|(verb, label)| (verb, number(verb), label));
    counts.filter(|(_, number, _)| *number > 0).collect()
}

/// Behind how many secrets are as they should be: of how many that is not known, since values were not read.
pub(super) fn unread<F: Format>(unread: usize) -> Option<Escaped<F>> {
    unread_after(", of which ", unread)
}

/// How many values were not read, behind `before`.
pub(super) fn unread_after<F: Format>(before: &'static str, unread: usize) -> Option<Escaped<F>> {
    let were = if unread == 1 { "value was" } else { "values were" };
    (unread > 0).then(|| escaped!("{}{} {} not read (--read-values compares)", before, unread, were))
}

/// A number of things: `1 secret`, `2 secrets`.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    number: usize,
    noun: &'static str,
}

/// A number of things.
pub fn count(number: usize, noun: &'static str) -> Count {
    Count { number, noun }
}

impl<F: Format> Fragment<F> for Count {
    fn push_to(&self, out: &mut Escaped<F>) {
        let ending = if self.number == 1 { "" } else { "s" };
        out.push(&escaped!("{} {}{}", self.number, self.noun, ending));
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Escaped::<Terminal>::from_iter([self]), f)
    }
}

/// The sign and the word of a verb.
pub(super) fn verb(verb: Verb) -> (&'static str, &'static str) {
    match verb {
        Verb::Create => ("+", "create"),
        Verb::Move => ("→", "move"),
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
        Verb::Move => "moved",
        Verb::Restore => "restored",
        Verb::Adopt => "adopted",
        Verb::Change => "changed",
        Verb::Release => "released",
        Verb::Delete => "deleted",
    }
}

/// Text in the verb's colour.
pub(super) fn paint_verb(paint: Paint, verb: Verb, text: &Escaped<Terminal>) -> Escaped<Terminal> {
    match verb {
        Verb::Create => paint.added(text),
        Verb::Change => paint.changed(text),
        Verb::Restore | Verb::Move | Verb::Adopt | Verb::Release => paint.moved(text),
        Verb::Delete => paint.removed(text),
    }
}

/// What a guard refuses: its words, with what it found. Unescaped: a fact may be anybody's text.
pub(super) fn refusal(refusal: &Refusal) -> String {
    let mut rest = refusal.words;
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
pub(super) fn deletion(deletion: Deletion) -> Escaped<Terminal> {
    match deletion {
        Deletion::Window(days) => escaped!("can be restored for {} days", days),
        Deletion::Force => escaped!("at once and for good: it can NOT be restored"),
    }
}

/// Who rotates a secret, and when.
pub fn rotation(setup: &RotationSetup) -> Escaped<Terminal> {
    let window = setup.duration.as_ref().map(|_| -> Escaped<Terminal> { escaped!(" in {}", window(setup)) });
    escaped!("{}{}, {}", when(setup), window, who(setup))
}

/// What changes of a rotation, each part before and after.
pub(super) fn rotation_changes(
    before: &RotationSetup,
    after: &RotationSetup,
) -> Vec<(Escaped<Terminal>, Escaped<Terminal>)> {
    [when, window, who].into_iter().map(|part| (part(before), part(after))).filter(|(a, b)| a != b).collect()
}

pub(super) fn when(setup: &RotationSetup) -> Escaped<Terminal> {
    match &setup.frequency {
        Frequency::EveryDays(1) => escaped!("every day"),
        Frequency::EveryDays(days) => escaped!("every {} days", *days),
        Frequency::Expression(expression) => escape::line(expression.as_str()),
    }
}

fn window(setup: &RotationSetup) -> Escaped<Terminal> {
    let length = setup.duration.as_ref().map_or("the default length", RotationDuration::as_str);
    escaped!("a window of {}", escape::line(length))
}

pub(super) fn who(setup: &RotationSetup) -> Escaped<Terminal> {
    match &setup.rotator {
        Rotator::OwningService => "by the service that manages it".into(),
        Rotator::Lambda(arn) => escaped!("by {}", escape::line(arn.as_str())),
        Rotator::External { role_arn, metadata } => {
            let role = escape::line(role_arn.as_ref().map_or("no role", Arn::as_str));
            let metadata = metadata.iter().map(|(key, value)| -> Escaped<Terminal> {
                escaped!(", {}={}", escape::line(key), escape::line(value))
            });
            escaped!("by its partner with {}{}", role, metadata.collect::<Escaped<_>>())
        }
    }
}

/// That RotateSecret, without rotating at once, leaves what was scheduled in place where an interval is set
/// (RotateSecret, `RotationRules`).
pub(super) const EARLIER_ROTATION: &str =
    "the rotation that was scheduled before may still happen; a cron() schedule avoids that";

/// What an apply makes the rotation function do at once, in a sentence; none when that is nothing.
pub(super) fn rotation_run(run: RotationRun) -> Option<&'static str> {
    match run {
        RotationRun::Nothing => None,
        RotationRun::TestOnly => Some("the function's testSecret step runs at once; the value stays"),
        RotationRun::Now => Some("the secret is ROTATED AT ONCE: it gets a new value"),
    }
}

/// The first few of some names, with how many more there are.
pub(super) fn first_few<F: Format, T: Fragment<F>>(names: impl ExactSizeIterator<Item = T>, most: usize) -> Escaped<F> {
    let more = names.len().saturating_sub(most);
    let more = (more > 0).then(|| -> Escaped<F> { escaped!(" and {} more", more) });
    escaped!("{}{}", Escaped::<F>::join(names.take(most), ", "), more)
}

/// When a new schedule rotates first: at any time of a window.
pub(super) fn next_rotation(window: Window) -> Escaped<Terminal> {
    let opens = escape::time::<Terminal>(window.opens, "%Y-%m-%d %H:%M");
    let same_day = escape::time::<Terminal>(window.opens, "%Y-%m-%d") == escape::time(window.closes, "%Y-%m-%d");
    let closes = escape::time::<Terminal>(window.closes, if same_day { "%H:%M" } else { "%Y-%m-%d %H:%M" });
    escaped!("rotates next between {} and {} UTC", opens, closes)
}

/// Which parts of a value are not as they are live.
pub(super) fn differing_parts(parts: &DifferingParts) -> Escaped<Terminal> {
    let DifferingParts { named, more, only_live, made_anew } = parts;
    let more = (*more > 0).then(|| -> Escaped<Terminal> { escaped!(" and {} more", *more) });
    let named = Escaped::join(named.iter().map(|key| escape::line(key)), ", ");
    let differing = (!named.is_empty()).then(|| -> Escaped<Terminal> { escaped!("differing: {}{}", named, more) });
    let only_live = (*only_live > 0)
        .then(|| -> Escaped<Terminal> { escaped!("{} that git does not have", count(*only_live, "live part")) });
    let made_anew = (!made_anew.is_empty()).then(|| -> Escaped<Terminal> {
        let keys = Escaped::join(made_anew.iter().map(|key| escape::line(key)), ", ");
        escaped!("made anew, since the live value has no text or number there: {}; no other field was compared", keys)
    });
    Escaped::join(differing.into_iter().chain(made_anew).chain(only_live), "; ")
}

/// When a secret goes that has replicas, and that a manifest names for another target.
pub(super) const REPLICAS_OF_OTHER_TARGET: &str = "but not while replicas of the other target's secret are being made";

/// When the old secret of a move goes that has replicas, or is one.
pub(super) const OLD_WAITS_FOR_COPIES: &str = "but not before the new replicas are in sync: --wait-replicas waits for \
                                               that, else a later apply goes on";

/// Why a replica is made or removed, and what that means where it is read.
pub(super) fn replica_reason(region: &str, reason: &ReplicaReason) -> Option<Escaped<Terminal>> {
    let region = escape::line(region);
    Some(match reason {
        ReplicaReason::Added => return None,
        ReplicaReason::Overwrites { replicas } => {
            let regions = Escaped::join(replicas.iter().map(|region| escape::line(region.as_str())), ", ");
            let has: Option<Escaped<Terminal>> = (!replicas.is_empty()).then(|| {
                escaped!(
                    "; it has replicas in {}: while it has, AWS may refuse this, so promote or remove them first",
                    regions
                )
            });
            escaped!("a secret of this name in {} is DESTROYED for it, with all its versions{}", region, has)
        }
        ReplicaReason::Removed => escaped!("readers in {} lose it at once", region),
        ReplicaReason::KeyChanged => escaped!(
            "it is removed and made anew, since a replica's key cannot be changed: readers in {} miss it for a while",
            region
        ),
        ReplicaReason::Failed { message } => escaped!("tried again; it failed: {}", escape::line(message)),
    })
}

/// Where a value comes from. Never what it is.
pub(super) fn source(source: &Source) -> Escaped<Terminal> {
    match source {
        Source::Sops(SopsPart { shown, key: Some(key), .. }) => {
            escaped!("sops {} {}", escape::line(shown), escape::line(key))
        }
        // A console shows no SecretBinary, and other services inject none: which of the two it will be counts.
        Source::Sops(part) if part.is_binary() => escaped!("sops {} (SecretBinary)", escape::line(&part.shown)),
        Source::Sops(part) => escaped!("sops {}", escape::line(&part.shown)),
        Source::Env(name) => escaped!("env {}", escape::line(name)),
        Source::File { shown, .. } => escaped!("file {}", escape::line(shown)),
        Source::BinaryFile { shown, .. } => escaped!("binary file {}", escape::line(shown)),
        Source::Text(_) => escaped!("text in the manifest"),
        Source::Generate(_) => escaped!("generated"),
        Source::Json(fields) => {
            let kinds = fields.iter().map(|(key, field)| -> Escaped<Terminal> {
                escaped!("{}: {}", escape::line(key), self::source(field))
            });
            escaped!("json of {}", Escaped::join(kinds, ", "))
        }
    }
}

/// What a plan changes of the monthly bill, counted in what AWS bills (secrets and replicas).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    /// How many more.
    pub(super) change: i64,
    /// How many then, where all are known.
    pub(super) after: Option<i64>,
}

/// `Monthly cost: + 1.20 USD, 28.80 USD then`, with where the price comes from.
pub(super) fn cost<F: Format>(Cost { change, after }: &Cost) -> Escaped<F> {
    let usd = |number: i64| -> Escaped<F> { usd(number.unsigned_abs() * LIST_PRICE_CENTS) };
    let sign = if *change < 0 { "-" } else { "+" };
    let then = after.map(|after| -> Escaped<F> { escaped!(", {} then", usd(after)) });
    let from = "AWS's list price of ";
    escaped!("Monthly cost: {} {}{} ({}{}, without calls)", sign, usd(*change), then, from, LIST_PRICE_DATE)
}

/// `28.80`.
pub(super) fn dollars<F: Format>(cents: u64) -> Escaped<F> {
    escaped!("{}.{}{}", cents / 100, cents % 100 / 10, cents % 10)
}

/// `28.80 USD`.
pub(super) fn usd<F: Format>(cents: u64) -> Escaped<F> {
    escaped!("{} USD", dollars(cents))
}

/// Secrets that could not be read, and values that could not be compared.
pub(super) fn unreadable<F: Format>((secrets, values): (usize, usize)) -> Vec<Escaped<F>> {
    let mut told = Vec::new();
    if secrets > 0 {
        told.push(escaped!("{} could not be read", count(secrets, "secret")));
    }
    if values > 0 {
        told.push(escaped!("{} could not be compared", count(values, "value")));
    }
    told
}

/// Targets of which nothing is known: the first thing that a reader sees.
pub(super) fn not_planned<F: Format>(failed: usize, all: usize) -> Escaped<F> {
    escaped!("NOT PLANNED: {} of {}", failed, count(all, "target"))
}

/// Where calls go that is not AWS itself.
pub(super) fn endpoint(endpoint: Option<&str>) -> Option<&str> {
    endpoint.map(|endpoint| if endpoint == "sandbox" { "SANDBOX" } else { endpoint })
}

/// What a deletion does to rotation (DeleteSecret; recorded).
pub(super) const ROTATION_GOES_OFF: &str = "is switched off at once, and stays off if the deletion is cancelled";

/// What a cancelled deletion does not give back.
pub(super) const ROTATION_STAYS_OFF: &str =
    "rotation stays off: the deletion switched it off, and no manifest declares it";

/// What taking the tag `keywright:protect` off means.
pub(super) const UNPROTECTED: &str = "its protection goes: a later apply may delete it";

/// What becomes of a value that is compared with the live one first.
const NOTED_WHEN_EQUAL: &str = "an equal value mints no version, and is noted in the tag keywright:value";

/// What becomes of one that could be compared, where the secret has as many tags as it can have.
const NO_ROOM_TO_NOTE: &str =
    "an equal value mints a version too, since there is no room for the tag keywright:value among its tags";

/// Why a value is put, in a few words, and what stays of the live one.
pub(super) fn value_change(
    reason: &ValueReason,
    source: &Source,
    generated_kept: bool,
    noted: bool,
) -> Escaped<Terminal> {
    let when_equal = if noted { NOTED_WHEN_EQUAL } else { NO_ROOM_TO_NOTE };
    let whole = matches!(source, Source::Generate(_));
    let anew = if whole { "generated anew" } else { "generated parts are made anew" };
    match reason {
        ValueReason::First => escaped!("set, it has none yet"),
        ValueReason::NotFromGit { undone, moved_back, compared } => escaped!(
            "undoes the current version {}, which did not come from git{}; {}",
            escape::line(undone.id.as_str()),
            made(undone),
            match (moved_back, generated_kept) {
                (true, _) => "git's version is still there and becomes current again".into(),
                (false, true) =>
                    "git's other fields are put anew, and generated parts that are live stay as they are".into(),
                (false, false) if *compared => "git's value, which is another one, is put anew".into(),
                (false, false) => escaped!("git's value is put anew; {}", when_equal),
            }
        ),
        ValueReason::NowGenerated { .. } => escaped!("{}, since the current value is one that git held", anew),
        ValueReason::NothingToKeep { .. } => {
            let live = if whole { "is no value generated as a whole" } else { "is no JSON object with parts to keep" };
            escaped!("{}, since the current value {}", anew, live)
        }
        ValueReason::ChangedInGit { .. } => escaped!("changed in git"),
        ValueReason::ReEncryptedOrChanged { .. } => escaped!("re-encrypted or changed; {}", when_equal),
        ValueReason::Reverted { .. } => {
            escaped!("git's version is still there and becomes current again, in place of another one of git's")
        }
        ValueReason::Differs { .. } if generated_kept => {
            escaped!("has other fields than the live value; generated parts that are live stay as they are")
        }
        ValueReason::Differs { .. } => escaped!("differs from the live value"),
        ValueReason::ForLabel => escaped!("put beside the current version, for a label"),
    }
}

/// When a version was made and by what, as far as that is known.
fn made(UndoneVersion { id: _, made_by, made }: &UndoneVersion) -> Escaped<Terminal> {
    let date = made
        .map(|date| -> Escaped<Terminal> { escaped!(" on {}", escape::time::<Terminal>(date, "%Y-%m-%d %H:%M UTC")) });
    escaped!(" (made{} {})", date, self::made_by(*made_by))
}

/// What made a version, behind the word `made`.
pub(super) fn made_by(made_by: MadeBy) -> &'static str {
    match made_by {
        MadeBy::Rotation => "by a rotation",
        MadeBy::Named(VersionOrigin::Keywright) => "by keywright from another commit",
        MadeBy::Named(VersionOrigin::Generated) => "by keywright, with a generated part that only it has",
        MadeBy::Named(VersionOrigin::Terraform) => "by Terraform",
        MadeBy::Named(VersionOrigin::Random) => {
            "under a random id, as the console, the CLI and rotation functions give"
        }
        MadeBy::Named(VersionOrigin::Own) => "under an id of somebody's own",
    }
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
        ObservedField::Identity => "its ARN or primary region",
        ObservedField::ScheduledDeletion => "its scheduled deletion",
        ObservedField::Ownership => "its owner or protection",
        ObservedField::Description => "its description",
        ObservedField::KmsKey => "its KMS key",
        ObservedField::Tags => "its tags",
        ObservedField::Policy => "its policy",
        ObservedField::Versions => "its versions",
        ObservedField::Type => "its type",
        ObservedField::Rotation => "its rotation",
        ObservedField::Replicas => "its replicas",
        ObservedField::CrossAccount => "its links with other accounts",
        ObservedField::Overwritten => "what its replica would destroy",
        ObservedField::Replacement => "the secret that takes its place",
    }
}

/// Text in quotation marks.
pub(super) fn quote(text: &Escaped<Terminal>) -> Escaped<Terminal> {
    escaped!("\"{}\"", text)
}
