//! What an import says: what it left out, and what its proof came to.

use std::collections::BTreeMap;

use super::error::target_text;
use super::escape::{self, Escaped, Terminal};
use super::paint::Paint;
use super::{escaped, finding_help, finding_text, plan_text, words};
use crate::domain::TagKey;
use crate::import::tfstate::Why;
use crate::import::{LeftOut, Proof, Reason};
use crate::plan::PlanReport;
use crate::workflow::{FileOutcome, Imported, ImportedTarget, UnreadTarget};

/// Names of one reason that are listed one by one; further ones are counted.
const LISTED: usize = 20;

/// The target that something is said of, where there are several.
fn of(target: Option<&str>) -> Escaped<Terminal> {
    target.map_or_else(|| escaped!(""), |target| escaped!("{}: ", escape::line(target)))
}

/// An orphan that a declared secret may be renamed from.
pub fn looks_renamed(target: Option<&str>, new: &str, old: &str) -> Escaped<Terminal> {
    let (new, old) = (escape::line(new), escape::line(old));
    escaped!(
        "{}{} is declared and does not exist, and the orphan {} is like it: `renamedFrom: {}` in its manifest takes \
         the value along\n",
        of(target),
        new,
        old,
        old
    )
}

/// The secrets that were left out, by reason; empty when there are none.
pub fn left_out(target: Option<&str>, left_out: &[LeftOut]) -> Escaped<Terminal> {
    let mut by_reason: BTreeMap<&Reason, Vec<&str>> = BTreeMap::new();
    for LeftOut { name, reason } in left_out {
        by_reason.entry(reason).or_default().push(name.as_str());
    }
    let mut out = Escaped::default();
    for (reason, names) in by_reason {
        if *reason == Reason::Named {
            // What is imported already is nothing to look into.
            out.push(&escaped!(
                "{}left out, {}: {}\n",
                of(target),
                reason_text(reason),
                words::count(names.len(), "secret")
            ));
            continue;
        }
        out.push(&escaped!("{}left out, {}:\n", of(target), reason_text(reason)));
        for name in names.iter().take(LISTED) {
            out.push(&escaped!("  {}\n", escape::line(name)));
        }
        if names.len() > LISTED {
            out.push(&escaped!("  and {} more\n", names.len() - LISTED));
        }
    }
    out
}

fn reason_text(reason: &Reason) -> Escaped<Terminal> {
    match reason {
        Reason::Named => escaped!("since manifests name them"),
        Reason::Orphaned => escaped!("since this project owns it already and its manifest is gone (--all imports it)"),
        Reason::Foreign { owner } => escaped!("since it belongs to {}", escape::line(owner)),
        Reason::OwnedByService { service } => escaped!("since the AWS service {} owns it", escape::line(service)),
        Reason::Replica { primary_region } => {
            escaped!("since it is a replica: import it in {}", escape::line(primary_region.as_str()))
        }
        Reason::ScheduledForDeletion => escaped!("since it is scheduled for deletion"),
        Reason::NameNotAllowed => escaped!("since no manifest can name it"),
        Reason::TooManyTags => escaped!("since it has 50 tags, and keywright needs one for the owner"),
        Reason::Unreadable { error } => escaped!("since it could not be read: {}", escape::line(error)),
        Reason::OutOfScope => escaped!("since it is outside the project's scope"),
        Reason::OtherPlace { place } => escaped!("since it is in another account or region, {}", escape::line(place)),
        Reason::Twice => escaped!("since the state has a secret of this name twice"),
        Reason::Unread(why) => escaped!("{}", why_unread(*why)),
    }
}

fn why_unread(why: Why) -> &'static str {
    match why {
        Why::NoAttributes => "since the state says nothing of it but that it is there",
        Why::Arn => "since its ARN in the state is not that of a secret",
        Why::Name => "since the state does not name it",
        Why::Address => "since its address in the state is none that Terraform takes",
        Why::Deposed => "since Terraform is about to destroy it",
        Why::SecretElsewhere => "since its secret is not in the state",
        Why::UnknownType => "since this keywright does not know the type",
    }
}

/// What became of a file, in a word.
pub fn file_outcome(outcome: FileOutcome) -> &'static str {
    match outcome {
        FileOutcome::Wrote => "wrote",
        FileOutcome::Kept => "kept ",
        FileOutcome::AddedTo => "added to",
    }
}

/// Tags that all imported secrets share, as a proposal for the project's defaults.
pub fn shared_tags(tags: &BTreeMap<TagKey, String>) -> Escaped<Terminal> {
    let listed = tags.iter().map(|(key, value)| -> Escaped<Terminal> {
        escaped!("{} = {}", escape::line(key.as_str()), escape::line(value))
    });
    let listed = Escaped::join(listed, ", ");
    escaped!("all of them have {}: spec.defaults.tags of the project could say it once", listed)
}

/// Where there is nothing to import.
pub fn nothing() -> Escaped<Terminal> {
    "Nothing to import.\n".into()
}

/// What came of an import: a table over several targets, and the verdict on them.
pub fn imported(paint: Paint, imported: &Imported) -> Escaped<Terminal> {
    let Imported { targets, unread, manifests, from_state, missed, aws: _ } = imported;
    let mut out = Escaped::default();
    if targets.is_empty() {
        out.push(&nothing());
    } else if targets.len() + unread.len() > 1 {
        out.push(&table(targets, unread, *manifests));
    }
    let (held, failed): (Vec<&ImportedTarget>, Vec<&ImportedTarget>) =
        targets.iter().partition(|target| target.proof.holds());
    for target in &failed {
        if targets.len() > 1 {
            out.push(&escaped!("\n{}\n", paint.strong(escape::line(&target.name))));
        }
        out.push(&proof(paint, &target.proof, *from_state, *missed));
    }
    if let (Some(first), true) = (held.first(), failed.is_empty()) {
        let sum = |number: fn(&Proof) -> usize| held.iter().map(|target| number(&target.proof)).sum();
        let (adopted, unchanged) = (sum(|proof| proof.adopted), sum(|proof| proof.unchanged));
        let whole = Proof { adopted, unchanged, ..first.proof.clone() };
        out.push(&proof(paint, &whole, *from_state, *missed));
    }
    let unchecked: Vec<_> = targets.iter().flat_map(|target| &target.proof.unchecked).collect();
    if !unchecked.is_empty() {
        let names: Escaped<Terminal> =
            words::first_few(unchecked.iter().map(|name| escape::line(name.as_str())), LISTED);
        out.push(&escaped!(
            "{}: what {} is linked with in the account of another target, which was not read.\n",
            paint.warning("Not checked"),
            names
        ));
    }
    if !unread.is_empty() {
        let names = Escaped::join(unread.iter().map(|target| escape::line(&target.name)), ", ");
        out.push(&escaped!(
            "{}: {}. Nothing is known of what is there; import again when it can be read.\n",
            paint.error("Not covered"),
            names
        ));
    }
    out
}

/// How many secrets of each target came, and why the others did not.
fn table(targets: &[ImportedTarget], unread: &[UnreadTarget], manifests: usize) -> Escaped<Terminal> {
    let names = targets.iter().map(|target| &target.name).chain(unread.iter().map(|target| &target.name));
    let width = names.map(|name| name.chars().count()).max().unwrap_or_default().max("target".len());
    let mut out: Escaped<Terminal> =
        escaped!("{}  {}  left out\n", escape::padded::<Terminal>("target", width), "imported");
    let mut secrets = 0;
    for ImportedTarget { name, secrets: here, left_out, proof: _ } in targets {
        secrets += here;
        let reasons = left_out
            .iter()
            .map(|(reason, number)| -> Escaped<Terminal> { escaped!("{} {}", *number, reason_text(reason)) });
        let reasons = if left_out.is_empty() { escaped!("none") } else { Escaped::join(reasons, "; ") };
        let number = escape::padded::<Terminal>(escape::line(&here.to_string()), "imported".len());
        out.push(&escaped!("{}  {}  {}\n", escape::padded::<Terminal>(escape::line(name), width), number, reasons));
    }
    for UnreadTarget { name, error } in unread {
        let name = escape::padded::<Terminal>(escape::line(name), width);
        out.push(&escaped!("{}  not read  {}\n", name, target_text(error)));
    }
    let folded = escaped!("{} in {}\n", words::count(secrets, "secret"), words::count(manifests, "manifest"));
    out.push(&folded);
    out
}

/// The verdict, and the plan of what is more than an adoption. A state is what Terraform last saw, which may not be
/// live; what of it was left out, no plan says anything of.
fn proof(paint: Paint, proof: &Proof, from_state: bool, missed: usize) -> Escaped<Terminal> {
    let Proof { adopted, unchanged, missing, given, remaining, obstacles, unchecked: _ } = proof;
    if proof.holds() {
        let by = if from_state { " by the state" } else { "" };
        let does: Escaped<Terminal> = match (*adopted, *unchanged) {
            (0, _) => escaped!("change nothing"),
            (adopted, 0) => escaped!("only add the owner tag ({} to adopt)", adopted),
            (adopted, unchanged) => {
                escaped!("only add the owner tag ({} to adopt; {} unchanged)", adopted, unchanged)
            }
        };
        if from_state && missed > 0 {
            return escaped!(
                "Of what was imported, an apply would {}.\n{}: {} of the state left out, see above.\n",
                does,
                paint.error("Not whole"),
                words::count(missed, "resource")
            );
        }
        let next = if from_state { "`keywright plan` says whether that is what is live.\n" } else { "" };
        return escaped!("Verified{}: an apply would {}.\n{}", by, does, next);
    }
    let mut out = Escaped::default();
    for name in missing {
        out.push(&escaped!("  {}: no manifest of the project names it after all\n", escape::line(name.as_str())));
    }
    for name in given {
        let name = escape::line(name.as_str());
        out.push(&escaped!("  {}: the project gives it a value or labels, which an apply would put\n", name));
    }
    for finding in obstacles {
        out.push(&escaped!("  {}: {}\n", escape::line(finding.secret.as_str()), finding_text(finding)));
        if let Some(help) = finding_help(finding) {
            out.push(&escaped!("      {}\n", help));
        }
    }
    if !remaining.is_empty() {
        // The findings that matter here are above.
        out.push(&plan_text::target(paint, remaining, &PlanReport::default()));
    }
    let odd = missing.len() + given.len() + obstacles.len() + remaining.secrets.len();
    out.push(&escaped!(
        "\n{}: the plan of {} is more than an adoption ({} to adopt).\n",
        paint.error("Not verified"),
        words::count(odd, "secret"),
        adopted
    ));
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::aws::{ConnectError, CredentialProblem, CredentialSearch, NamedBy};
    use crate::reconcile::TargetError;

    /// The error above the table names this cause, so the table does.
    #[test]
    fn a_target_that_was_not_read_has_one_cause() {
        let problem = CredentialProblem::UnknownProfile {
            name: "nope".to_owned(),
            named_by: NamedBy::Target,
            known: vec!["a".to_owned()],
        };
        let search = Box::new(CredentialSearch { problem: Some(problem), ..CredentialSearch::default() });
        let error = ConnectError::NoCredentials { search, reason: "none was found".to_owned() };
        let unread = UnreadTarget { name: "b".to_owned(), error: Arc::new(TargetError::Connect(error)) };
        let text = table(&[], &[unread], 0);
        assert!(text.contains("b       not read  there is no profile nope in ~/.aws/config"), "{text}");
        assert!(!text.contains("none was found"), "{text}");
    }
}
