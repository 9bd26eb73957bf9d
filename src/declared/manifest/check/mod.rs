//! The rules: what must hold for a project, a target and a secret beyond the shape of its document.
//!
//! Each file holds the rules of one subject. A rule takes typed, interpolated fields, reports what is wrong with its
//! place, and hands out the part of the desired state that it has checked.

pub(crate) mod arn;
mod audit;
pub(crate) mod cross_account;
pub(crate) mod dependencies;
mod generate;
pub(crate) mod managed;
pub(crate) mod name;
pub(crate) mod parity;
pub(crate) mod policy;
mod policy_lint;
pub(crate) mod policy_template;
pub(crate) mod project;
pub(crate) mod renamed;
pub(crate) mod replica_place;
pub(crate) mod rotation;
pub(crate) mod rule;
mod rule_kept;
mod rule_value;
pub(crate) mod secret;
pub(crate) mod tags;
pub(crate) mod target;
pub(crate) mod target_fields;
mod unquoted;
pub(crate) mod value;
pub(crate) mod value_source;
mod variables;

use super::codes::{self, Code};
use super::diagnostic::{Problem, Report};
use super::field::{Field, Spanned};
use super::source::Span;

/// A required field: reported at `parent`, the key that it belongs to, when it is left out. `path` is the one that
/// `keywright explain` takes.
pub(crate) fn required<'a, T>(
    field: &'a Field<T>,
    path: &str,
    parent: Span,
    report: &mut Report,
) -> Option<&'a Spanned<T>> {
    if field.is_absent() {
        let shown = path.split_once('.').map_or(path, |(_, shown)| shown);
        let (owner, name) = shown
            .rsplit_once('.')
            .map_or(("every document".to_owned(), shown), |(owner, name)| (format!("`{owner}`"), name));
        report.push(
            Problem::new(&codes::MISSING_FIELD, parent, format!("`{shown}` is missing"))
                .label(format!("`{name}` is required in {owner}"))
                .help(format!("`keywright explain {path}` shows what it is for")),
        );
    }
    field.get()
}

/// A number within limits.
pub(crate) fn in_range(
    field: &Field<i64>,
    code: &'static Code,
    what: &str,
    range: std::ops::RangeInclusive<i64>,
    report: &mut Report,
) -> Option<i64> {
    let number = field.get()?;
    if range.contains(&number.value) {
        return Some(number.value);
    }
    report.push(
        Problem::new(
            code,
            number.span,
            format!("{what} is {} to {}, not {}", range.start(), range.end(), number.value),
        )
        .label(format!("{} to {}", range.start(), range.end())),
    );
    None
}
