//! What happens to a secret, row by row: taken apart once, for text, Markdown and HTML alike.
//!
//! The texts in here are escaped for a line of a terminal. What else a format needs (Markdown, HTML) it escapes itself.

use std::collections::BTreeSet;

use similar::DiffableStr;

use super::diff::Diff;
use super::escape::{self, Escaped, Fragment, Terminal};
use super::leaving;
use super::line_diff::tone;
use super::look_alike::both_told_apart;
use super::paint::Paint;
use super::policy_diff::policy_diff;
use super::policy_words::policy_told;
use super::text_diff::text_diff;
use super::{cross_account, escaped, move_words, words};
use crate::desired::{OWNER_TAG, PROTECT_TAG, RotationSetup, owner_tag};
use crate::domain::{KmsKey, Region, StagingLabel, VersionId};
use crate::origin::Origin;
use crate::plan::{Change, LeftItem, OtherValue, PlannedText, Refusal, ReplicaKey, SecretPlan, Verb};

/// How a piece of text is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it was and will be.
    Plain,
    /// It comes to be.
    Added,
    /// It goes.
    Removed,
    /// It changes.
    Changed,
    /// Somebody should look.
    Warning,
    /// It matters less.
    Faint,
}

/// A piece of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) tone: Tone,
    pub(super) text: Escaped<Terminal>,
    /// A sign or an arrow, which only says on one line what old and new lines say by themselves.
    pub(super) mark: bool,
}

/// One difference, or one thing to know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The field; empty where the row goes on about the one before.
    pub(super) label: &'static str,
    /// What becomes of it, on one line.
    pub(super) pieces: Vec<Piece>,
    /// Whether the pieces are the words of one text, old and new ones mixed.
    pub(super) words: bool,
    /// Further lines, as of a policy.
    pub(super) lines: Vec<Piece>,
    /// Where it is declared.
    pub(super) origin: Option<Origin>,
}

impl Row {
    pub(super) fn new(label: &'static str, pieces: Vec<Piece>, origin: Option<&Origin>) -> Self {
        Self { label, pieces, words: false, lines: Vec::new(), origin: origin.cloned() }
    }

    /// Where it is declared, when that is another file than the secret's own, as with defaults.
    pub(super) fn other_place(&self, own: Option<&Origin>) -> Option<Escaped<Terminal>> {
        self.origin.as_ref().filter(|origin| own.is_none_or(|own| own.file != origin.file)).map(place)
    }

    /// As it was: without what is added. None when nothing was there.
    pub(super) fn before(&self) -> Option<Escaped<Terminal>> {
        self.side(Tone::Removed, Tone::Added)
    }

    /// As it will be: without what is removed. None when nothing will be there.
    pub(super) fn after(&self) -> Option<Escaped<Terminal>> {
        self.side(Tone::Added, Tone::Removed)
    }

    fn side(&self, with: Tone, without: Tone) -> Option<Escaped<Terminal>> {
        let pieces = || self.pieces.iter().filter(|piece| !piece.mark);
        pieces()
            .any(|piece| piece.tone == with)
            .then(|| pieces().filter(|piece| piece.tone != without).map(|piece| &piece.text).collect())
    }

    /// All of it on one line, painted.
    pub(super) fn one_line(&self, paint: Paint) -> Escaped<Terminal> {
        let mut out = Escaped::default();
        let mut pieces = self.pieces.iter().peekable();
        while let Some(piece) = pieces.next() {
            let mut text = piece.text.clone();
            while let Some(next) = pieces.next_if(|next| next.tone == piece.tone) {
                text.push(&next.text);
            }
            // As `git diff --word-diff` marks words where there is no colour.
            let bracketed = self.words && !paint.is_on();
            out.push(&match piece.tone {
                Tone::Removed if bracketed => escaped!("[-{}-]", text),
                Tone::Added if bracketed => escaped!("{{+{}+}}", text),
                tone => paint_tone(paint, tone, &text),
            });
        }
        out
    }
}

/// Text in the colour of a tone.
pub(super) fn paint_tone(paint: Paint, tone: Tone, text: &Escaped<Terminal>) -> Escaped<Terminal> {
    match tone {
        Tone::Plain => text.clone(),
        Tone::Added => paint.added(text),
        Tone::Removed => paint.removed(text),
        Tone::Changed => paint.changed(text),
        Tone::Warning => paint.warning(text),
        Tone::Faint => paint.faint(text),
    }
}

pub(super) fn piece(tone: Tone, text: impl Fragment<Terminal>) -> Piece {
    Piece { tone, text: std::iter::once(text).collect(), mark: false }
}

pub(super) fn mark(tone: Tone, text: impl Fragment<Terminal>) -> Piece {
    Piece { mark: true, ..piece(tone, text) }
}

/// `file:line`: what editors and terminals turn into a link.
pub(super) fn place(origin: &Origin) -> Escaped<Terminal> {
    escaped!("{}:{}", escape::line(&origin.file), origin.line)
}

/// Where a secret is declared: its manifest, and the item of a list.
pub(super) fn declared(secret: &SecretPlan) -> Option<Escaped<Terminal>> {
    let manifest = place(secret.origin.as_ref()?);
    match &secret.item {
        Some(item) => Some(escaped!("{} for {}", manifest, place(item))),
        None => Some(manifest),
    }
}

/// `, nor an item acme of the list at secrets/tenants.yaml:3`, of a secret that no manifest names.
pub(super) fn nor_item(left: Option<&LeftItem>) -> Option<Escaped<Terminal>> {
    left.map(|LeftItem { item, list }| escaped!(", nor an item {} of the list at {}", escape::line(item), place(list)))
}

/// The rows of one secret's plan.
pub(super) fn rows(secret: &SecretPlan) -> Vec<Row> {
    let mut rows = Vec::new();
    if !secret.depends_on.is_empty() {
        let names = secret.depends_on.iter().map(|name| escape::line(name.as_str()));
        rows.push(Row::new("after", vec![piece(Tone::Faint, Escaped::join(names, ", "))], None));
    }
    for change in &secret.changes {
        rows_of(change, secret, &mut rows);
    }
    if let (Verb::Delete | Verb::Release, Some(live)) = (secret.verb, &secret.observed) {
        leaving::rows(secret, live, &mut rows);
    }
    rows
}

fn rows_of(change: &Change, secret: &SecretPlan, rows: &mut Vec<Row>) {
    let verb = secret.verb;
    match change {
        Change::Moved { from, deletion, replicas, rotates, left_behind, origin } => {
            let old = escape::line(from.as_str());
            let then = escaped!("which goes once this one is verified: {}", words::deletion(*deletion));
            let pieces = vec![piece(Tone::Removed, old), piece(Tone::Plain, ", "), piece(Tone::Plain, then)];
            rows.push(Row::new("from", pieces, Some(origin)));
            rows.extend(replicas_go(replicas).map(|row| Row { label: "", ..row }));
            rows.extend(secret.old_waits_for_copies().then(|| warning(words::OLD_WAITS_FOR_COPIES)));
            rows.extend(rotates.then(|| warning("the old one is rotated no more as soon as it goes")));
            rows.push(Row::new("left behind", vec![piece(Tone::Plain, move_words::left_behind(left_behind))], None));
        }
        Change::Carried { version, there, stays, origin } => {
            rows.push(Row::new(
                "value",
                vec![piece(Tone::Changed, move_words::carried(version, *there))],
                Some(origin),
            ));
            rows.extend(stays.iter().map(|stays| warning(move_words::stays_current(stays))));
        }
        Change::Restored { rotation_stays_off, other_value } => {
            rows.push(Row::new("deletion", vec![piece(Tone::Plain, "is cancelled")], None));
            rows.extend(restored_with(*rotation_stays_off, other_value.as_ref()));
        }
        Change::CrossAccountPrimary { before, after, origin } => {
            let gets_value = secret.changes.iter().any(|change| matches!(change, Change::Value { .. }));
            rows.extend(cross_account::primary_rows(before.as_ref(), after.as_ref(), gets_value, origin));
        }
        Change::CrossAccountReplica { before, after, reason, origin } => {
            rows.extend(cross_account::replica_rows(before.as_ref(), after.as_ref(), reason, origin));
        }
        Change::Deleted { deletion, replicas, linked, rotates } => {
            rows.push(Row::new("deletion", vec![piece(Tone::Plain, words::deletion(*deletion))], None));
            rows.extend(replicas_go(replicas).into_iter().chain(waits_for_other_target(replicas, secret)));
            rows.extend(cross_account::ends_row(&linked.iter().collect::<Vec<_>>()));
            let off = || Row::new("rotation", vec![piece(Tone::Removed, words::ROTATION_GOES_OFF)], None);
            rows.extend(rotates.then(off));
        }
        Change::Type { before, after, origin } => {
            let (before, after) = (named(before.as_deref(), "none"), named(after.as_deref(), "none"));
            rows.push(Row::new("type", new_or_from_to(verb, before, after), Some(origin)));
        }
        Change::Rotation { before, after, run, earlier_may_run, next, origin } => {
            rows.push(Row::new("rotation", rotation(before.as_ref(), after.as_ref()), Some(origin)));
            rows.extend(next.map(|next| Row::new("", vec![piece(Tone::Plain, words::next_rotation(next))], None)));
            rows.extend(words::rotation_run(*run).map(warning));
            rows.extend(earlier_may_run.then(|| warning(words::EARLIER_ROTATION)));
        }
        Change::Replica { region, before, after, reason, origin } => {
            rows.push(Row::new("replicas", replica(region.as_str(), before.as_ref(), after.as_ref()), Some(origin)));
            rows.extend(words::replica_reason(region.as_str(), reason).map(warning));
        }
        Change::Description { before, after, origin } => {
            rows.push(description(before.as_deref(), after.as_ref(), origin));
        }
        Change::KmsKey { before, after, origin } => {
            let key = |key: &Option<KmsKey>| named(key.as_ref().map(KmsKey::as_str), "the default key");
            let (before, after) = (key(before), key(after));
            rows.push(Row::new("kmsKeyId", new_or_from_to(verb, before, after), Some(origin)));
        }
        Change::Tag { key, before, after, origin } => {
            let unprotected = *key == *PROTECT_TAG && after.is_none();
            let (before, after) = (before.as_deref(), after.as_ref().map(|after| after.text.as_str()));
            let (before, after) = if *key == *OWNER_TAG { owners(before, after) } else { (before, after) };
            rows.push(Row::new("tags", tag(key.as_str(), before, after), origin.as_ref()));
            rows.extend(unprotected.then(|| warning(words::UNPROTECTED)));
        }
        Change::Value { reason, source, generated_kept, noted, text, parts, origin } => {
            let pieces = vec![
                piece(Tone::Changed, words::source(source)),
                piece(Tone::Plain, ": "),
                piece(Tone::Plain, words::value_change(reason, source, *generated_kept, *noted)),
            ];
            let lines = text.as_ref().map_or_else(Vec::new, text_diff);
            rows.push(Row { lines, ..Row::new("value", pieces, Some(origin)) });
            let told = parts.as_ref().map(words::differing_parts);
            rows.extend(told.map(|told| Row::new("", vec![piece(Tone::Plain, told)], None)));
        }
        Change::LabelRemoved { label, before, origin } => {
            let from_to = from_to(escape::line(before.as_str()), "no version".into());
            rows.push(label_row(label, from_to, origin));
            rows.extend(secret.left_without_label(change).map(without_label));
        }
        Change::Label { label, before, after, origin } => {
            let version = |id: &Option<VersionId>, none| named(id.as_ref().map(VersionId::as_str), none);
            let from_to = from_to(version(before, "no version"), version(after, "git's version"));
            rows.push(label_row(label, from_to, origin));
            rows.extend(secret.left_without_label(change).map(without_label));
        }
        Change::Policy { before, after, origin } => {
            rows.extend(
                policy_told(secret, before, after).into_iter().map(|told| Row::new("policy", told, Some(origin))),
            );
            rows.push(Row { lines: policy_diff(before, after), ..Row::new("policy", Vec::new(), Some(origin)) });
        }
    }
}

fn label_row(label: &StagingLabel, from_to: Vec<Piece>, origin: &Origin) -> Row {
    let mut pieces = vec![piece(Tone::Plain, escape::line(label.as_str())), piece(Tone::Plain, ": ")];
    pieces.extend(from_to);
    Row::new("label", pieces, Some(origin))
}

/// UpdateSecretVersionStage calls a version without labels deprecated.
fn without_label(version: &VersionId) -> Row {
    let version = escape::line(version.as_str());
    warning(escaped!("{} keeps no label then, and Secrets Manager may remove it", version))
}

/// DeleteSecret refuses a secret that has replicas.
fn replicas_go(replicas: &BTreeSet<Region>) -> Option<Row> {
    let regions = Escaped::join(replicas.iter().map(|region| escape::line(region.as_str())), ", ");
    let text: Escaped<Terminal> = escaped!("the replicas in {} go first, at once and for good", regions);
    (!replicas.is_empty()).then(|| Row::new("replicas", vec![piece(Tone::Removed, text)], None))
}

/// What is to be known of a secret whose deletion is cancelled.
fn restored_with(rotation_stays_off: bool, other_value: Option<&OtherValue>) -> impl Iterator<Item = Row> {
    let off = rotation_stays_off.then(|| warning(words::ROTATION_STAYS_OFF));
    other_value.map(|other| warning(move_words::restored_value(other))).into_iter().chain(off)
}

/// That replicas stay while those of another target, to which the secret goes, are being made.
fn waits_for_other_target(replicas: &BTreeSet<Region>, secret: &SecretPlan) -> Option<Row> {
    let waits = !replicas.is_empty() && secret.leaving.replicas_wait;
    waits.then(|| warning(words::REPLICAS_OF_OTHER_TARGET))
}

fn warning(text: impl Fragment<Terminal>) -> Row {
    Row::new("", vec![piece(Tone::Warning, text)], None)
}

/// A text, or the words for having none.
fn named(text: Option<&str>, none: &'static str) -> Escaped<Terminal> {
    text.map_or_else(|| none.into(), escape::line)
}

fn from_to(before: Escaped<Terminal>, after: Escaped<Terminal>) -> Vec<Piece> {
    vec![piece(Tone::Removed, before), mark(Tone::Plain, " → "), piece(Tone::Added, after)]
}

/// A new secret had nothing before.
fn new_or_from_to(verb: Verb, before: Escaped<Terminal>, after: Escaped<Terminal>) -> Vec<Piece> {
    if verb == Verb::Create { vec![piece(Tone::Added, after)] } else { from_to(before, after) }
}

fn rotation(before: Option<&RotationSetup>, after: Option<&RotationSetup>) -> Vec<Piece> {
    let (Some(before), Some(after)) = (before, after) else {
        return set_or_cleared(before.map(words::rotation), after.map(words::rotation), "off");
    };
    let mut pieces = Vec::new();
    for (at, (before, after)) in words::rotation_changes(before, after).into_iter().enumerate() {
        if at > 0 {
            pieces.push(piece(Tone::Plain, ", "));
        }
        pieces.extend(from_to(before, after));
    }
    pieces
}

/// Something that comes to be, becomes something else, or goes; `none` are the words for having none.
fn set_or_cleared(
    before: Option<Escaped<Terminal>>,
    after: Option<Escaped<Terminal>>,
    none: &'static str,
) -> Vec<Piece> {
    match (before, after) {
        (Some(before), Some(after)) => from_to(before, after),
        (None, Some(after)) => vec![piece(Tone::Added, after)],
        (Some(before), None) => {
            vec![piece(Tone::Removed, before), mark(Tone::Plain, " → "), mark(Tone::Plain, none)]
        }
        (None, None) => vec![piece(Tone::Plain, none)],
    }
}

fn description(before: Option<&str>, after: Option<&PlannedText>, origin: &Origin) -> Row {
    let after = after.map(|after| after.text.as_str());
    let (before, after) = &both_told_apart(before, after);
    let (before, after) = (before.as_deref(), after.as_deref());
    if let Some(pieces) = before.zip(after).and_then(|(before, after)| word_diff(before, after)) {
        return Row { words: true, ..Row::new("description", pieces, Some(origin)) };
    }
    let quoted = |text: Option<&str>| text.map(|text| words::quote(&escape::line(text)));
    Row::new("description", set_or_cleared(quoted(before), quoted(after), "none"), Some(origin))
}

/// The words of two texts, old and new ones mixed. None for texts with hardly a word in common, which are easier to
/// read one after the other.
fn word_diff(before: &str, after: &str) -> Option<Vec<Piece>> {
    let diff = Diff::of(before.tokenize_unicode_words(), after.tokenize_unicode_words());
    if diff.ratio() < 0.4 {
        return None;
    }
    let mut runs: Vec<(Tone, String)> = Vec::new();
    for (tag, word) in diff.changes() {
        let tone = tone(tag);
        match runs.last_mut() {
            Some((last, text)) if *last == tone => text.push_str(word),
            _ => runs.push((tone, word.to_owned())),
        }
    }
    Some(runs.into_iter().map(|(tone, text)| piece(tone, escape::line(&text))).collect())
}

/// Values of the owner tag without what binds them to one secret, which tells a reader nothing; with it where nothing
/// else differs.
fn owners<'t>(before: Option<&'t str>, after: Option<&'t str>) -> (Option<&'t str>, Option<&'t str>) {
    let owner = |value: Option<&'t str>| value.map(|value| owner_tag::split(value).0);
    if before.is_some() && owner(before) == owner(after) { (before, after) } else { (owner(before), owner(after)) }
}

fn tag(key: &str, before: Option<&str>, after: Option<&str>) -> Vec<Piece> {
    let key_is: Escaped<Terminal> = escaped!("{} = ", escape::line(key));
    let (before, after) = &both_told_apart(before, after);
    let (before, after) = (before.as_deref(), after.as_deref());
    let (before, after) = (before.map(escape::line), after.map(escape::line));
    match (before, after) {
        (None, Some(after)) => {
            let text: Escaped<Terminal> = escaped!("{}{}", key_is, after);
            vec![mark(Tone::Added, "+ "), piece(Tone::Added, text)]
        }
        (Some(before), Some(after)) => {
            let mut pieces = vec![mark(Tone::Changed, "~"), mark(Tone::Plain, " "), piece(Tone::Plain, key_is)];
            pieces.extend(from_to(before, after));
            pieces
        }
        (Some(before), None) => {
            let text: Escaped<Terminal> = escaped!("{}{}", key_is, before);
            let mut pieces = vec![mark(Tone::Removed, "- "), piece(Tone::Removed, text)];
            if key == OWNER_TAG {
                pieces.extend([piece(Tone::Plain, "  "), piece(Tone::Faint, "(no longer managed)")]);
            }
            pieces
        }
        (None, None) => vec![piece(Tone::Plain, escape::line(key))],
    }
}

fn replica(region: &str, before: Option<&ReplicaKey>, after: Option<&ReplicaKey>) -> Vec<Piece> {
    let key = |key: &ReplicaKey| match key.named().map(KmsKey::as_str) {
        None | Some(KmsKey::DEFAULT_ALIAS) => escaped!("the region's default key"),
        Some(key) => escape::line(key),
    };
    let region = escape::line(region);
    let with = |key: Escaped<Terminal>| -> Escaped<Terminal> { escaped!("{} with {}", region, key) };
    let changed = || vec![mark(Tone::Changed, "~"), mark(Tone::Plain, " ")];
    match (before, after) {
        (None, Some(after)) => vec![mark(Tone::Added, "+ "), piece(Tone::Added, with(key(after)))],
        (Some(_), None) => vec![mark(Tone::Removed, "- "), piece(Tone::Removed, region)],
        (Some(before), Some(after)) if key(before) == key(after) => {
            let mut pieces = changed();
            pieces.push(piece(Tone::Plain, with(key(after))));
            pieces
        }
        (Some(before), Some(after)) => {
            let mut pieces = changed();
            pieces.extend([piece(Tone::Plain, region), piece(Tone::Plain, ": ")]);
            pieces.extend(from_to(key(before), key(after)));
            pieces
        }
        (None, None) => vec![piece(Tone::Plain, region)],
    }
}

/// Secrets of one refusal that are named; the others are counted.
const NAMED_IN_REFUSAL: usize = 5;

/// What a guard refuses, and what overrides it.
pub(super) fn refusal(refusal: &Refusal) -> (Escaped<Terminal>, Escaped<Terminal>) {
    let shown = refusal.secrets.iter().take(NAMED_IN_REFUSAL).map(|name| escape::line(name.as_str()));
    let shown = Escaped::join(shown, ", ");
    let secrets: Escaped<Terminal> = match refusal.secrets.len() {
        0 => escaped!(""),
        number if number <= NAMED_IN_REFUSAL => escaped!(" ({})", shown),
        number => escaped!(" ({} and {} more)", shown, number - NAMED_IN_REFUSAL),
    };
    let help = refusal.overridden_by().map_or_else(
        || escaped!("this guard cannot be overridden"),
        |flag| escaped!("when that is what you want: {}", escape::line(&flag)),
    );
    (escaped!("{}{}", escape::line(&words::refusal(refusal)), secrets), help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(before: &str, after: &str) -> Row {
        let after = PlannedText { text: after.to_owned(), known: true };
        description(Some(before), Some(&after), &Origin::new(std::path::Path::new("a.yaml"), 1, 1))
    }

    #[test]
    fn a_changed_word_is_marked_in_its_line() {
        let row = changed("Primary database of payments", "Primary cluster of payments");
        assert_eq!(row.one_line(Paint::new(false)), "Primary [-database-]{+cluster+} of payments");
        assert_eq!(row.before().as_deref(), Some("Primary database of payments"));
        assert_eq!(row.after().as_deref(), Some("Primary cluster of payments"));
    }

    #[test]
    fn unlike_texts_stand_one_after_the_other() {
        assert_eq!(changed("alpha", "omega").one_line(Paint::new(false)), "\"alpha\" → \"omega\"");
    }

    #[test]
    fn hostile_text_stays_on_its_line() {
        let diff = changed("a\u{1b}[31m b", "a\u{1b}[31m c\n").one_line(Paint::new(false));
        assert!(!diff.contains(['\u{1b}', '\n']), "{diff}");
    }

    #[test]
    fn neighbours_of_one_tone_are_painted_as_one() {
        let row = Row::new("tags", tag("team", None, Some("a")), None);
        assert_eq!(row.one_line(Paint::new(true)), Paint::new(true).added("+ team = a"));
        assert_eq!((row.before(), row.after().as_deref()), (None, Some("team = a")));
    }
}
