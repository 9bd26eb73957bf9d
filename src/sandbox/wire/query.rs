//! The query protocol of STS: parameters in, XML out.

use std::fmt::Write as _;

use bytes::Bytes;
use http::Request;

use super::error::{ErrorCode, ServiceError};

/// The media type of every answer of STS.
pub(crate) const XML: &str = "text/xml";

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The `Action` of a query request, from its body or its address.
pub(crate) fn action(request: &Request<Bytes>) -> Option<String> {
    let query = request.uri().query().unwrap_or_default().as_bytes();
    [request.body().as_ref(), query]
        .into_iter()
        .find_map(|parameters| url::form_urlencoded::parse(parameters).find(|(name, _)| name == "Action"))
        .map(|(_, action)| action.into_owned())
}

/// The whole document around the result of an action.
pub(crate) fn envelope(action: &str, result: &str, request_id: &str) -> String {
    format!(
        "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    )
}

/// The status and body of an error. STS has its own names for what its framework refuses.
pub(crate) fn error(error: &ServiceError, request_id: &str) -> (u16, String) {
    let (status, code) = match &error.code {
        ErrorCode::AccessDenied => (403, "AccessDenied"),
        ErrorCode::IncompleteSignature => (400, "IncompleteSignature"),
        ErrorCode::InvalidSignature => (403, "SignatureDoesNotMatch"),
        ErrorCode::MissingAuthenticationToken => (403, "MissingAuthenticationToken"),
        ErrorCode::UnknownOperation => (400, "InvalidAction"),
        ErrorCode::Validation => (400, "ValidationError"),
        ErrorCode::InternalServiceError => (500, "InternalFailure"),
        other => (other.status(), other.name()),
    };
    let kind = if status >= 500 { "Receiver" } else { "Sender" };
    let body = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{kind}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{request_id}</RequestId></ErrorResponse>",
        escape(code),
        escape(&error.message)
    );
    (status, body)
}

/// Escapes text for XML; what XML 1.0 cannot hold at all becomes a replacement character.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            '\n' | '\r' | '\t' => {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "&#{};", u32::from(character));
            }
            control if control < ' ' => escaped.push('\u{FFFD}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_for_xml() {
        assert_eq!(escape("<a & \"b\"'\u{1}\n"), "&lt;a &amp; &quot;b&quot;&apos;\u{FFFD}&#10;");
    }
}
