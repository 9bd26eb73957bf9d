//! Keys of tags.

use super::text::text_type;

/// Most tags of a secret, AWS's own not counted (Secrets Manager's quotas).
pub const MAX_TAGS: usize = 50;

/// Longest key, in characters (`Tag.Key`).
pub const MAX_TAG_KEY: usize = 128;

/// Longest value, in characters (`Tag.Value`).
pub const MAX_TAG_VALUE: usize = 256;

/// The prefix of the tags that belong to AWS itself, in any case of its letters.
const SYSTEM_PREFIX: &str = "aws:";

/// The key of a tag (`Tag.Key`): 1 to 128 characters, of those that AWS's rules for tags name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagKey(String);

text_type!(TagKey);

/// Why a text is no key of a tag that people may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagKeyFault {
    /// It belongs to AWS, which alone writes it.
    System,
    /// It is empty, or longer than [`MAX_TAG_KEY`]: its length in characters.
    Length(usize),
    /// A character that AWS refuses.
    Character(char),
}

impl TagKey {
    /// Reads what people write.
    ///
    /// # Errors
    ///
    /// What AWS would refuse in it.
    pub fn parse(text: &str) -> Result<Self, TagKeyFault> {
        let length = text.chars().count();
        if is_system_tag(text) {
            Err(TagKeyFault::System)
        } else if length == 0 || length > MAX_TAG_KEY {
            Err(TagKeyFault::Length(length))
        } else if let Some(bad) = text.chars().find(|character| !is_tag_character(*character)) {
            Err(TagKeyFault::Character(bad))
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// Takes what the service says, whatever it is, and what keywright itself calls its tags.
    pub fn of_service(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether it belongs to AWS: such a tag cannot be written, and does not count towards [`MAX_TAGS`].
    pub fn is_system(&self) -> bool {
        is_system_tag(&self.0)
    }
}

/// Whether the key of this name belongs to AWS (the prefix is reserved in any case of its letters).
pub fn is_system_tag(key: &str) -> bool {
    key.get(..SYSTEM_PREFIX.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(SYSTEM_PREFIX))
}

/// `^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`, of the Tag type of AWS's tagging rules.
pub fn is_tag_character(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c) || (c.is_whitespace() && !c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_the_rules_of_aws_for_tags() {
        let fault = |text: &str| TagKey::parse(text).err();
        assert_eq!(fault("Größe 1 + 2"), None);
        assert_eq!(fault(&"k".repeat(MAX_TAG_KEY)), None);
        assert_eq!(fault(""), Some(TagKeyFault::Length(0)));
        assert_eq!(fault(&"ä".repeat(129)), Some(TagKeyFault::Length(129)));
        assert_eq!(fault("a,b"), Some(TagKeyFault::Character(',')));
        assert_eq!(fault("a\tb"), Some(TagKeyFault::Character('\t')));
        assert_eq!(fault("AWS:x"), Some(TagKeyFault::System));
        assert_eq!(fault("awsx"), None);
    }
}
