//! Versions of a value, and the labels that point to them.

use super::text::text_type;

/// A version id (32 to 64 characters; PutSecretValue, `ClientRequestToken`). It is public: whoever may describe a
/// secret sees it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId(String);

text_type!(VersionId);

/// Most staging labels of a secret, over all of its versions and with the service's own (Secrets Manager's quotas).
pub const MAX_STAGING_LABELS: usize = 20;

/// The ids that keywright derives from ciphertext begin so.
const DERIVED_PREFIX: &str = "kw1-";

/// How many hexadecimal characters follow: 240 of SHA-256's 256 bits, which fills the 64 characters that a token may
/// have.
const DERIVED_HEX_LEN: usize = 60;

/// What follows the prefix where a part of the value was generated: no digit of a hash.
const GENERATED: char = 'g';

impl VersionId {
    /// What ids of values with a generated part begin with.
    pub const GENERATED_PREFIX: &str = "kw1-g";

    /// Takes an id of 32 to 64 visible ASCII characters; `None` for anything else.
    pub fn new(id: impl Into<String>) -> Option<Self> {
        let id = id.into();
        let fits = (32..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then_some(Self(id))
    }

    /// Takes what the service says, whatever it is.
    pub fn of_service(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id that keywright derives: of a hash in lower-case hexadecimal, as much as fits.
    pub fn derived(hash: &str) -> Self {
        let kept: String = hash.chars().take(DERIVED_HEX_LEN).collect();
        Self(format!("{DERIVED_PREFIX}{kept}"))
    }

    /// As [`VersionId::derived`], for a value of which a part was generated: such a version has what git does not hold.
    pub fn generated(hash: &str) -> Self {
        let kept: String = hash.chars().take(DERIVED_HEX_LEN - 1).collect();
        Self(format!("{DERIVED_PREFIX}{GENERATED}{kept}"))
    }

    /// What the id tells of who made the version.
    pub fn origin(&self) -> VersionOrigin {
        let random = || self.0.len() == 36 && self.0.bytes().filter(|byte| *byte == b'-').count() == 4;
        if self.is_generated() {
            VersionOrigin::Generated
        } else if self.is_ours() {
            VersionOrigin::Keywright
        } else if self.0.starts_with("terraform-") {
            VersionOrigin::Terraform
        } else if random() {
            VersionOrigin::Random
        } else {
            VersionOrigin::Own
        }
    }

    /// Whether it has the form of an id that keywright derived from ciphertext. Anybody can write that form: it proves
    /// nothing.
    pub fn is_ours(&self) -> bool {
        self.0.strip_prefix(DERIVED_PREFIX).is_some_and(|rest| {
            let digits = rest.strip_prefix(GENERATED).unwrap_or(rest);
            rest.len() == DERIVED_HEX_LEN && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
    }

    /// Whether it is one of ours for a value with a generated part.
    pub fn is_generated(&self) -> bool {
        self.is_ours() && self.0.strip_prefix(DERIVED_PREFIX).is_some_and(|rest| rest.starts_with(GENERATED))
    }
}

/// Who made a version, as far as its id tells. Anybody can choose any id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionOrigin {
    /// keywright: derived from git's ciphertext.
    Keywright,
    /// keywright, which made it with a generated part.
    Generated,
    /// Terraform: its provider gives ids that begin with `terraform-`.
    Terraform,
    /// Something that lets the SDK choose a random id: the console, the CLI, an SDK or a rotation function.
    Random,
    /// Something that chose an id of its own.
    Own,
}

/// A staging label: a name that points to one version of a secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StagingLabel(String);

text_type!(StagingLabel);

/// Longest staging label, in characters (UpdateSecretVersionStage, `VersionStage`).
const MAX_LABEL: usize = 256;

impl StagingLabel {
    /// The label of the version that readers get.
    pub const CURRENT: &'static str = "AWSCURRENT";
    /// The label of the version that was current before.
    pub const PREVIOUS: &'static str = "AWSPREVIOUS";
    /// The label of a version that a rotation is making.
    pub const PENDING: &'static str = "AWSPENDING";

    /// Reads what people write: 1 to 256 characters.
    pub fn parse(text: &str) -> Option<Self> {
        (1..=MAX_LABEL).contains(&text.chars().count()).then(|| Self(text.to_owned()))
    }

    /// Takes what the service says, whatever it is.
    pub fn of_service(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// AWSCURRENT.
    pub fn current() -> Self {
        Self(Self::CURRENT.to_owned())
    }

    /// AWSPENDING.
    pub fn pending() -> Self {
        Self(Self::PENDING.to_owned())
    }

    /// Whether Secrets Manager made it: only its own begin so.
    pub fn is_of_service(&self) -> bool {
        self.0.starts_with("AWS")
    }

    /// Whether Secrets Manager moves it itself.
    pub fn is_reserved(&self) -> bool {
        matches!(self.as_str(), Self::CURRENT | Self::PREVIOUS | Self::PENDING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_id_is_32_to_64_visible_characters() {
        assert!(VersionId::new("a".repeat(32)).is_some() && VersionId::new("a".repeat(64)).is_some());
        for bad in ["a".repeat(31), "a".repeat(65), format!("{} ", "a".repeat(32)), "é".repeat(32)] {
            assert_eq!(VersionId::new(bad.clone()), None, "{bad}");
        }
        assert_eq!(VersionId::of_service("x"), "x");
        let foreign = VersionId::new("EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE");
        assert!(foreign.is_some_and(|id| !id.is_ours()));
    }

    #[test]
    fn an_id_tells_who_gave_it() {
        let origin = |id: &str| VersionId::of_service(id).origin();
        assert_eq!(VersionId::derived(&"0a".repeat(32)).origin(), VersionOrigin::Keywright);
        let generated = VersionId::generated(&"0a".repeat(32));
        assert_eq!((generated.origin(), generated.as_str().len()), (VersionOrigin::Generated, 64));
        assert!(generated.is_ours() && VersionId::new(generated.as_str()).is_some());
        assert_eq!(origin("terraform-20260101000000000000000001"), VersionOrigin::Terraform);
        assert_eq!(origin("3b1f6e9a-0c1d-4e2f-8a3b-5c6d7e8f9a0b"), VersionOrigin::Random);
        assert_eq!(origin("release-2026-01-01-of-the-database"), VersionOrigin::Own);
        assert_eq!(origin(&format!("kw1-{}", "0A".repeat(30))), VersionOrigin::Own, "in the wrong case");
    }

    #[test]
    fn labels_of_the_service_are_reserved() {
        let reserved = |text: &str| StagingLabel::parse(text).map(|label| label.is_reserved());
        assert_eq!(reserved("AWSCURRENT"), Some(true));
        assert_eq!(reserved("AWSPREVIOUS"), Some(true));
        assert_eq!(reserved("AWSPENDING"), Some(true));
        assert_eq!(reserved("blue"), Some(false));
        assert_eq!(reserved(""), None);
        assert_eq!(reserved(&"é".repeat(256)), Some(false));
        assert_eq!(reserved(&"é".repeat(257)), None);
    }
}
