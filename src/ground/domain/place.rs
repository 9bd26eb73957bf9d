//! Where something is: partition, region and account.

use super::arn::ArnParts;
use super::text::text_type;

/// A region, such as `eu-west-1`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(String);

text_type!(Region);

/// Longest name of a region, in bytes (ReplicateSecretToRegions, `Region`).
const MAX_REGION: usize = 128;

impl Region {
    /// Reads what people write: words of small letters and a number.
    pub fn parse(text: &str) -> Option<Self> {
        let (words, number) = text.rsplit_once('-')?;
        let fits = text.len() <= MAX_REGION
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && words.split('-').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()));
        fits.then(|| Self(text.to_owned()))
    }

    /// Takes what the service or its configuration says, whatever it is.
    pub fn of_service(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The regions that AWS has, as far as the SDK's partition data knows them.
    pub fn known() -> impl Iterator<Item = &'static str> {
        REGIONS.into_iter()
    }

    /// Whether AWS has it, as far as the SDK's partition data knows.
    pub fn is_known(&self) -> bool {
        REGIONS.contains(&self.0.as_str())
    }

    /// Whether its name has a form in which AWS names regions, so that it may be newer than the data: a known
    /// beginning, then a direction.
    pub fn has_known_form(&self) -> bool {
        let Some((words, _)) = self.0.rsplit_once('-') else { return false };
        let Some((start, direction)) = words.rsplit_once('-') else { return false };
        let known = REGIONS.iter().filter_map(|region| region.rsplit_once('-')?.0.rsplit_once('-'));
        let (mut starts, mut directions) = (false, false);
        for (known_start, known_direction) in known {
            starts |= known_start == start;
            directions |= known_direction == direction;
        }
        starts && directions
    }

    /// The partition that it belongs to.
    pub fn partition(&self) -> Partition {
        Partition::of_region(&self.0)
    }
}

/// The regions of all partitions (the partition data of aws-sdk-secretsmanager 1.125).
const REGIONS: [&str; 46] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

/// A partition of AWS: regions and accounts that share an identity system.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(String);

text_type!(Partition);

/// The beginnings of the names of regions outside the partition `aws` ("Partitions" in the AWS partitions paper, and
/// the endpoint rules of the SDKs).
const PARTITIONS: [(&str, &str); 7] = [
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
];

impl Default for Partition {
    /// The partition of every region but those of China, of governments and of sovereign clouds.
    fn default() -> Self {
        Self("aws".to_owned())
    }
}

impl Partition {
    /// The partition of a region, by the beginning of its name.
    pub fn of_region(region: &str) -> Self {
        let known = PARTITIONS.iter().find(|(start, _)| region.starts_with(start));
        Self(known.map_or("aws", |(_, partition)| partition).to_owned())
    }

    /// The partition that an ARN names; `aws` where the text is no ARN.
    pub fn of_arn(arn: &str) -> Self {
        ArnParts::parse(arn).map_or_else(Self::default, |parts| Self(parts.partition.to_owned()))
    }

    /// Whether it is one of the China regions' partition, whose endpoints have names of their own.
    pub fn is_china(&self) -> bool {
        self.0 == "aws-cn"
    }
}

/// The twelve digits of an account.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(String);

text_type!(AccountId);

impl AccountId {
    /// Reads what people write: twelve digits.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| Self(text.to_owned()))
    }

    /// Takes what the service says, whatever it is.
    pub fn of_service(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_words_and_a_number() {
        for good in ["eu-west-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1"] {
            assert_eq!(Region::parse(good).as_ref().map(Region::as_str), Some(good));
        }
        for bad in ["", "eu-west", "EU-west-1", "eu--1", "-1", "eu-west-1 ", &format!("{}-1", "a".repeat(128))] {
            assert_eq!(Region::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn regions_that_may_be_newer_than_the_data_have_a_known_form() {
        for (region, known, form) in [
            ("eu-west-1", true, true),
            ("eu-west-9", false, true),
            ("mx-north-1", false, true),
            ("eu-wst-1", false, false),
            ("xx-west-1", false, false),
            ("us-gov-central-1", false, true),
        ] {
            let region = Region::of_service(region);
            assert_eq!((region.is_known(), region.has_known_form()), (known, form), "{region}");
        }
    }

    #[test]
    fn accounts_are_twelve_digits() {
        assert!(AccountId::parse("000000000001").is_some());
        for bad in ["", "1", "00000000000x", "0000000000001"] {
            assert_eq!(AccountId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_the_service_says_is_kept_whatever_it_is() {
        for text in ["", "us-moon-1x", "\u{202e}"] {
            assert_eq!(Region::of_service(text), text);
            assert_eq!(AccountId::of_service(text), text);
        }
    }

    #[test]
    fn partitions_follow_the_region() {
        for (region, partition) in [
            ("eu-west-1", "aws"),
            ("us-east-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eusc-de-east-1", "aws-eusc"),
            ("", "aws"),
        ] {
            assert_eq!(Region::of_service(region).partition(), partition);
        }
    }
}
