//! The filters of ListSecrets.
//!
//! Filters narrow together (AND), the values of one filter are alternatives (OR), and a `!` before a value turns it
//! into its complement. Names, tags and the owning service match by a case-sensitive prefix; descriptions and `all`
//! match word by word.

use serde::{Deserialize, Serialize};

use crate::home::Home;
use crate::state::{Facet, Indexed, Reader, SecretRecord, Tag};
use crate::wire::{Constraints, ServiceError, limits};

/// A filter as a request has it. The model requires neither member.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FilterInput {
    key: Option<String>,
    values: Option<Vec<String>>,
}

const KEYS: [&str; 7] = ["description", "name", "tag-key", "tag-value", "primary-region", "owning-service", "all"];
const VALUE_PATTERN: &str = "^\\!?[a-zA-Z0-9 :_@\\/\\+\\=\\.\\-\\!]*$";

/// Checks what the model says of filters.
pub(crate) fn check(constraints: &mut Constraints, filters: &[FilterInput]) {
    let keys: Vec<String> = filters.iter().filter_map(|filter| filter.key.clone()).collect();
    constraints.count("filters", Some(&keys), limits::FILTERS);
    for (index, filter) in filters.iter().enumerate() {
        let member = |part: &str| format!("filters.{}.member.{part}", index + 1);
        constraints.one_of(&member("key"), filter.key.as_deref(), &KEYS);
        constraints.count(&member("values"), filter.values.as_deref(), limits::FILTER_VALUES);
        for value in filter.values.iter().flatten() {
            constraints.text(&member("values"), Some(value), limits::FILTER_VALUE);
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b" :_@/+=.-!".contains(&byte);
            constraints.pattern(&member("values"), value, value.bytes().all(plain), VALUE_PATTERN);
        }
    }
}

/// As many secrets as are sorted for a page: more of them are found sooner by walking in the order of the list.
const FEW: usize = if cfg!(test) { 5 } else { 2_000 };

/// What a filter looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Description,
    Name,
    TagKey,
    TagValue,
    /// Only what is replicated has a primary region.
    PrimaryRegion,
    OwningService,
    All,
}

impl Subject {
    /// The index of what it looks at.
    fn facet(self) -> Option<Facet> {
        match self {
            Self::Name => Some(Facet::Name),
            Self::TagKey => Some(Facet::TagKey),
            Self::TagValue => Some(Facet::TagValue),
            Self::PrimaryRegion => Some(Facet::PrimaryRegion),
            Self::OwningService => Some(Facet::OwningService),
            Self::Description | Self::All => None,
        }
    }
}

/// Filters, ready to be tried on secrets.
pub(crate) struct Filters {
    filters: Vec<(Subject, Vec<FilterValue>)>,
}

/// One value of a filter.
struct FilterValue {
    text: String,
    complement: bool,
}

impl Filters {
    /// Reads filters that the model accepts. The text for a filter without a key is not known from the real service.
    pub(crate) fn new(inputs: &[FilterInput]) -> Result<Self, ServiceError> {
        let read = |input: &FilterInput| {
            let subject = match input.key.as_deref() {
                Some("description") => Subject::Description,
                Some("name") => Subject::Name,
                Some("tag-key") => Subject::TagKey,
                Some("tag-value") => Subject::TagValue,
                Some("primary-region") => Subject::PrimaryRegion,
                Some("owning-service") => Subject::OwningService,
                Some("all") => Subject::All,
                _ => return Err(ServiceError::invalid_parameter("Invalid filter key")),
            };
            let values = input.values.as_deref().ok_or_else(|| {
                let name = input.key.as_deref().unwrap_or_default();
                ServiceError::invalid_parameter(format!("Invalid filter values for key: {name}"))
            })?;
            Ok((subject, values.iter().map(|value| FilterValue::new(value)).collect()))
        };
        Ok(Self { filters: inputs.iter().map(read).collect::<Result<_, _>>()? })
    }

    /// The secrets among which all are that pass, when an index knows them and they are few; each once.
    pub(crate) fn narrow(&self, reader: &Reader<'_>, home: &Home) -> Result<Option<Vec<Indexed>>, ServiceError> {
        let mut fewest: Option<Vec<Indexed>> = None;
        for (subject, values) in &self.filters {
            let Some(facet) = subject.facet().filter(|_| values.iter().all(|value| !value.complement)) else {
                continue;
            };
            let mut found = Some(Vec::new());
            for value in values {
                let more = reader.indexed(home, facet, &value.text, FEW)?;
                found = found.zip(more).map(|(found, more)| [found, more].concat());
            }
            if let Some(mut found) = found
                && fewest.as_ref().is_none_or(|fewest| found.len() < fewest.len())
            {
                found.sort_unstable();
                found.dedup();
                fewest = Some(found);
            }
        }
        Ok(fewest)
    }

    /// Whether the name of a secret lets it pass, as far as filters look at names.
    pub(crate) fn accept_name(&self, name: &str) -> bool {
        let of_names = self.filters.iter().filter(|(subject, _)| *subject == Subject::Name);
        of_names.into_iter().all(|(_, values)| values.iter().any(|value| value.fits_name(name)))
    }

    /// Whether a secret passes every filter.
    pub(crate) fn accept(&self, record: &SecretRecord) -> bool {
        self.filters.iter().all(|(subject, values)| values.iter().any(|value| value.matches(*subject, record)))
    }
}

impl FilterValue {
    fn new(value: &str) -> Self {
        match value.strip_prefix('!') {
            Some(text) => Self { text: text.to_owned(), complement: true },
            None => Self { text: value.to_owned(), complement: false },
        }
    }

    fn fits_name(&self, name: &str) -> bool {
        name.starts_with(&self.text) != self.complement
    }

    /// How a complement works beside other values of one filter is not known from the real service; here it is one
    /// more alternative.
    fn matches(&self, subject: Subject, record: &SecretRecord) -> bool {
        let has_prefix = |text: &str| text.starts_with(&self.text);
        let has_words = |text: &str| words_match(&self.text, text);
        let mut tags = record.tags.iter().flatten();
        let description = record.description.as_deref();
        let matched = match subject {
            Subject::Name => return self.fits_name(&record.name),
            Subject::TagKey => tags.any(|tag| has_prefix(&tag.key)),
            Subject::TagValue => tags.any(|tag| has_prefix(&tag.value)),
            Subject::OwningService => record.owning_service.as_deref().is_some_and(has_prefix),
            Subject::PrimaryRegion => record.primary_region().is_some_and(has_prefix),
            Subject::Description => description.is_some_and(has_words),
            Subject::All => {
                has_words(&record.name)
                    || description.is_some_and(has_words)
                    || tags.any(|Tag { key, value }| has_words(key) || has_words(value))
            }
        };
        matched != self.complement
    }
}

/// Whether each word of `wanted` begins a word of `text`, in any case of letters.
fn words_match(wanted: &str, text: &str) -> bool {
    let (wanted, text) = (words(wanted), words(text));
    !wanted.is_empty() && wanted.iter().all(|wanted| text.iter().any(|word| word.starts_with(wanted)))
}

/// Splits a text into words, in lower case: at its separator if it has one kind of them only, then before the capitals.
///
/// A text of several kinds of separators stays one word, and a lone separator has none: both were verified against
/// the real service.
fn words(text: &str) -> Vec<String> {
    const SEPARATORS: [char; 7] = ['/', '_', '+', '=', '.', '@', '-'];
    let mut kinds = SEPARATORS.iter().filter(|separator| text.contains(**separator));
    let words: Vec<&str> = match (kinds.next(), kinds.next()) {
        (Some(_), Some(_)) => vec![text],
        (Some(separator), None) => text.split(*separator).flat_map(split_at_capitals).collect(),
        (None, _) => split_at_capitals(text),
    };
    words.into_iter().map(|word| word.trim().to_ascii_lowercase()).filter(|word| !word.is_empty()).collect()
}

/// Cuts before each character that is no lower-case letter and is followed by some, and after those: `COMPANYthings`
/// is `COMPAN` and `Ythings`, `MyTest` is `My` and `Test`.
fn split_at_capitals(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((index, character)) = characters.next() {
        let begins_word =
            !character.is_ascii_lowercase() && characters.peek().is_some_and(|(_, next)| next.is_ascii_lowercase());
        if begins_word {
            pieces.push(&text[start..index]);
            while characters.next_if(|(_, next)| next.is_ascii_lowercase()).is_some() {}
            let end = characters.peek().map_or(text.len(), |(end, _)| *end);
            pieces.push(&text[index..end]);
            start = end;
        }
    }
    pieces.push(&text[start..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_split_into_words() {
        for (text, expected) in [
            ("a secret", vec!["a", "secret"]),
            ("MyTest", vec!["my", "test"]),
            ("COMPANYthings", vec!["compan", "ythings"]),
            ("my/secret/name", vec!["my", "secret", "name"]),
            ("my/secret+value", vec!["my/secret+value"]),
            ("/", vec![]),
            ("", vec![]),
            ("asecret", vec!["asecret"]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn description_filters_match_the_beginnings_of_words() {
        for text in ["a secret", "an secret", "asecret"] {
            assert!(words_match("a", text), "{text}");
        }
        assert!(!words_match("a", "thesecret"));
        assert!(words_match("a secret", "a secret"));
        assert!(words_match("a secret", "an secret"));
        assert!(!words_match("a secret", "asecret"));
        assert!(words_match("SECRET", "my secret"));
    }
}
