//! The changes of a run as a reader sees them: the same change of several secrets, over all targets, is one entry.
//!
//! What is lost is never folded: each deletion stands by itself, with what is known of the secret that goes.

use std::collections::BTreeMap;

use super::escape::{self, Escaped, Format, Terminal};
use super::order::{Weight, weight};
use super::rows::{Piece, Row, Tone, rows};
use super::{escaped, words};
use crate::desired::OWNER_TAG;
use crate::domain::SecretName;
use crate::plan::{Plan, SecretPlan, Verb};
use crate::sort_few::SortFew as _;

/// Secrets of an entry that are named where the others are counted.
pub(super) const NAMED: usize = 3;

/// What happens to one secret, or alike to several.
pub(super) struct Entry<'a> {
    pub(super) verb: Verb,
    /// The differences, as the first secret has them.
    pub(super) rows: Vec<Row>,
    /// Never empty.
    pub(super) members: Vec<Member<'a>>,
    weight: Weight,
}

/// A secret of an entry.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) target: &'a str,
    pub(super) secret: &'a SecretPlan,
}

/// The entries of some plans, what matters most first. With `full`, each secret is one of its own.
pub(super) fn entries<'a>(plans: impl IntoIterator<Item = &'a Plan>, full: bool) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    // By what they look like, without where it is declared: that is different for each.
    let mut known: BTreeMap<(Verb, String), usize> = BTreeMap::new();
    for plan in plans {
        for secret in &plan.secrets {
            let member = Member { target: &plan.target, secret };
            let (rows, weight) = (rows(secret), weight(secret));
            let ours = format!("{OWNER_TAG} = {}/{}", plan.project, plan.target);
            let alike = (!full && weight != Weight::Loss).then(|| (secret.verb, look(&rows, &ours)));
            let same = alike.as_ref().and_then(|alike| known.get(alike)).and_then(|at| entries.get_mut(*at));
            if let Some(entry) = same {
                entry.take(member, plan);
            } else {
                known.extend(alike.map(|alike| (alike, entries.len())));
                entries.push(Entry { verb: secret.verb, rows, members: vec![member], weight });
            }
        }
    }
    entries.sort_few_by_key(|entry| entry.weight);
    entries
}

/// What rows show, in a form that can be compared. That a secret becomes its own target's is the same everywhere.
fn look(rows: &[Row], ours: &str) -> String {
    let of_row = |row: &Row| match owner_piece(row, ours) {
        Some(_) => format!("{OWNER_TAG}\n"),
        None => format!("{}{:?}{:?}{}\n", row.label, row.pieces, row.lines, row.words),
    };
    rows.iter().map(of_row).collect()
}

/// The place of the piece that says that a secret becomes its own target's.
fn owner_piece(row: &Row, ours: &str) -> Option<usize> {
    let added = |piece: &Piece| piece.tone == Tone::Added && piece.text.as_str() == ours;
    row.pieces.iter().position(added).filter(|_| row.label == "tags" && row.pieces.len() == 2)
}

impl<'a> Entry<'a> {
    /// Takes one more secret in, to which the same happens.
    fn take(&mut self, member: Member<'a>, plan: &Plan) {
        let of_other_target = self.members.first().is_some_and(|first| first.target != member.target);
        if of_other_target {
            let generic: Escaped<Terminal> =
                escaped!("{} = {}/ and its target", OWNER_TAG, escape::line(&plan.project));
            let first = self.members.first().map_or("", |first| first.target);
            let theirs = format!("{OWNER_TAG} = {}/{first}", plan.project);
            for row in &mut self.rows {
                if let Some(piece) = owner_piece(row, &theirs).and_then(|at| row.pieces.get_mut(at)) {
                    piece.text = generic.clone();
                }
            }
        }
        self.members.push(member);
    }

    /// The only secret; none where there are several.
    pub(super) fn single(&self) -> Option<Member<'a>> {
        match self.members.as_slice() {
            [member] => Some(*member),
            _ => None,
        }
    }

    /// Whether something is lost.
    pub(super) fn loses(&self) -> bool {
        self.weight == Weight::Loss
    }

    /// `117 secrets in 6 targets`.
    pub(super) fn count<F: Format>(&self) -> Escaped<F> {
        let targets = self.targets().len();
        let within = (targets > 1).then(|| -> Escaped<F> { escaped!(" in {}", words::count(targets, "target")) });
        escaped!("{}{}", words::count(self.members.len(), "secret"), within)
    }

    /// The targets, with their secrets.
    pub(super) fn targets(&self) -> BTreeMap<&'a str, Vec<&'a SecretName>> {
        let mut targets: BTreeMap<&str, Vec<&SecretName>> = BTreeMap::new();
        for member in &self.members {
            targets.entry(member.target).or_default().push(&member.secret.name);
        }
        targets
    }

    /// Where a row is declared, when all secrets have it from there and it is not their own manifest.
    pub(super) fn place_of(&self, row: &Row) -> Option<Escaped<Terminal>> {
        if let Some(member) = self.single() {
            return row.other_place(member.secret.origin.as_ref());
        }
        let from_other_file = |member: &Member<'_>| row.other_place(member.secret.origin.as_ref()).is_some();
        self.members.iter().all(from_other_file).then(|| row.other_place(None)).flatten()
    }
}

/// The names of an entry's secrets, those of each target on a line: the first few, and how many more.
pub(super) fn names(entry: &Entry<'_>, several_targets: bool) -> Vec<Escaped<Terminal>> {
    entry
        .targets()
        .into_iter()
        .map(|(target, names)| {
            let target = several_targets.then(|| -> Escaped<Terminal> { escaped!("{}: ", escape::line(target)) });
            let names = names.iter().map(|name| escape::line(name.as_str()));
            escaped!("{}{}", target, words::first_few::<Terminal, _>(names, NAMED))
        })
        .collect()
}
