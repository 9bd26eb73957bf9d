//! JSON text for values, written straight into memory that wipes itself.

use super::buffer::SecretBuffer;

/// A JSON text in the making: compact, its keys in the order in which they come.
pub(super) struct JsonText(SecretBuffer);

impl JsonText {
    pub(super) fn new() -> Self {
        Self(SecretBuffer::new())
    }

    pub(super) fn into_buffer(self) -> SecretBuffer {
        self.0
    }

    /// Writes what is JSON already: a number, `true`, `null`.
    pub(super) fn raw(&mut self, json: &str) {
        self.0.push_str(json);
    }

    pub(super) fn string(&mut self, text: &str) {
        self.raw("\"");
        let mut plain_from = 0;
        for (at, byte) in text.bytes().enumerate() {
            let escape = match byte {
                b'"' => "\\\"",
                b'\\' => "\\\\",
                b'\n' => "\\n",
                b'\r' => "\\r",
                b'\t' => "\\t",
                0x08 => "\\b",
                0x0c => "\\f",
                0..=0x1f => "",
                _ => continue,
            };
            self.0.push(&text.as_bytes()[plain_from..at]);
            if escape.is_empty() {
                let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
                self.0.push(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            } else {
                self.raw(escape);
            }
            plain_from = at + 1;
        }
        self.0.push(&text.as_bytes()[plain_from..]);
        self.raw("\"");
    }

    /// Writes a list or an object: `open`, the parts with commas between them, `close`.
    pub(super) fn parts<T, E>(
        &mut self,
        [open, close]: [&str; 2],
        parts: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> Result<(), E>,
    ) -> Result<(), E> {
        self.raw(open);
        for (place, part) in parts.into_iter().enumerate() {
            if place > 0 {
                self.raw(",");
            }
            write(self, part)?;
        }
        self.raw(close);
        Ok(())
    }

    pub(super) fn key(&mut self, key: &str) {
        self.string(key);
        self.raw(":");
    }
}

/// The brackets of a list.
pub(super) const LIST: [&str; 2] = ["[", "]"];

/// The brackets of an object.
pub(super) const OBJECT: [&str; 2] = ["{", "}"];

/// Whether a text is a number as JSON writes it (RFC 8259, section 6).
pub(super) fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(w, f)| (w, Some(f)));
    digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn strings_read_back(text in any::<String>()) {
            let mut json = JsonText::new();
            json.string(&text);
            let buffer = json.into_buffer();
            prop_assert_eq!(serde_json::from_slice::<String>(buffer.as_slice()).ok(), Some(text.clone()));
            prop_assert_eq!(serde_json::to_vec(&text).unwrap_or_default(), buffer.as_slice());
        }

        #[test]
        fn numbers_are_those_of_json(text in "-?[0-9.]{1,6}") {
            prop_assert_eq!(is_number(&text), serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }
    }

    #[test]
    fn what_json_does_not_know_is_no_number() {
        for text in ["NaN", "+Inf", "", "-", "01", "1.", ".5", "1e5"] {
            assert!(!is_number(text), "{text}");
        }
    }
}
