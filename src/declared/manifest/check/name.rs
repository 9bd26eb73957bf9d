//! Names: of projects, targets and secrets.

use super::super::codes::{self, Code};
use super::super::diagnostic::{Problem, Report};
use super::super::source::Span;
use super::managed::is_service_id;

/// Longest name of a secret (CreateSecret, `Name`).
const MAX_SECRET_NAME: usize = 512;

/// Whether a project or a target can have this name.
pub fn is_plain_name(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && !name.starts_with('-')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Checks the name of a project or a target.
pub(crate) fn check_plain_name(name: &str, span: Span, what: &str, code: &'static Code, report: &mut Report) {
    if is_plain_name(name) {
        return;
    }
    let proposal = plain_name_like(name);
    let help = is_plain_name(&proposal).then(|| format!("for example `{proposal}`"));
    report.push(
        Problem::new(code, span, format!("`{name}` cannot be the name of a {what}"))
            .label("1 to 63 lower-case letters, digits and hyphens, not beginning with a hyphen")
            .help_if(help),
    );
}

/// A plain name that is like `name`, to propose.
fn plain_name_like(name: &str) -> String {
    let mapped: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .take(63)
        .collect();
    mapped.trim_matches('-').to_owned()
}

/// A secret's name, with variables filled in. True when it can be one: of a secret that the service `managed_by`
/// manages, or of one of our own.
pub(crate) fn check_secret_name(name: &str, managed_by: Option<&str>, span: Span, report: &mut Report) -> bool {
    if name.is_empty() || name.chars().count() > MAX_SECRET_NAME {
        report.push(Problem::new(
            &codes::SECRET_NAME,
            span,
            format!("a secret's name has 1 to {MAX_SECRET_NAME} characters, this one has {}", name.chars().count()),
        ));
        return false;
    }
    let may_be = |c: char| is_name_character(c) || (c == '!' && managed_by.is_some());
    if let Some((at, bad)) = name.chars().enumerate().find(|(_, c)| !may_be(*c)) {
        let problem = Problem::new(&codes::SECRET_NAME, span, format!("`{name}` cannot be a secret's name"))
            .label(format!("`{bad}` (character {}) is not allowed", at + 1))
            .culprit(bad)
            .help("a name is made of letters, digits and / _ + = . @ -");
        report.push(if bad == '!' {
            let service = name.split('!').next().filter(|service| is_service_id(service)).unwrap_or("rds");
            problem.help("names with ! belong to secrets that other AWS services manage, such as rds!db-...").help(
                format!("`managedBy: {service}` declares what their users may change: tags, and the rotation schedule"),
            )
        } else {
            problem
        });
        return false;
    }
    if let Some(service) = managed_by {
        return check_managed_name(name, service, span, report);
    }
    if let Some(problem) = empty_part(name, span) {
        report.push(problem);
    }
    // A warning: such secrets exist, and keywright itself always asks by full name or full ARN.
    if let Some(ending) = arn_like_ending(name) {
        let stem = name.strip_suffix(ending).unwrap_or(name);
        report.push(
            Problem::new(&codes::SECRET_NAME_SUFFIX, span, format!("the name `{name}` ends like an ARN"))
                .label(format!("ends in `{ending}`, a hyphen and six letters or digits"))
                .culprit(ending)
                .help(format!(
                    "Secrets Manager ends every ARN in such a suffix, so looking up `{name}` by a part of its ARN may \
                     find `{stem}` or nothing; AWS advises against such names"
                ))
                .help(format!("for example `{stem}{}`, or add a word", ending.replace('-', "_"))),
        );
    }
    true
}

/// What is to be said of a name with an empty part. Many names begin with a slash, as those of parameters do.
fn empty_part(name: &str, span: Span) -> Option<Problem> {
    let label = match name {
        _ if name.contains("//") => "nothing stands between two slashes",
        _ if name.ends_with('/') => "nothing stands behind the last slash",
        _ => return None,
    };
    let problem = Problem::new(&codes::SECRET_NAME_PARTS, span, format!("the name `{name}` has an empty part"));
    Some(problem.label(label).help("a variable, or a cell of a list, that holds nothing makes such a name"))
}

/// Services put their id before the name of what they make, and an exclamation mark.
fn check_managed_name(name: &str, service: &str, span: Span, report: &mut Report) -> bool {
    let begins = name.strip_prefix(service).is_some_and(|rest| rest.starts_with('!'));
    if !begins {
        report.push(
            Problem::new(
                &codes::MANAGED_BY,
                span,
                format!("`{name}` is not the name of a secret that {service} makes"),
            )
            .label(format!("expected {service}!…"))
            .help("services put their id before the names of their secrets, as `rds!cluster-…`"),
        );
    }
    begins
}

pub(crate) fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/_+=.@-".contains(c)
}

/// The hyphen and six characters at the end of a name, if they are there.
fn arn_like_ending(name: &str) -> Option<&str> {
    let at = name.len().checked_sub(7)?;
    let ending = name.get(at..)?;
    let suffix = ending.strip_prefix('-')?;
    suffix.bytes().all(|b| b.is_ascii_alphanumeric()).then_some(ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names() {
        assert!(is_plain_name("a-1") && !is_plain_name("-a") && !is_plain_name("A") && !is_plain_name(""));
        assert_eq!(plain_name_like("My Team!"), "my-team");
    }

    #[test]
    fn endings_like_an_arn_are_found() {
        assert_eq!(arn_like_ending("prod/db-AbC123"), Some("-AbC123"));
        assert_eq!(arn_like_ending("prod/db-AbC12"), None);
        assert_eq!(arn_like_ending("prod/db_AbC123"), None);
        assert_eq!(arn_like_ending("-AbC12é"), None);
    }
}
