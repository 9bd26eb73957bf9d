//! Errors as text: the one place that makes words of kinds, sources and hints.

use super::escape::{self, Escaped, Terminal};
use super::{finding_text, rows, watch};
use crate::aws::ConnectError;
use crate::live::ServiceError;
use crate::manifest::Diagnostics;
use crate::reconcile::{PlanError, TargetError};
use crate::workflow::{Error, ErrorKind, Hint, Obstacle, TargetFailure, ValueFailure};

/// The mistakes of an error of the manifests, which have a form of their own.
pub fn mistakes(error: &Error) -> Option<&Diagnostics> {
    match &error.kind {
        ErrorKind::Manifests(diagnostics) => Some(diagnostics),
        _ => None,
    }
}

/// An error with its source on one line.
pub fn text(error: &Error) -> Escaped<Terminal> {
    let kind = error.kind.to_string();
    let Some(source) = &error.source else { return escape::line(&kind) };
    let source = match target_error(error) {
        Some(target) => target_words(target),
        None => source.to_string(),
    };
    escape::line(&format!("{kind}: {source}"))
}

/// What can be done about an error, line by line.
pub fn hints(error: &Error) -> Vec<Escaped<Terminal>> {
    let of_source = if let Some(target) = target_error(error) {
        target_hint_words(target)
    } else {
        let values = error.source.as_ref().and_then(|source| source.downcast_ref::<ValueFailure>());
        values.and_then(|ValueFailure(errors)| errors.first()?.hint())
    };
    let all = of_source.into_iter().chain(error.hints.iter().map(hint));
    all.flat_map(|text| escape::block(&text).each_line().collect::<Vec<_>>()).collect()
}

/// Why an error keeps something from being done, for a list of reasons: not escaped, for JSON.
pub fn reasons(error: &Error) -> Vec<String> {
    if let Some(found) = mistakes(error) {
        return watch::mistakes(found);
    }
    let (text, hints) = (text(error), hints(error));
    vec![if hints.is_empty() { text.into_owned() } else { format!("{text} ({})", hints.join("; ")) }]
}

/// What keeps a plan from being applied.
pub fn obstacle(obstacle: &Obstacle<'_>) -> String {
    match obstacle {
        Obstacle::Target(target, error) => format!("{}: {}", escape::line(target), target_text(error)),
        Obstacle::Finding(target, finding) => {
            format!("{}: {} {}", escape::line(target), finding.secret, finding_text(finding))
        }
        Obstacle::Refusal(target, refusal) => {
            format!("{}: a guard refused: {}", escape::line(target), rows::refusal(refusal).0)
        }
        Obstacle::Values(error) => reasons(error).join("; "),
    }
}

/// Why a target could not be read or planned: on one line.
pub fn target_text(error: &TargetError) -> Escaped<Terminal> {
    escape::line(&target_words(error))
}

/// The same with what can be done about it.
pub fn target_line(error: &TargetError) -> Escaped<Terminal> {
    let hint = target_hint_words(error).map_or_else(String::new, |hint| format!(" ({})", hint.replace('\n', "; ")));
    escape::line(&format!("{}{hint}", target_words(error)))
}

fn target_error(error: &Error) -> Option<&TargetError> {
    let source = error.source.as_ref()?;
    let shared = source.downcast_ref::<TargetFailure>().map(|TargetFailure(error)| error.as_ref());
    shared.or_else(|| source.downcast_ref::<TargetError>())
}

fn target_words(error: &TargetError) -> String {
    match error {
        TargetError::Connect(ConnectError::Service(error)) => {
            format!("the caller's account could not be checked: {error}")
        }
        TargetError::Connect(error) => error.to_string(),
        TargetError::Plan(PlanError::Service(error)) => error.to_string(),
        TargetError::Plan(PlanError::Values(problems)) => {
            let lines: Vec<String> = problems
                .iter()
                .map(|problem| {
                    let hint = problem.error.hint().map_or_else(String::new, |hint| format!(" ({hint})"));
                    format!(
                        "{}:{}: {}: {}{hint}",
                        problem.origin.file, problem.origin.line, problem.secret, problem.error
                    )
                })
                .collect();
            lines.join("; ")
        }
    }
}

fn target_hint_words(error: &TargetError) -> Option<String> {
    match error {
        TargetError::Connect(ConnectError::NoCredentials { places, .. }) => {
            Some(format!("looked in: {}. Without an account at hand, try --sandbox", places.describe()))
        }
        TargetError::Connect(ConnectError::OtherAccount { .. }) => {
            Some("nothing was read of it; allow the account, or choose other targets with --target".to_owned())
        }
        TargetError::Connect(ConnectError::WrongAccount { .. }) => Some(
            "nothing was read or written; use the credentials, profile or assumeRole of the target's account"
                .to_owned(),
        ),
        TargetError::Connect(ConnectError::Service(error)) | TargetError::Plan(PlanError::Service(error)) => {
            ServiceError::hint(error).map(str::to_owned)
        }
        TargetError::Plan(PlanError::Values(_)) => None,
    }
}

/// A hint in words. It quotes what people wrote, and is not escaped yet.
fn hint(hint: &Hint) -> String {
    let words = match hint {
        Hint::ChooseTarget { targets } => return format!("say which with --target: {}", targets.join(", ")),
        Hint::NamesBeginWith { target, prefixes } => {
            return format!("names in the scope of {target} begin with {}", prefixes.join(" or "));
        }
        Hint::DidYouMean { name } => return format!("did you mean {name}?"),
        Hint::ReplicasIn { regions } if regions.is_empty() => "it has no replica",
        Hint::ReplicasIn { regions } => return format!("it has replicas in {}", regions.join(", ")),
        Hint::NotInJournal { lines } => return format!("these calls are not in it:\n{}", lines.join("\n")),
        Hint::ListedFolders { folders } => return format!("spec.manifests lists: {}", folders.join(", ")),
        Hint::NameAccount { target } => return format!("name the account of target {target} in the project file"),
        Hint::Text(text) => return text.clone(),
        Hint::RestoreTakesBack => "keywright restore takes that back",
        Hint::TargetInThatRegion => "choose a target in that region",
        Hint::LeaveRegionOut => "leave --region out",
        Hint::DeclareRotation => "declare `rotation` in its manifest and apply that first",
        Hint::RepairStuckRotation => "it may be under way; one that is stuck is repaired with --repair",
        Hint::LookAtFunctionLog => "look at the function's log; Secrets Manager tries again by itself for some hours",
        Hint::VersionsShows => "keywright versions shows what there is",
        Hint::NameAnotherFolder => "name a folder that you may write to with --project",
        Hint::NameAnotherManFolder => "name a folder that you may write to with --dir",
        Hint::NameProjectOtherwise => {
            "choose another name: it is written to every secret as its owner, and projects of one name take each \
             other's secrets for orphans"
        }
        Hint::NameProject => {
            "give one: keywright init NAME makes the folder NAME, and keywright init NAME --project . takes this one"
        }
        Hint::NameJournal => "name a file with --journal",
        Hint::SandboxFile => "give a file with --sandbox=FILE",
        Hint::ApprovedByPlanOut => "keywright plan --out FILE writes one",
        Hint::ApprovedBySandboxMixUp => {
            "keywright plan --out FILE writes one; the sandbox's own file is named with --sandbox=FILE"
        }
        Hint::ApproveAgain => "plan and approve again",
        Hint::SameFlagsAsApproved => {
            "plan again and have it approved; --select and the flags that override guards must be those of the \
             approved plan"
        }
        Hint::GiveYes => "give --yes to apply without a question",
        Hint::DeleteItFirst => "name another file; to have it overwritten, delete it first",
        Hint::NothingIsOverwritten => "nothing is overwritten: move it away, or name another file",
        Hint::OutputRelative => "write it relative to the project's folder",
        Hint::AddManifestFolder => "add one, for example secrets/",
        Hint::LeaveInitOut => "leave --init out to import into it",
        Hint::StatePull => "`terraform state pull > FILE` writes the state of any backend into a file",
        Hint::OtherPort => "choose another port with --port",
        Hint::OtherListen => "choose another --listen",
        Hint::BeyondLoopback => {
            "anybody who reaches it may do everything: say --beyond-loopback when that is what you want"
        }
        Hint::HttpsWebhook => "take an https URL; --webhook-insecure allows http beyond loopback",
        Hint::WithoutCaller => "without --caller, the policy is for whoever runs keywright",
        Hint::ReplicasGoOn => "they go on by themselves; keywright plan shows how they stand",
        Hint::InitWithImport => "or `keywright import --init NAME --prefix PREFIX` writes one along with the manifests",
        Hint::NothingWritten => "nothing was written",
        Hint::DryRunShows => "--dry-run shows the manifests",
    };
    words.to_owned()
}
