//! The one type that holds a secret value.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::error::ValueError;
use super::sops::read_json;
use super::{MAX_VALUE_BYTES, buffer::SecretBuffer};

/// The shortest part of a value that is looked for in other texts, in bytes.
const QUOTED: usize = 4;

/// A secret value. It is wiped when dropped, shows nothing of itself in `Debug`, has neither `Display` nor `Serialize`,
/// and compares in a time that depends on the lengths alone.
#[derive(Clone)]
pub struct SecretValue(Held);

#[derive(Clone)]
enum Held {
    Text(Zeroizing<String>),
    Binary(Zeroizing<Vec<u8>>),
}

/// The contents, for the one place that sends them (PutSecretValue and CreateSecret). It has no `Debug` on purpose.
#[derive(Clone, Copy)]
pub enum Exposed<'a> {
    /// Goes into `SecretString`.
    Text(&'a str),
    /// Goes into `SecretBinary`.
    Binary(&'a [u8]),
}

impl SecretValue {
    /// A `SecretString`.
    pub fn text(text: impl Into<Zeroizing<String>>) -> Self {
        Self(Held::Text(text.into()))
    }

    /// A `SecretBinary`.
    pub fn binary(bytes: impl Into<Zeroizing<Vec<u8>>>) -> Self {
        Self(Held::Binary(bytes.into()))
    }

    /// The contents. Call this only where they are sent.
    pub fn expose(&self) -> Exposed<'_> {
        match &self.0 {
            Held::Text(text) => Exposed::Text(text),
            Held::Binary(bytes) => Exposed::Binary(bytes),
        }
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// Whether it is a `SecretBinary`.
    pub fn is_binary(&self) -> bool {
        matches!(self.0, Held::Binary(_))
    }

    /// Whether a text that was not made of it quotes it: the whole of it, or, of a JSON value, a text in it. What is
    /// shorter than `QUOTED` is not looked for, since it stands in many a sentence by chance.
    pub fn is_quoted_in(&self, text: &str) -> bool {
        let quotes = |part: &str| part.len() >= QUOTED && text.contains(part);
        match &self.0 {
            Held::Binary(bytes) => std::str::from_utf8(bytes).is_ok_and(|part| quotes(part.trim())),
            Held::Text(whole) => {
                let is_json = whole.trim_start().starts_with(['{', '[']);
                let node = is_json.then(|| read_json(whole).ok()).flatten();
                quotes(whole.trim()) || node.is_some_and(|node| node.any_text(&quotes))
            }
        }
    }

    fn bytes(&self) -> &[u8] {
        match &self.0 {
            Held::Text(text) => text.as_bytes(),
            Held::Binary(bytes) => bytes,
        }
    }

    /// Text out of a buffer, within the limits of the service. `None` stands for bytes that are not UTF-8.
    pub(super) fn checked_text(buffer: SecretBuffer) -> Result<Option<Self>, ValueError> {
        check_len(buffer.len())?;
        Ok(buffer.into_text().map(|text| Self(Held::Text(text))))
    }

    /// Bytes out of a buffer, within the limits of the service.
    pub(super) fn checked_binary(buffer: SecretBuffer) -> Result<Self, ValueError> {
        check_len(buffer.len())?;
        Ok(Self(Held::Binary(buffer.into_bytes())))
    }
}

/// Whether a value of this many bytes can be put.
pub(super) fn check_len(bytes: usize) -> Result<(), ValueError> {
    match bytes {
        0 => Err(ValueError::Empty),
        1..=MAX_VALUE_BYTES => Ok(()),
        _ => Err(ValueError::TooLarge),
    }
}

impl PartialEq for SecretValue {
    fn eq(&self, other: &Self) -> bool {
        self.is_binary() == other.is_binary() && bool::from(self.bytes().ct_eq(other.bytes()))
    }
}

impl Eq for SecretValue {}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> SecretValue {
        SecretValue::text(text.to_owned())
    }

    #[test]
    fn equality_looks_at_kind_and_bytes() {
        assert_eq!(text("a"), text("a"));
        assert_ne!(text("a"), text("b"));
        assert_ne!(text("a"), text("ab"));
        assert_ne!(text("a"), SecretValue::binary(b"a".to_vec()));
        assert_eq!(SecretValue::binary(b"a".to_vec()), SecretValue::binary(b"a".to_vec()));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?} {:#?}", text("CANARY"), Some(text("CANARY"))).matches("CANARY").count(), 0);
    }

    #[test]
    fn the_limits_of_the_service_hold() {
        assert_eq!(check_len(0), Err(ValueError::Empty));
        assert_eq!(check_len(MAX_VALUE_BYTES), Ok(()));
        assert_eq!(check_len(MAX_VALUE_BYTES + 1), Err(ValueError::TooLarge));
    }

    #[test]
    fn a_quotation_is_found_whole_or_in_part() {
        let quoted = |value: &str, told: &str| text(value).is_quoted_in(told);
        assert!(quoted("hunter22\n", "The value hunter22 is not valid"));
        assert!(quoted(r#"{"db": [{"password": "hun\"ter22", "port": 54321}]}"#, "bad password hun\"ter22"));
        assert!(quoted(r#"{"port": 54321}"#, "54321 is no port"));
        assert!(SecretValue::binary(b"hunter22".to_vec()).is_quoted_in("not hunter22"));
        assert!(!quoted("hunter22", "The value is not valid"));
        assert!(!quoted("a", "a sentence"), "too short to say anything");
        assert!(!quoted(r#"{"password": "hunter22"}"#, "password is missing"), "keys are no values");
    }
}
