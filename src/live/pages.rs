//! Lists that come page by page, and that they end.
//!
//! The service promises that they do. A stand-in at another endpoint may hand out new tokens for ever.

use std::collections::HashSet;

use super::{ServiceError, ServiceErrorKind};

/// Most pages of one list: twice what the largest account needs (500,000 secrets, 100 to a page; AWS quotas).
const MAX_PAGES: usize = 10_000;

/// Longest token, in bytes (ListSecrets, `NextToken`): with it the tokens of one list stay within 41 MB.
const MAX_TOKEN: usize = 4_096;

/// The pages of one list that were read.
pub(crate) struct Pages {
    operation: &'static str,
    tokens: HashSet<String>,
}

impl Pages {
    /// Before the first page of a list of `operation`.
    pub(crate) fn of(operation: &'static str) -> Self {
        Self { operation, tokens: HashSet::new() }
    }

    /// The token for the next page, when a page named one. An error when the list has no end.
    pub(crate) fn next(&mut self, token: Option<String>) -> Result<Option<String>, ServiceError> {
        let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
        if token.len() > MAX_TOKEN {
            let message = format!("a NextToken of {} bytes came, and {MAX_TOKEN} are the most", token.len());
            return Err(endless(self.operation, &message));
        }
        Self::bound(self.operation, self.tokens.len() + 1)?;
        if !self.tokens.insert(token.clone()) {
            return Err(endless(self.operation, "the same NextToken came twice: the list has no end"));
        }
        Ok(Some(token))
    }

    /// An error when a list of `operation` has so many pages, in however many walks.
    pub(crate) fn bound(operation: &'static str, pages: usize) -> Result<(), ServiceError> {
        if pages <= MAX_PAGES {
            return Ok(());
        }
        Err(endless(operation, &format!("more than {MAX_PAGES} pages came: the list has no end")))
    }
}

fn endless(operation: &'static str, message: &str) -> ServiceError {
    ServiceError {
        operation,
        kind: ServiceErrorKind::Service,
        code: None,
        message: message.to_owned(),
        request_id: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_lists_end_with_an_error() {
        let mut pages = Pages::of("ListSecrets");
        let ended = (0..).find_map(|page| pages.next(Some(format!("token {page}"))).err().map(|error| (page, error)));
        let (page, error) = ended.unwrap_or_else(|| unreachable!("it ends"));
        assert_eq!((page, error.operation), (MAX_PAGES, "ListSecrets"));
    }

    #[test]
    fn tokens_that_come_again_end_a_list() {
        let mut pages = Pages::of("ListSecrets");
        assert!(pages.next(Some("a".to_owned())).is_ok() && pages.next(Some("b".to_owned())).is_ok());
        assert!(pages.next(Some("a".to_owned())).is_err());
        assert!(
            pages.next(Some("c".repeat(MAX_TOKEN))).is_ok() && pages.next(Some("c".repeat(MAX_TOKEN + 1))).is_err()
        );
        assert!(matches!(pages.next(None), Ok(None)) && matches!(pages.next(Some(String::new())), Ok(None)));
    }
}
