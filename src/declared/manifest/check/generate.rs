//! Whether GetRandomPassword can make a password of these options: what it refuses is told before anything is written.

use super::value::problem;
use crate::domain::password::{LOWERCASE, NUMBERS, PUNCTUATION, UPPERCASE};
use crate::manifest::diagnostic::Report;
use crate::manifest::schema::GenerateSpec;
use crate::manifest::source::Span;

/// A kind of characters: what it is called, the field that leaves it out, its characters.
struct Kind {
    name: &'static str,
    field: &'static str,
    characters: &'static str,
}

const KINDS: [Kind; 4] = [
    Kind { name: "digit", field: "excludeNumbers", characters: NUMBERS },
    Kind { name: "punctuation", field: "excludePunctuation", characters: PUNCTUATION },
    Kind { name: "upper-case letter", field: "excludeUppercase", characters: UPPERCASE },
    Kind { name: "lower-case letter", field: "excludeLowercase", characters: LOWERCASE },
];

pub(super) fn check_generate(generate: &GenerateSpec, span: Span, report: &mut Report) {
    let GenerateSpec {
        length,
        exclude_characters,
        exclude_numbers,
        exclude_punctuation,
        exclude_uppercase,
        exclude_lowercase,
        include_space,
        require_each_included_type,
    } = generate;
    if let Some(length) = length.get()
        && !(1..=4096).contains(&length.value)
    {
        report.push(problem(length.span, "`length` of a generated password is 1 to 4096").label("1 to 4096"));
    }
    if let Some(excluded) = exclude_characters.get()
        && excluded.value.chars().count() > 4096
    {
        report.push(problem(excluded.span, "`excludeCharacters` has at most 4096 characters"));
    }
    let excluded = exclude_characters.value().map_or("", String::as_str);
    let is_left = |characters: &str| characters.chars().any(|character| !excluded.contains(character));
    let left_out = [exclude_numbers, exclude_punctuation, exclude_uppercase, exclude_lowercase];
    let kinds: Vec<&Kind> = KINDS
        .iter()
        .zip(left_out)
        .filter(|(_, left_out)| left_out.value() != Some(&true))
        .map(|(kind, _)| kind)
        .collect();
    let space = include_space.value() == Some(&true) && is_left(" ");
    if !space && !kinds.iter().any(|kind| is_left(kind.characters)) {
        report.push(problem(span, "a generated password excludes every character").label("nothing is left"));
        return;
    }
    if require_each_included_type.value() == Some(&false) {
        return;
    }
    for kind in kinds.iter().filter(|kind| !is_left(kind.characters)) {
        let span = exclude_characters.get().map_or(span, |excluded| excluded.span);
        report.push(
            problem(span, format!("`excludeCharacters` leaves no {}, and one of each kind is required", kind.name))
                .label(format!("has every {}", kind.name))
                .help(format!("write {}: true, or requireEachIncludedType: false", kind.field)),
        );
    }
    let number = i64::try_from(kinds.len()).unwrap_or(0);
    if length.value().is_some_and(|length| (1..number).contains(length)) {
        report.push(
            problem(
                span,
                format!("a generated password has {number} kinds of characters, and fewer characters than that"),
            )
            .help("make `length` larger, or set requireEachIncludedType: false"),
        );
    }
}
