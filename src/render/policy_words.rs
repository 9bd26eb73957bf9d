//! What a changed policy means, in a sentence for each whom it concerns.

use super::escape::{self, Escaped, Terminal};
use super::escaped;
use super::rows::{Piece, Tone, mark, piece};
use super::words;
use crate::domain::Arn;
use crate::live::LivePolicy;
use crate::plan::{PlannedPolicy, SecretPlan};
use crate::policy::{Deed, PolicyDocument, Shift, Turn, Who};

/// Sentences that are told; further ones are counted.
const TOLD: usize = 8;

/// What the change of a secret's policy means.
pub(super) fn policy_told(secret: &SecretPlan, before: &PlannedPolicy, after: &PlannedPolicy) -> Vec<Vec<Piece>> {
    // Whoever could read the value under the old name is no new reader of it.
    let old = secret.moved_from().filter(|_| secret.observed.is_none()).map(|from| &from.secret.policy);
    let document = |old: &LivePolicy| match old {
        LivePolicy::Document(policy) => Some(PlannedPolicy::Document { policy: policy.clone(), known: true }),
        _ => None,
    };
    let old = old.and_then(document);
    let arn = secret.observed.as_ref().map(|live| &live.arn);
    policy_words(old.as_ref().unwrap_or(before), after, arn)
}

/// The sentences, each with its mark; none where the live policy is not known.
fn policy_words(before: &PlannedPolicy, after: &PlannedPolicy, arn: Option<&Arn>) -> Vec<Vec<Piece>> {
    if !is_known(before) || !is_known(after) {
        return Vec::new();
    }
    let shifts = PolicyDocument::shifts(document(before), document(after), arn.map(Arn::as_str));
    let mut told: Vec<Vec<Piece>> = shifts.iter().take(TOLD).map(sentence).collect();
    if shifts.len() > TOLD {
        let more = words::count(shifts.len() - TOLD, "further change");
        told.push(vec![piece(Tone::Faint, escaped!("and {} of who may do what", more))]);
    }
    told
}

/// Whether it is known what a policy says.
fn is_known(policy: &PlannedPolicy) -> bool {
    matches!(policy, PlannedPolicy::None | PlannedPolicy::Document { .. })
}

fn document(policy: &PlannedPolicy) -> Option<&PolicyDocument> {
    match policy {
        PlannedPolicy::Document { policy, known: _ } => Some(policy),
        PlannedPolicy::None | PlannedPolicy::Unreadable | PlannedPolicy::Unparsable(_) => None,
    }
}

/// Whom a policy lets read the value, the first few of many.
pub(super) fn readers(policy: &PolicyDocument, arn: &Arn) -> Escaped<Terminal> {
    let shifts = PolicyDocument::shifts(None, Some(policy), Some(arn.as_str()));
    let readers: Vec<&Shift> =
        shifts.iter().filter(|shift| shift.turn == Turn::Allowed && shift.deeds.contains(&Deed::Read)).collect();
    words::first_few(readers.iter().map(|shift| who(&shift.who)), TOLD)
}

/// What a policy says, in a sentence for each whom it names.
pub(super) fn standing(policy: &PolicyDocument, arn: &Arn) -> Vec<Escaped<Terminal>> {
    let shifts = PolicyDocument::shifts(None, Some(policy), Some(arn.as_str()));
    let told = shifts.iter().map(|Shift { who, turn, conditional, deeds }| -> Escaped<Terminal> {
        let verb = if *turn == Turn::Denied { "is denied to" } else { "may" };
        let condition = if *conditional { ", under conditions" } else { "" };
        escaped!("{} {} {}{}", self::who(who), verb, Escaped::join(deeds.iter().map(deed), ", "), condition)
    });
    told.collect()
}

fn sentence(shift: &Shift) -> Vec<Piece> {
    let Shift { who, turn, conditional, deeds } = shift;
    let (tone, sign, verb) = match turn {
        Turn::Allowed => (Tone::Added, "+ ", "may now"),
        Turn::NoLongerAllowed => (Tone::Removed, "- ", "may no longer"),
        Turn::AllowedOtherwise => (Tone::Changed, "~ ", "may"),
        Turn::AllowedPerhaps => (Tone::Changed, "~ ", "may still"),
        Turn::StillAllowed => (Tone::Plain, "  ", "may still"),
        Turn::Denied => (Tone::Removed, "- ", "is now denied to"),
        Turn::NoLongerDenied => (Tone::Added, "+ ", "is no longer denied to"),
        Turn::DeniedOtherwise => (Tone::Changed, "~ ", "is denied to"),
        Turn::DeniedPerhaps => (Tone::Changed, "~ ", "is still denied to"),
        Turn::StillDenied => (Tone::Plain, "  ", "is still denied to"),
    };
    let (whether, condition) = match (turn, conditional) {
        (Turn::AllowedOtherwise | Turn::DeniedOtherwise, true) => ("", ", under other conditions than before"),
        (Turn::AllowedOtherwise | Turn::DeniedOtherwise, false) => ("", ", now without conditions"),
        (Turn::AllowedPerhaps | Turn::DeniedPerhaps, _) => ("whether ", " depends on statements for others"),
        (_, true) => ("", ", under conditions"),
        (_, false) => ("", ""),
    };
    let deeds = Escaped::join(deeds.iter().map(deed), ", ");
    let text: Escaped<Terminal> = escaped!("{}{} {} {}{}", whether, self::who(who), verb, deeds, condition);
    vec![mark(tone, sign), piece(tone, text)]
}

pub(super) fn who(who: &Who) -> Escaped<Terminal> {
    match who {
        Who::Everyone => escaped!("EVERYONE"),
        Who::EveryoneBut(_, but) => {
            escaped!("EVERYONE but {}", Escaped::join(but.iter().map(self::who), ", "))
        }
        Who::Account(account) => escaped!("account {}", escape::line(account)),
        Who::Identity { kind, name, account } => {
            escaped!("{} {} of account {}", escape::line(kind), escape::line(name), escape::line(account))
        }
        Who::Service(service) => escaped!("the service {}", escape::line(service)),
        Who::Other(text) => escape::line(text),
    }
}

fn deed(deed: &Deed) -> Escaped<Terminal> {
    match deed {
        Deed::Read => escaped!("read the value"),
        Deed::PutValue => escaped!("put values"),
        Deed::Update => escaped!("update it"),
        Deed::Delete => escaped!("delete it"),
        Deed::ChangePolicy => escaped!("change this policy"),
        Deed::Call(action) => escaped!("call {}", escape::line(action)),
        Deed::CallOthers => "call every other action".into(),
        Deed::CallMore(number) => escaped!("call {}", words::count(*number, "further action")),
    }
}
