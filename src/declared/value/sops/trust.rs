//! What a SOPS file may ask for when its data key is unwrapped.
//!
//! A file's `aws_profile`, its `role` and the region in a key's ARN come from the repository, and so from whoever may
//! write a branch. They choose with whose credentials a call is made, and where to. So a profile or a role is used only
//! when a person has named it on the command line, and a region must look like one.

use super::metadata::KmsRecipient;

/// The profiles and roles that SOPS files may ask for (`--sops-aws-profile`, `--sops-role`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SopsTrust {
    /// Profiles of the AWS configuration files.
    pub profiles: Vec<String>,
    /// Roles to be assumed, by ARN.
    pub roles: Vec<String>,
}

impl SopsTrust {
    /// What a recipient asks for that nobody has allowed, in words.
    pub(super) fn refuses(&self, recipient: &KmsRecipient) -> Option<String> {
        let asks = |wanted: &Option<String>, allowed: &[String]| {
            wanted.clone().filter(|name| !name.is_empty() && !allowed.contains(name))
        };
        if let Some(profile) = asks(&recipient.aws_profile, &self.profiles) {
            return Some(format!(
                "the file asks for the AWS profile {profile} (aws_profile): allow it with --sops-aws-profile \
                 {profile}, or take the field out of the file"
            ));
        }
        asks(&recipient.role, &self.roles).map(|role| {
            format!(
                "the file asks for the role {role} (role): allow it with --sops-role {role}, or take the field out of \
                 the file"
            )
        })
    }
}

/// The region in a KMS key's ARN, when it looks like one: it becomes a part of the host that is asked.
pub fn region_of_key(arn: &str) -> Option<&str> {
    let mut parts = arn.split(':');
    let is_arn = parts.next() == Some("arn") && parts.next().is_some_and(|partition| partition.starts_with("aws"));
    let region = parts.next().filter(|service| is_arn && *service == "kms").and(parts.next())?;
    let words: Vec<&str> = region.split('-').collect();
    let (number, names) = words.split_last()?;
    let is_name = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_region = region.len() <= 32
        && names.len() >= 2
        && names.iter().all(is_name)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit());
    is_region.then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_looks_like_one() {
        for region in ["eu-west-1", "us-gov-east-1", "us-iso-east-1", "ap-southeast-4", "cn-north-1"] {
            assert_eq!(region_of_key(&format!("arn:aws:kms:{region}:111111111111:key/x")), Some(region));
        }
        for region in
            ["", "evil.example/", "eu-west-1.evil.example", "EU-WEST-1", "eu-1", "eu-west-100", "eu--1", "a@b-c-1"]
        {
            assert_eq!(region_of_key(&format!("arn:aws:kms:{region}:111111111111:key/x")), None, "{region}");
        }
        for arn in ["", "arn", "arn:aws:s3:eu-west-1:1:key/x", "arn:evil:kms:eu-west-1:1:key/x", "x:aws:kms:eu-west-1"]
        {
            assert_eq!(region_of_key(arn), None, "{arn}");
        }
    }

    #[test]
    fn a_profile_and_a_role_are_used_when_they_were_named() {
        let recipient = KmsRecipient {
            arn: String::new(),
            role: Some("arn:aws:iam::1:role/r".to_owned()),
            context: None,
            enc: String::new(),
            aws_profile: Some("alice".to_owned()),
        };
        let trust = |profiles: &[&str], roles: &[&str]| SopsTrust {
            profiles: profiles.iter().map(ToString::to_string).collect(),
            roles: roles.iter().map(ToString::to_string).collect(),
        };
        let refused = |trust: SopsTrust| trust.refuses(&recipient).unwrap_or_default();
        assert!(refused(trust(&[], &[])).contains("--sops-aws-profile alice"));
        assert!(
            refused(trust(&["alice"], &["arn:aws:iam::1:role/other"])).contains("--sops-role arn:aws:iam::1:role/r")
        );
        assert_eq!(refused(trust(&["alice"], &["arn:aws:iam::1:role/r"])), "");
    }
}
