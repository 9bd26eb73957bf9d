//! Errors as text: words of kinds and sources; those of hints are in `hint.rs`.

use super::escape::{self, Escaped, Terminal};
use super::{finding_text, hint, rows, watch};
use crate::aws::{ConnectError, CredentialProblem};
use crate::manifest::Diagnostics;
use crate::reconcile::{PlanError, TargetError};
use crate::workflow::{Error, ErrorKind, Obstacle, TargetFailure, ValueFailure};

/// The mistakes of an error of the manifests, which have a form of their own.
pub fn mistakes(error: &Error) -> Option<&Diagnostics> {
    match &error.kind {
        ErrorKind::Manifests(diagnostics) | ErrorKind::NoSuchTarget(diagnostics) => Some(diagnostics),
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
        values.and_then(|ValueFailure(errors)| Some(hint::value(&errors.first()?.hint()?)))
    };
    let all = of_source.into_iter().chain(error.hints.iter().map(hint::command));
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
        Obstacle::RemovalsWait(target, unread) => {
            let unread = Escaped::join(unread.iter().map(|name| escape::line(name)), ", ");
            format!("{}: it would remove secrets, and waits until {} can be read", escape::line(target), unread)
        }
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
        TargetError::Connect(ConnectError::NoCredentials { search, reason }) => match &search.problem {
            Some(CredentialProblem::UnknownProfile { name, named_by, known: _ }) => {
                format!("there is no profile {name} in ~/.aws/config or ~/.aws/credentials{}", hint::names(*named_by))
            }
            Some(CredentialProblem::SsoSession { profile }) => {
                format!("the profile {profile} is not signed in, or no longer: {reason}")
            }
            Some(CredentialProblem::Role { .. }) | None => error.to_string(),
        },
        TargetError::Connect(error) => error.to_string(),
        TargetError::Plan(PlanError::Service(error)) => error.to_string(),
        TargetError::Plan(PlanError::Values(problems)) => {
            let lines: Vec<String> = problems
                .iter()
                .map(|problem| {
                    let hint =
                        problem.error.hint().map_or_else(String::new, |hint| format!(" ({})", hint::value(&hint)));
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
        TargetError::Connect(ConnectError::NoCredentials { search, .. }) => Some(hint::credentials(search)),
        TargetError::Connect(ConnectError::OtherAccount { .. }) => {
            Some("nothing was read of it; allow the account, or choose other targets with --target".to_owned())
        }
        TargetError::Connect(ConnectError::WrongAccount { .. }) => Some(
            "nothing was read or written; use the credentials, profile or assumeRole of the target's account"
                .to_owned(),
        ),
        TargetError::Connect(ConnectError::Service(error)) | TargetError::Plan(PlanError::Service(error)) => {
            error.hint().map(|hint| hint::service(hint).to_owned())
        }
        TargetError::Connect(ConnectError::Setting(_)) | TargetError::Plan(PlanError::Values(_)) => None,
    }
}
