//! One cause, one error: what several targets, secrets or files have in common is said once, with all that it touches.

use std::sync::Arc;

use super::error::{Error, ErrorKind};
use crate::aws::ConnectError;
use crate::domain::SecretName;
use crate::live::ServiceError;
use crate::reconcile::{PlanError, TargetError};
use crate::value::ValueError;

/// Why targets were not planned: the cause that they share.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct TargetFailure(pub Arc<TargetError>);

/// Why values could not be made: the cause that they share, once for each file that it concerns.
#[derive(Debug)]
pub struct ValueFailure(pub Vec<ValueError>);

impl std::fmt::Display for ValueFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut files: Vec<&str> = self.0.iter().filter_map(missing_key_file).collect();
        files.dedup();
        match self.0.first() {
            Some(ValueError::NoKey { .. }) => {
                write!(f, "no key was found that could decrypt {}", files.join(", "))
            }
            Some(ValueError::WrongKey { .. }) => {
                write!(f, "none of the keys found here can decrypt {}", files.join(", "))
            }
            Some(error) => error.fmt(f),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ValueFailure {}

/// Groups targets that failed by their cause.
pub fn group_targets<'a>(failed: impl IntoIterator<Item = (&'a str, &'a Arc<TargetError>)>) -> Vec<Error> {
    let mut groups: Vec<(Vec<String>, &Arc<TargetError>)> = Vec::new();
    for (target, error) in failed {
        match groups.iter_mut().find(|(_, other)| is_same_cause(error, other)) {
            Some((targets, _)) => targets.push(target.to_owned()),
            None => groups.push((vec![target.to_owned()], error)),
        }
    }
    groups
        .into_iter()
        .map(|(targets, error)| Error::from(ErrorKind::Targets { targets }).because(TargetFailure(Arc::clone(error))))
        .collect()
}

/// Groups values that could not be made by their cause.
pub fn group_values(wrong: Vec<(SecretName, ValueError)>) -> Vec<Error> {
    let mut groups: Vec<(Vec<SecretName>, Vec<ValueError>)> = Vec::new();
    for (secret, error) in wrong {
        match groups.iter_mut().find(|(_, others)| others.first().is_some_and(|other| is_same_key(&error, other))) {
            Some((secrets, errors)) => {
                if !secrets.contains(&secret) {
                    secrets.push(secret);
                }
                if !errors.contains(&error) {
                    errors.push(error);
                }
            }
            None => groups.push((vec![secret], vec![error])),
        }
    }
    groups
        .into_iter()
        .map(|(secrets, errors)| Error::from(ErrorKind::Values { secrets }).because(ValueFailure(errors)))
        .collect()
}

/// Whether two targets failed for one cause. Requests have ids of their own, whatever they failed for.
fn is_same_cause(a: &TargetError, b: &TargetError) -> bool {
    use TargetError::{Connect, Plan};
    match (a, b) {
        (
            Connect(ConnectError::NoCredentials { search, reason }),
            Connect(ConnectError::NoCredentials { search: other_search, reason: other_reason }),
        ) => search == other_search && reason == other_reason,
        (Connect(ConnectError::Service(a)), Connect(ConnectError::Service(b)))
        | (Plan(PlanError::Service(a)), Plan(PlanError::Service(b))) => is_same_answer(a, b),
        (Plan(PlanError::Values(a)), Plan(PlanError::Values(b))) => a == b,
        _ => false,
    }
}

fn is_same_answer(a: &ServiceError, b: &ServiceError) -> bool {
    let ServiceError { operation, kind, code, message, request_id: _ } = a;
    *operation == b.operation && *kind == b.kind && *code == b.code && *message == b.message
}

/// Whether two values failed for one cause: the very same error, or one key that is missing for several files.
fn is_same_key(a: &ValueError, b: &ValueError) -> bool {
    match (a, b) {
        (ValueError::NoKey { search: a, .. }, ValueError::NoKey { search: b, .. })
        | (ValueError::WrongKey { search: a, .. }, ValueError::WrongKey { search: b, .. }) => a == b,
        _ => a == b,
    }
}

fn missing_key_file(error: &ValueError) -> Option<&str> {
    match error {
        ValueError::NoKey { file, .. } | ValueError::WrongKey { file, .. } => Some(file),
        _ => None,
    }
}

/// An error with what caused it, on one line. Transparent errors say what their sources say.
pub(super) fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.dedup();
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{CredentialPlace, CredentialSearch, NamedBy};
    use crate::live::ServiceErrorKind;
    use crate::render::error::{hints, text};
    use crate::value::KeySearch;

    fn no_credentials(profile: Option<&str>) -> Arc<TargetError> {
        let place = |name: &str| CredentialPlace::Profile { name: name.to_owned(), named_by: NamedBy::Target };
        let search =
            CredentialSearch { places: profile.map(place).into_iter().collect(), ..CredentialSearch::default() };
        Arc::new(TargetError::Connect(ConnectError::NoCredentials {
            search: Box::new(search),
            reason: "none".to_owned(),
        }))
    }

    fn throttled(request_id: &str, message: &str) -> Arc<TargetError> {
        Arc::new(TargetError::Plan(PlanError::Service(ServiceError {
            operation: "ListSecrets",
            kind: ServiceErrorKind::Throttled,
            code: None,
            message: message.to_owned(),
            request_id: Some(request_id.to_owned()),
        })))
    }

    #[test]
    fn targets_without_credentials_are_one_error_that_names_them_all() {
        let cause = || no_credentials(None);
        let failed: Vec<_> = ["a", "b", "c", "d", "e", "f"].into_iter().map(|name| (name, cause())).collect();
        let errors = group_targets(failed.iter().map(|(name, error)| (*name, error)));
        let texts: Vec<String> = errors.iter().map(|error| text(error).into_owned()).collect();
        assert_eq!(texts, ["a, b, c, d, e, f: there are no usable credentials: none"]);
        let other = no_credentials(Some("prod"));
        assert_eq!(group_targets([("a", &cause()), ("b", &other)]).len(), 2, "other places are another cause");
    }

    #[test]
    fn requests_have_ids_of_their_own_whatever_they_failed_for() {
        let (first, second) = (throttled("1", "slow down"), throttled("2", "slow down"));
        assert_eq!(group_targets([("a", &first), ("b", &second)]).len(), 1);
        assert_eq!(group_targets([("a", &first), ("b", &throttled("2", "no"))]).len(), 2);
    }

    #[test]
    fn one_missing_key_is_one_error_with_its_files() {
        let search = KeySearch { recipients: vec!["age1x".to_owned()], ..KeySearch::default() };
        let no_key = |file: &str| ValueError::NoKey { file: file.to_owned(), search: Box::new(search.clone()) };
        let errors = group_values(vec![
            (SecretName::new("a"), no_key("one.yaml")),
            (SecretName::new("b"), no_key("two.yaml")),
            (SecretName::new("c"), no_key("one.yaml")),
            (SecretName::new("d"), ValueError::Empty),
        ]);
        let texts: Vec<String> = errors.iter().map(|error| text(error).into_owned()).collect();
        assert_eq!(texts, ["a, b, c: no key was found that could decrypt one.yaml, two.yaml", "d: the value is empty"]);
        assert_eq!(hints(&errors[0]), ["it was encrypted to age1x"], "said once");
    }
}
