//! What an apply tells while it runs, and its summary.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::escape::{self, Escaped, Terminal};
use super::paint::Paint;
use super::{awaiting, escaped, hint, plan_text, words};
use crate::apply::{ApplyError, ApplyEvent, ApplyReport, SecretOutcome, SkipReason};
use crate::domain::SecretName;
use crate::plan::{Finding, ObservedField, Plan, SecretPlan, Verb};
use crate::reconcile::{PoliciesVerified, Verified};
use crate::workflow::Counted;

/// One event as a line, without a line feed; events that only move a progress bar have none. `target` is named where
/// several are written side by side.
pub fn event(paint: Paint, target: Option<&str>, event: &ApplyEvent<'_>) -> Option<Escaped<Terminal>> {
    match event {
        ApplyEvent::Started { .. } | ApplyEvent::ActionDone { .. } => None,
        // Fewer take less than a second: 50 are allowed in one.
        ApplyEvent::ValidatingPolicies { documents } => {
            (*documents > 50).then(|| escaped!("{}validating {} policy documents", named(target), *documents))
        }
        ApplyEvent::PolicyNotValidated { secret, error } => Some(escaped!(
            "{}: {}{}: the policy is put without validation, here and wherever it is the same: {}",
            paint.warning("warning"),
            named(target),
            escape::line(secret.as_str()),
            escape::line(&error.to_string())
        )),
        ApplyEvent::Finished { secret, verb, outcome } => Some(finished(paint, target, secret, *verb, outcome)),
    }
}

/// The target that a line is about, where that must be said.
fn named(target: Option<&str>) -> Escaped<Terminal> {
    target.map_or_else(|| escaped!(""), |target| escaped!("{}: ", escape::line(target)))
}

/// Names of calls in their order, those in a row that are the same as one with their number.
fn calls(names: &[&'static str]) -> Escaped<Terminal> {
    let runs = names.chunk_by(|one, next| one == next).map(|run| -> Escaped<Terminal> {
        match run {
            [first, _, ..] => escaped!("{} {} times", *first, run.len()),
            names => Escaped::join(names, ""),
        }
    });
    Escaped::join(runs, ", ")
}

/// What became of one secret, with what can be done about it.
pub(super) fn finished(
    paint: Paint,
    target: Option<&str>,
    secret: &SecretName,
    verb: Verb,
    outcome: &SecretOutcome,
) -> Escaped<Terminal> {
    let name = escape::line(secret.as_str());
    let (sign, word) = words::verb(verb);
    let of = named(target);
    match outcome {
        SecretOutcome::Done => {
            let done: Escaped<Terminal> = escape::padded(words::verb_done(verb), 8);
            escaped!("  {}{} {}", of, words::paint_verb(paint, verb, &escaped!("{} {}", sign, done)), name)
        }
        SecretOutcome::Failed { done, failed, remaining, error } => {
            let text = error_text(error);
            let ended = if is_before_the_call(error) { "was not sent" } else { "failed" };
            let mut out = escaped!("  {}{} {}: {} {}: {}", of, paint.error("x failed  "), name, *failed, ended, text);
            if !done.is_empty() {
                out.push(&escaped!("\n      done before it: {}", calls(done)));
            }
            if !remaining.is_empty() {
                out.push(&escaped!("\n      not tried: {}", calls(remaining)));
            }
            for line in hint(error).iter().flat_map(Escaped::each_line) {
                out.push(&escaped!("\n      {}", paint.faint(line)));
            }
            out
        }
        SecretOutcome::Conflict { changed } => {
            let what = changed.iter().map(|field| words::observed_field(*field));
            let changed: Escaped<Terminal> = if changed.contains(&ObservedField::Existence) {
                escaped!("it appeared or went away")
            } else {
                escaped!("somebody changed {}", Escaped::join(what, " and "))
            };
            let label = paint.warning("! stale   ");
            escaped!("  {}{} {}: {} since it was planned; it was left alone", of, label, name, changed)
        }
        SecretOutcome::Skipped { reason: reason @ SkipReason::ReplicasFirst { .. } } => {
            let label = paint.warning(". held back");
            escaped!("  {}{} {}: not begun ({}): {}", of, label, name, word, skip_reason(reason))
        }
        SecretOutcome::Skipped { reason } => {
            let label = paint.warning(". skipped ");
            escaped!("  {}{} {}: not begun ({}): {}", of, label, name, word, skip_reason(reason))
        }
    }
}

/// Whether an error came up before the call was made that the action is for.
fn is_before_the_call(error: &ApplyError) -> bool {
    match error {
        ApplyError::Value { .. }
        | ApplyError::PolicyRejected { .. }
        | ApplyError::ArnUnknown(_)
        | ApplyError::GeneratedPartsGone { .. } => true,
        ApplyError::Service(_)
        | ApplyError::PlantedValue { .. }
        | ApplyError::OldVersionGone { .. }
        | ApplyError::OtherValueThere { .. }
        | ApplyError::NameTaken => false,
    }
}

/// What can be done about an error.
fn hint(error: &ApplyError) -> Option<Escaped<Terminal>> {
    match error {
        ApplyError::Service(error) => error.hint().map(|hint| escaped!("{}", hint::service(hint))),
        ApplyError::Value { hint, .. } => hint.as_ref().map(|hint| escape::block(&hint::value(hint))),
        ApplyError::PlantedValue { .. } => {
            Some(escaped!("look at who may write this secret; then change the value in git"))
        }
        ApplyError::PolicyRejected { .. }
        | ApplyError::ArnUnknown(_)
        | ApplyError::GeneratedPartsGone { .. }
        | ApplyError::OldVersionGone { .. }
        | ApplyError::OtherValueThere { .. }
        | ApplyError::NameTaken => None,
    }
}

/// Why a secret was not begun.
pub(super) fn skip_reason(reason: &SkipReason) -> Escaped<Terminal> {
    match reason {
        SkipReason::Dependency(dependency) => {
            escaped!("it depends on {}, which was not done", escape::line(dependency.as_str()))
        }
        SkipReason::OtherTarget { target, name } => escaped!(
            "{} in target {}, which comes first, was not made",
            escape::line(name.as_str()),
            escape::line(target)
        ),
        SkipReason::Stopped(why) => words::stopped(*why).into(),
        SkipReason::OtherShards => {
            escaped!(
                "removals come last, and other parts (--shard) have not created all that is declared: run this part \
                 again"
            )
        }
        SkipReason::EarlierFailure => escaped!("removals come last, and something before it was not done"),
        SkipReason::ReplicasFirst { renamed } => escaped!(
            "replicas go with it, and the new ones are not in sync yet: a later apply does it, or one with \
             --wait-replicas{}",
            if *renamed { "; `renamedFrom` stays in the manifest until it is gone" } else { "" }
        ),
    }
}

/// The error with its source, on one line.
pub(super) fn error_text(error: &ApplyError) -> Escaped<Terminal> {
    escape::line(&match error {
        ApplyError::Service(error) => error.to_string(),
        ApplyError::PolicyRejected { .. }
        | ApplyError::ArnUnknown(_)
        | ApplyError::Value { .. }
        | ApplyError::GeneratedPartsGone { .. }
        | ApplyError::OldVersionGone { .. }
        | ApplyError::OtherValueThere { .. }
        | ApplyError::NameTaken
        | ApplyError::PlantedValue { .. } => error.to_string(),
    })
}

/// What became of one target's plan, in one line.
pub fn summary(paint: Paint, plan: &Plan, report: &ApplyReport) -> Escaped<Terminal> {
    summary_of_part(paint, plan, report, &BTreeSet::new())
}

/// The same of a part of a run. Of the secrets that an earlier part has counted the links are counted here.
pub fn summary_of_part(
    paint: Paint,
    plan: &Plan,
    report: &ApplyReport,
    counted: &BTreeSet<SecretName>,
) -> Escaped<Terminal> {
    let outcomes = outcomes(paint, &[(plan, report)], counted);
    escaped!("{}: {}", paint.strong(escape::line(&plan.target)), outcomes)
}

/// Secrets, and links of those that were counted before.
fn counted(done: Counted) -> Escaped<Terminal> {
    let Counted { secrets, links } = done;
    let (of_secrets, of_links) = (words::count(secrets, "secret"), words::count(links, "link"));
    match (secrets, links) {
        (_, 0) => escaped!("{}", of_secrets),
        (0, _) => escaped!("{}", of_links),
        _ => escaped!("{} and {}", of_secrets, of_links),
    }
}

/// The end of a run: what was done by kind where several targets were written, how long it took, and where it is
/// written down.
pub fn end(
    paint: Paint,
    applied: &[(&Plan, &ApplyReport)],
    took: Duration,
    journal: Option<&Path>,
) -> Escaped<Terminal> {
    let total = (applied.len() > 1).then(|| -> Escaped<Terminal> {
        let targets = paint.strong(words::count(applied.len(), "target"));
        escaped!("{}: {}; ", targets, outcomes(paint, applied, &BTreeSet::new()))
    });
    let indent = if total.is_none() { "  " } else { "" };
    let journal = journal.map(|path| -> Escaped<Terminal> { escaped!("; journal: {}", escape::path(path)) });
    escaped!("{}{}took {} s{}", indent, total, escape::decimal(took.as_secs_f64(), 1), journal)
}

/// How many secrets came to what, but for those that were counted before.
fn outcomes(paint: Paint, applied: &[(&Plan, &ApplyReport)], counted: &BTreeSet<SecretName>) -> Escaped<Terminal> {
    let done = |is: &dyn Fn(&SecretPlan) -> bool| -> usize {
        let of_plan = |(plan, report): &(&Plan, &ApplyReport)| {
            let secrets = plan.secrets.iter().filter(|secret| is(secret));
            secrets.filter(|secret| report.outcomes.get(&secret.name) == Some(&SecretOutcome::Done)).count()
        };
        applied.iter().map(of_plan).sum()
    };
    let linked = done(&|secret| counted.contains(&secret.name));
    let done = |verb: Verb| done(&|secret| secret.verb == verb && !counted.contains(&secret.name));
    let verbs = [Verb::Create, Verb::Move, Verb::Restore, Verb::Adopt, Verb::Change, Verb::Release, Verb::Delete];
    let mut parts: Vec<Escaped<Terminal>> = verbs
        .into_iter()
        .filter(|verb| done(*verb) > 0)
        .map(|verb| words::paint_verb(paint, verb, &escaped!("{} {}", done(verb), words::verb_done(verb))))
        .collect();
    if linked > 0 {
        parts.push(words::paint_verb(paint, Verb::Change, &escaped!("{} linked", linked)));
    }
    let count_of = |test: fn(&SecretOutcome) -> bool| -> usize {
        applied.iter().map(|(_, report)| report.outcomes.values().filter(|outcome| test(outcome)).count()).sum()
    };
    let failed = count_of(|outcome| matches!(outcome, SecretOutcome::Failed { .. }));
    let stale = count_of(|outcome| matches!(outcome, SecretOutcome::Conflict { .. }));
    let skipped = count_of(|outcome| matches!(outcome, SecretOutcome::Skipped { .. }) && !outcome.is_held_back());
    let held_back = count_of(SecretOutcome::is_held_back);
    if held_back > 0 {
        parts.push(paint.warning(escaped!("{} held back", held_back)));
    }
    for (number, label) in [(failed, "failed"), (stale, "changed since planned"), (skipped, "not begun")] {
        if number > 0 {
            parts.push(paint.error(escaped!("{} {}", number, label)));
        }
    }
    if parts.is_empty() {
        parts.push(escaped!("nothing was done"));
    }
    Escaped::join(parts, ", ")
}

/// What verification found: whether what was done is now as the manifests say, and what of it was read again. What is
/// held back is told here unless it is among what was `shown` with the plan.
pub fn verified(paint: Paint, verified: &Verified, done: Counted, shown: &[Finding]) -> Escaped<Terminal> {
    let Verified { remaining, held_back, awaiting, unread, uncompared, unreadable, policies } = verified;
    if remaining.is_empty() {
        if done.secrets == 0 && done.links == 0 && !unreadable.is_empty() {
            let all = words::count(unreadable.len(), "secret");
            let label = paint.error(escaped!("not verified"));
            return escaped!("  {}: {} of {} could not be read again", label, unreadable.len(), all);
        }
        let done = counted(done);
        let policies = policies_verified(*policies);
        let not_read =
            (!unreadable.is_empty()).then(|| paint.error(escaped!("; {} could not be read again", unreadable.len())));
        let waits = awaiting::counted(awaiting.len())
            .map(|waits: Escaped<Terminal>| -> Escaped<Terminal> { escaped!("; {}", waits) });
        let waits = escaped!("{}{}", not_read, waits);
        let number = |number: usize, one: &'static str, more: &'static str| -> Option<Escaped<Terminal>> {
            (number > 0).then(|| paint.warning(escaped!("{} {}", number, if number == 1 { one } else { more })))
        };
        let secrets: BTreeSet<&SecretName> = held_back.iter().map(|finding| &finding.secret).collect();
        let (above, below): (Vec<&Finding>, Vec<&Finding>) =
            held_back.iter().partition(|finding| shown.contains(finding));
        let uncompared = number(uncompared.len(), "has a value", "have values")
            .map(|have| -> Escaped<Terminal> { escaped!("{} that could not be compared", have) });
        let place = match (above.is_empty() && uncompared.is_none(), below.is_empty()) {
            (_, true) => "above",
            (true, false) => "below",
            (false, false) => "above and below",
        };
        let held_back = number(secrets.len(), "is held back", "are held back");
        let but: Vec<Escaped<Terminal>> = held_back.into_iter().chain(uncompared).collect();
        if !but.is_empty() {
            let mut out = escaped!(
                "  read again: {}{}; what was applied is there, and {}: see {}{}{}",
                done,
                words::unread::<Terminal>(unread.len()),
                Escaped::join(but, ", "),
                place,
                waits,
                policies
            );
            for line in plan_text::found(paint, &below) {
                out.push(&escaped!("\n{}", line));
            }
            return out;
        }
        let unread: Option<Escaped<Terminal>> = words::unread_after(" as far as they were read; ", unread.len());
        let all = "all match the manifests";
        return paint.faint(escaped!("  verified: {} read again, {}{}{}{}", done, all, unread, waits, policies));
    }
    escaped!(
        "  {}: {} still {} from the manifests: {}; plan again to see how",
        paint.error("not converged"),
        words::count(remaining.secrets.len(), "secret"),
        if remaining.secrets.len() == 1 { "differs" } else { "differ" },
        Escaped::join(remaining.secrets.iter().map(|secret| escape::line(secret.name.as_str())), ", ")
    )
}

/// Which policies were read again, where not all were.
fn policies_verified(policies: PoliciesVerified) -> Escaped<Terminal> {
    if policies.is_complete() {
        return escaped!("");
    }
    let PoliciesVerified { documents, put, put_read, deleted, deleted_read, not_read } = policies;
    let mut parts: Vec<Escaped<Terminal>> = Vec::new();
    if put > 0 {
        let documents = words::count(documents, "document");
        let acknowledged = if put == 1 { "the put acknowledged" } else { "all puts acknowledged" };
        parts.push(escaped!("{} verified on {} of {}, {}", documents, put_read, put, acknowledged));
    }
    if deleted > 0 {
        let acknowledged = if deleted == 1 { "the delete acknowledged" } else { "all deletes acknowledged" };
        parts.push(escaped!("deleted from {}, verified on {}, {}", deleted, deleted_read, acknowledged));
    }
    if not_read > 0 {
        parts.push(escaped!("{} not written and not read again", not_read));
    }
    escaped!("; policies: {}", Escaped::join(parts, "; "))
}

/// What is said where nothing was read again.
pub fn not_verified(done: Counted) -> Escaped<Terminal> {
    let done = counted(done);
    escaped!("  not verified (--verify none): the calls for {} were acknowledged, and nothing was read again", done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::FindingKind;

    #[test]
    fn what_is_held_back_is_told_here_unless_the_plan_has_shown_it() {
        let held_back = |secret: &str| Finding {
            secret: SecretName::new(secret),
            origin: None,
            kind: FindingKind::RotationWaitsForValue,
        };
        let found = vec![held_back("app/a"), held_back("app/b")];
        let text = |shown: &[Finding]| {
            let read = Verified {
                remaining: Plan::bare(Vec::new()),
                held_back: found.clone(),
                awaiting: BTreeSet::new(),
                unread: BTreeSet::new(),
                uncompared: BTreeSet::new(),
                unreadable: std::collections::BTreeMap::new(),
                policies: PoliciesVerified::default(),
            };
            let done = Counted { secrets: 3, links: 0 };
            verified(Paint::new(false), &read, done, shown).into_owned()
        };
        let names = |text: &str| ["app/a", "app/b"].map(|name| text.contains(name));
        let (all, none, one) = (text(&found), text(&[]), text(&found[..1]));
        assert!(all.ends_with("2 are held back: see above"), "{all}");
        assert!(none.contains("2 are held back: see below\n") && names(&none) == [true, true], "{none}");
        assert!(one.contains("see above and below\n") && names(&one) == [false, true], "{one}");
    }

    #[test]
    fn nothing_is_verified_that_could_not_be_read_again() {
        let denied = || crate::live::ServiceError {
            operation: "DescribeSecret",
            kind: crate::live::ServiceErrorKind::AccessDenied,
            code: None,
            message: "no".to_owned(),
            request_id: None,
        };
        let text = |unreadable: &[&str], secrets| {
            let read = Verified {
                remaining: Plan::bare(Vec::new()),
                held_back: Vec::new(),
                awaiting: BTreeSet::new(),
                unread: BTreeSet::new(),
                uncompared: BTreeSet::new(),
                unreadable: unreadable.iter().map(|name| (SecretName::new(*name), denied())).collect(),
                policies: PoliciesVerified::default(),
            };
            verified(Paint::new(false), &read, Counted { secrets, links: 0 }, &[]).into_owned()
        };
        assert_eq!(text(&["app/a"], 0), "  not verified: 1 of 1 secret could not be read again");
        assert_eq!(
            text(&["app/a"], 2),
            "  verified: 2 secrets read again, all match the manifests; 1 could not be read again"
        );
        assert!(text(&[], 2).contains("verified: 2 secrets read again, all match"));
    }

    #[test]
    fn policies_that_were_not_read_again_are_said_to_be() {
        let text = |policies| policies_verified(policies).into_owned();
        let none = PoliciesVerified::default();
        assert_eq!(text(none), "");
        assert_eq!(text(PoliciesVerified { documents: 2, put: 2, put_read: 2, ..none }), "", "all were read");
        let one_of_many = PoliciesVerified { documents: 1, put: 1000, put_read: 1, ..none };
        assert_eq!(text(one_of_many), "; policies: 1 document verified on 1 of 1000, all puts acknowledged");
        assert_eq!(
            text(PoliciesVerified { deleted: 3, deleted_read: 1, not_read: 2, ..none }),
            "; policies: deleted from 3, verified on 1, all deletes acknowledged; 2 not written and not read again"
        );
    }
}
