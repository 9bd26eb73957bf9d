//! ARNs: `arn:partition:service:region:account:resource`.

use super::text::text_type;

/// An ARN. One that the service says is kept as it is, whatever its form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn(String);

text_type!(Arn);

/// The parts of an ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArnParts<'a> {
    /// `aws`, `aws-cn`, ….
    pub partition: &'a str,
    /// `secretsmanager`, `kms`, ….
    pub service: &'a str,
    /// The region; empty where the service has none, as IAM.
    pub region: &'a str,
    /// The account; empty where the resource belongs to none.
    pub account: &'a str,
    /// What follows, with its type: `secret:NAME-AbCdEf`, `key/ID`, `role/NAME`. Never empty.
    pub resource: &'a str,
}

impl Arn {
    /// Reads what people write.
    pub fn parse(text: &str) -> Option<Self> {
        ArnParts::parse(text).map(|_| Self(text.to_owned()))
    }

    /// Takes what the service says, whatever it is.
    pub fn of_service(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Its parts; none where it has not the form of an ARN.
    pub fn parts(&self) -> Option<ArnParts<'_>> {
        ArnParts::parse(&self.0)
    }
}

impl<'a> ArnParts<'a> {
    /// Takes an ARN apart.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (arn, partition) = (parts.next()?, parts.next()?);
        let (service, region, account, resource) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let known = arn == "arn"
            && partition.starts_with("aws")
            && !resource.is_empty()
            && text.is_ascii()
            && !text.contains(' ');
        known.then_some(Self { partition, service, region, account, resource })
    }

    /// The name of a secret whose ARN this is, without the six characters that end it.
    pub fn secret_name(&self) -> Option<&'a str> {
        let named = self.resource.strip_prefix("secret:").filter(|_| self.service == "secretsmanager")?;
        let (name, suffix) = named.rsplit_once('-')?;
        let fits = suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (fits && !name.is_empty()).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_six_parts() {
        let arn = Arn::parse("arn:aws-cn:secretsmanager:cn-north-1:111111111111:secret:a:b-AbCdEf");
        let parts = arn.as_ref().and_then(Arn::parts);
        let expected = ArnParts {
            partition: "aws-cn",
            service: "secretsmanager",
            region: "cn-north-1",
            account: "111111111111",
            resource: "secret:a:b-AbCdEf",
        };
        assert_eq!(parts, Some(expected));
        assert_eq!(expected.secret_name(), Some("a:b"));
        for bad in
            ["", "arn", "arn:aws:s3:::", "arn:other:s3:::b", "arn:aws:s3:::a b", "rna:aws:s3:::b", "arn:aws:s3:::é"]
        {
            assert_eq!(Arn::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_whole_arns_of_secrets_name_one() {
        for other in ["secret:a", "secret:-AbCdEf", "secret:a-AbCdE", "secret:a-AbCdE!", "policy:a-AbCdEf"] {
            let text = format!("arn:aws:secretsmanager:eu-west-1:111111111111:{other}");
            assert_eq!(ArnParts::parse(&text).and_then(|parts| parts.secret_name()), None, "{other}");
        }
        let role = ArnParts::parse("arn:aws:iam::111111111111:role/secret-AbCdEf");
        assert_eq!(role.and_then(|parts| parts.secret_name()), None);
    }

    #[test]
    fn what_the_service_says_is_kept_whatever_it_is() {
        for text in ["", "no arn", "arn:aws:secretsmanager"] {
            let arn = Arn::of_service(text);
            assert_eq!(arn, text);
            assert_eq!(arn.parts(), None);
        }
    }
}
