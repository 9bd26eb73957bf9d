//! The tokens that lead from one page to the next. To a client they are opaque; here they hold a place in an order,
//! and a digest of the query that they belong to. A page begins behind the place, so secrets that come and go in
//! between neither hide others nor repeat them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::error::ServiceError;
use crate::clock::Moment;

/// A place in an order: a date with a serial number, or a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) date: Moment,
    pub(crate) serial: u64,
    pub(crate) name: String,
}

/// The query that a token belongs to.
pub(crate) struct Query {
    digest: String,
}

impl Query {
    /// A query by everything that decides which pages it has.
    pub(crate) fn new(query: &impl Serialize) -> Self {
        // Strings, numbers and lists: these can always be written.
        let text = serde_json::to_vec(query).unwrap_or_default();
        let digest = Sha256::digest(&text);
        Self { digest: URL_SAFE_NO_PAD.encode(&digest[..12]) }
    }

    /// The token for the page behind a place.
    pub(crate) fn token(&self, place: &Place) -> String {
        let text = serde_json::to_vec(&(&self.digest, place)).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(text)
    }

    /// The place that a token of this query holds.
    pub(crate) fn place(&self, token: &str) -> Result<Place, ServiceError> {
        let invalid = ServiceError::invalid_next_token;
        let text = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
        let (digest, place): (String, Place) = serde_json::from_slice(&text).map_err(|_| invalid())?;
        if digest == self.digest { Ok(place) } else { Err(invalid()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_valid_for_its_own_query_only() {
        let (one, other) = (Query::new(&("a", 1)), Query::new(&("a", 2)));
        let place = Place { date: Moment(5), serial: 7, name: "n".to_owned() };
        let token = one.token(&place);
        assert_eq!(one.place(&token), Ok(place));
        assert_eq!(other.place(&token), Err(ServiceError::invalid_next_token()));
        for bad in ["", "AAAA", "not a token", &token[1..]] {
            assert_eq!(one.place(bad), Err(ServiceError::invalid_next_token()), "{bad}");
        }
    }
}
