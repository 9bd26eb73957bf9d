//! The constraints of the API model, and the sentences of the ValidationException that reports them.
//!
//! Only what the model states belongs here (required, lengths, ranges, enumerations, patterns). Rules of the service
//! itself are in `operations`.

use std::ops::RangeInclusive;

use super::error::ServiceError;
use super::limits;

/// Collects every broken constraint of one request: the service reports them together, in the order of the model's
/// members.
#[derive(Default)]
pub(crate) struct Constraints {
    problems: Vec<String>,
}

impl Constraints {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A member that must be there. What stands in for a missing one is never used: `finish` fails then.
    pub(crate) fn required<T: Default>(&mut self, member: &str, value: Option<T>) -> T {
        value.unwrap_or_else(|| {
            self.broken("null ", member, "not be null");
            T::default()
        })
    }

    /// A required text with a length in characters.
    pub(crate) fn required_text(
        &mut self,
        member: &str,
        value: Option<String>,
        length: RangeInclusive<usize>,
    ) -> String {
        self.text(member, value.as_deref(), length);
        self.required(member, value)
    }

    /// The SecretId that nearly every operation requires.
    pub(crate) fn secret_id(&mut self, value: Option<String>) -> String {
        self.required_text("secretId", value, limits::SECRET_ID)
    }

    /// A text whose length, in characters, is limited.
    pub(crate) fn text(&mut self, member: &str, value: Option<&str>, length: RangeInclusive<usize>) {
        if let Some(text) = value {
            self.length(&format!("'{text}' "), member, text.chars().count(), &length);
        }
    }

    /// The ClientRequestToken, where one is given.
    pub(crate) fn request_token(&mut self, value: Option<&str>) {
        self.text("clientRequestToken", value, limits::REQUEST_TOKEN);
    }

    /// The NextToken of a further page, where one is given.
    pub(crate) fn next_token(&mut self, value: Option<&str>) {
        self.text("nextToken", value, limits::NEXT_TOKEN);
    }

    /// A sensitive member of `bytes` bytes; the sentence does not echo the value.
    pub(crate) fn sensitive(&mut self, member: &str, bytes: Option<usize>, length: RangeInclusive<usize>) {
        if let Some(bytes) = bytes {
            self.length("", member, bytes, &length);
        }
    }

    /// A list whose number of members is limited.
    pub(crate) fn count(&mut self, member: &str, items: Option<&[String]>, count: RangeInclusive<usize>) {
        if let Some(items) = items {
            self.length(&format!("'[{}]' ", items.join(", ")), member, items.len(), &count);
        }
    }

    /// A list that must not be empty. The sentence would show its members; there are none.
    pub(crate) fn at_least_one(&mut self, member: &str, count: usize) {
        self.length("'[]' ", member, count, &(1..=usize::MAX));
    }

    /// A whole number within a range.
    pub(crate) fn number(&mut self, member: &str, value: Option<i64>, range: RangeInclusive<i64>) {
        let Some(number) = value else { return };
        let (word, bound) = if number < *range.start() {
            ("greater", range.start())
        } else if number > *range.end() {
            ("less", range.end())
        } else {
            return;
        };
        let rule = format!("have value {word} than or equal to {bound}");
        self.broken(&format!("'{number}' "), member, &rule);
    }

    /// A text that must be one of a set.
    pub(crate) fn one_of(&mut self, member: &str, value: Option<&str>, allowed: &[&str]) {
        if let Some(text) = value
            && !allowed.contains(&text)
        {
            let rule = format!("satisfy enum value set: [{}]", allowed.join(", "));
            self.broken(&format!("'{text}' "), member, &rule);
        }
    }

    /// A text that must match a pattern: the caller has tried it, since the model's patterns are all simple.
    pub(crate) fn pattern(&mut self, member: &str, value: &str, matches: bool, pattern: &str) {
        if !matches {
            let rule = format!("satisfy regular expression pattern: {pattern}");
            self.broken(&format!("'{value}' "), member, &rule);
        }
    }

    /// Like `pattern`, for a sensitive member: the value is not echoed.
    pub(crate) fn sensitive_pattern(&mut self, member: &str, matches: bool, pattern: &str) {
        if !matches {
            self.broken("", member, &format!("satisfy regular expression pattern: {pattern}"));
        }
    }

    fn length(&mut self, echo: &str, member: &str, length: usize, allowed: &RangeInclusive<usize>) {
        let (word, bound) = if length < *allowed.start() {
            ("greater", allowed.start())
        } else if length > *allowed.end() {
            ("less", allowed.end())
        } else {
            return;
        };
        self.broken(echo, member, &format!("have length {word} than or equal to {bound}"));
    }

    /// Notes a broken constraint. `echo` is the value with a space behind it, or nothing where the value is sensitive.
    fn broken(&mut self, echo: &str, member: &str, rule: &str) {
        self.problems.push(format!("Value {echo}at '{member}' failed to satisfy constraint: Member must {rule}"));
    }

    /// The ValidationException over everything that was broken.
    pub(crate) fn finish(self) -> Result<(), ServiceError> {
        match self.problems.as_slice() {
            [] => Ok(()),
            [only] => Err(ServiceError::validation(format!("1 validation error detected: {only}"))),
            several => Err(ServiceError::validation(format!(
                "{} validation errors detected: {}",
                several.len(),
                several.join("; ")
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(constraints: Constraints) -> String {
        constraints.finish().err().map(|error| error.message.into_owned()).unwrap_or_default()
    }

    #[test]
    fn one_problem_reads_as_the_service_writes_it() {
        let mut constraints = Constraints::new();
        constraints.required::<String>("name", None);
        assert_eq!(
            message(constraints),
            "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"
        );
        let mut constraints = Constraints::new();
        constraints.text("name", Some("abc"), 1..=2);
        assert_eq!(
            message(constraints),
            "1 validation error detected: Value 'abc' at 'name' failed to satisfy constraint: \
             Member must have length less than or equal to 2"
        );
    }

    #[test]
    fn a_sensitive_value_is_not_echoed() {
        let mut constraints = Constraints::new();
        constraints.sensitive("secretBinary", Some(65_537), 1..=65_536);
        assert_eq!(
            message(constraints),
            "1 validation error detected: Value at 'secretBinary' failed to satisfy constraint: \
             Member must have length less than or equal to 65536"
        );
    }

    #[test]
    fn several_broken_constraints_are_reported_together() {
        let mut constraints = Constraints::new();
        constraints.number("maxResults", Some(0), 1..=100);
        constraints.one_of("sortOrder", Some("up"), &["asc", "desc"]);
        constraints.text("x", Some("fine"), 1..=10);
        assert_eq!(
            message(constraints),
            "2 validation errors detected: Value '0' at 'maxResults' failed to satisfy constraint: \
             Member must have value greater than or equal to 1; \
             Value 'up' at 'sortOrder' failed to satisfy constraint: \
             Member must satisfy enum value set: [asc, desc]"
        );
    }
}
