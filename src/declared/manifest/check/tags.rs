//! Tags: how many, and what their keys and values may be.

use std::collections::BTreeMap;

use super::super::codes;
use super::super::diagnostic::{Problem, Report};
use super::super::field::{Map, Text};
use super::super::source::{Sources, Span};
use crate::desired::{DesiredTags, RESERVED_TAG_PREFIX, TagMode, TagPatterns};
use crate::domain::{MAX_TAG_KEY, MAX_TAG_VALUE, MAX_TAGS, TagKey, TagKeyFault, is_tag_character};

/// What tags are checked against.
pub(crate) struct TagRules<'a> {
    pub(crate) ignored: &'a TagPatterns,
    /// How many tags keywright itself writes to the secret.
    pub(crate) own: usize,
    pub(crate) sources: &'a Sources,
}

/// Checks the tags of a secret. `None` is a written `null`.
pub(crate) fn check_tags(
    tags: Option<&Map<Text>>,
    span: Span,
    mode: TagMode,
    rules: &TagRules<'_>,
    report: &mut Report,
) -> DesiredTags {
    let mut desired = BTreeMap::new();
    let entries = tags.map_or(&[][..], |tags| &tags.0);
    for (key, value) in entries {
        let parsed = check_key(&key.value, key.span, rules.ignored, report);
        let Some(value) = value.get() else { continue };
        if let Some(text) = value.value.known() {
            check_value(&text, value.span, report);
        }
        if let Some(key_of_tag) = parsed {
            desired.insert(key_of_tag, (value.value.0.clone(), rules.sources.origin(key.span)));
        }
    }
    if entries.len() + rules.own > MAX_TAGS {
        report.push(
            Problem::new(
                &codes::TAG_LIMIT,
                span,
                format!(
                    "{} tags, and keywright writes {} of its own: a secret has at most {MAX_TAGS}",
                    entries.len(),
                    rules.own
                ),
            )
            .label(format!("{} too many", entries.len() + rules.own - MAX_TAGS)),
        );
    }
    DesiredTags { mode, tags: desired, origin: rules.sources.origin(span) }
}

/// Reads a key; none after a problem with it was reported.
pub(crate) fn check_key(key: &str, span: Span, ignored: &TagPatterns, report: &mut Report) -> Option<TagKey> {
    let problem = |text: String| Problem::new(&codes::TAG_KEY, span, text);
    let parsed = TagKey::parse(key);
    let found = match parsed {
        Ok(_) if key.starts_with(RESERVED_TAG_PREFIX) => {
            problem(format!("tag `{key}`: keys under `{RESERVED_TAG_PREFIX}` belong to keywright"))
                .label("reserved prefix")
                .help("keywright writes the owner and `metadata.protect: true` there by itself")
        }
        Ok(_) if ignored.ignores(key) => Problem::new(
            &codes::TAG_IGNORED,
            span,
            format!("tag `{key}` is declared here and ignored by the project's `ignoreTags`"),
        )
        .label("would never be written")
        .help("remove the tag here, or narrow the pattern in `spec.ignoreTags` of the project"),
        Ok(key) => return Some(key),
        Err(TagKeyFault::System) => problem(format!("tag `{key}`: keys under `aws:` belong to AWS"))
            .label("reserved prefix")
            .help("only AWS itself writes them; choose another key"),
        Err(TagKeyFault::Length(length)) => {
            problem(format!("a tag's key has 1 to {MAX_TAG_KEY} characters, this one has {length}"))
        }
        Err(TagKeyFault::Character(bad)) => {
            bad_character(problem(format!("tag `{key}` has a character that AWS refuses")), bad)
        }
    };
    report.push(found);
    None
}

pub(crate) fn check_value(value: &str, span: Span, report: &mut Report) {
    let length = value.chars().count();
    if length > MAX_TAG_VALUE {
        report.push(Problem::new(
            &codes::TAG_VALUE,
            span,
            format!("a tag's value has at most {MAX_TAG_VALUE} characters, this one has {length}"),
        ));
    } else if let Some(bad) = value.chars().find(char::is_ascii_control) {
        report.push(bad_character(
            Problem::new(&codes::TAG_VALUE, span, "this tag value has a character that AWS refuses"),
            bad,
        ));
    } else if let Some(bad) = value.chars().find(|c| !is_tag_character(*c)) {
        // TagResource documents no pattern for values, and the rules for tags say what is allowed "generally".
        report.push(bad_character(
            Problem::new(&codes::TAG_VALUE_OPEN, span, "this tag value has a character that AWS may refuse"),
            bad,
        ));
    }
}

fn bad_character(problem: Problem, bad: char) -> Problem {
    problem
        .culprit(bad)
        .label(format!("`{}` is not among the documented ones", bad.escape_debug()))
        .help("tags are made of letters, digits, spaces and _ . : / = + - @")
}

/// The template of a tag for which nothing needs to be known.
#[cfg(test)]
fn plain(text: &str) -> Text {
    Text(crate::domain::Template::text(text))
}

#[cfg(test)]
mod tests {
    use globset::GlobSetBuilder;

    use super::super::super::field::{Field, Spanned};
    use super::*;

    fn check(key: &str, value: &str) -> Vec<&'static str> {
        let mut report = Report::default();
        let sources = Sources::default();
        let mut patterns = GlobSetBuilder::new();
        patterns.add(globset::Glob::new("cost-*").unwrap_or_else(|_| unreachable!()));
        let ignored = TagPatterns::new(patterns.build().unwrap_or_default());
        let span = Span::default();
        let tags =
            Map(vec![(Spanned { value: key.to_owned(), span }, Field::Set(Spanned { value: plain(value), span }))]);
        check_tags(
            Some(&tags),
            span,
            TagMode::Exact,
            &TagRules { ignored: &ignored, own: 1, sources: &sources },
            &mut report,
        );
        report.finish(&sources, &[], 0).iter().map(|found| found.code.id).collect()
    }

    #[test]
    fn keys_and_values_follow_aws() {
        assert_eq!(check("team", "Größe 1 + 2"), [""; 0]);
        assert_eq!(check("aws:x", ""), ["tag-key"]);
        assert_eq!(check("keywright:project", ""), ["tag-key"]);
        assert_eq!(check("", ""), ["tag-key"]);
        assert_eq!(check(&"k".repeat(129), ""), ["tag-key"]);
        assert_eq!(check("a,b", ""), ["tag-key"]);
        assert_eq!(check("cost-center", "1"), ["tag-ignored"]);
        assert_eq!(check("team", &"v".repeat(257)), ["tag-value"]);
        assert_eq!(check("team", "a\nb"), ["tag-value"]);
    }
}
