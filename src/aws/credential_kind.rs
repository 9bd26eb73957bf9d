//! Where credentials came from, by kind, and whether any are in sight without a request.

use aws_config::profile::Profile;
use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature as Feature;
use aws_types::os_shim_internal::{Env, Fs};

use super::credentials::{is_container, profile_in_force, profiles};

/// What gave the credentials of a target; nothing secret is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// The embedded sandbox, which takes any.
    Sandbox,
    /// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
    Environment,
    /// Keys in a profile of the AWS configuration.
    Profile,
    /// A profile that signs in by IAM Identity Center.
    SignIn,
    /// A profile's `credential_process`.
    Process,
    /// A token of an identity provider (AWS_WEB_IDENTITY_TOKEN_FILE), as CI systems and EKS have it.
    WebIdentity,
    /// A role that was assumed with others (STS AssumeRole).
    AssumedRole,
    /// The endpoint of a container (ECS, EKS).
    Container,
    /// The metadata of an EC2 instance.
    Instance,
    /// Something that the SDK does not name.
    Other,
}

impl CredentialKind {
    /// The kind, by what the SDK notes about credentials for its user agent.
    pub(super) fn of(credentials: &Credentials) -> Self {
        let features = credentials.get_property::<Vec<Feature>>().map_or(&[][..], Vec::as_slice);
        let mut kinds = features.iter().filter_map(|feature| match feature {
            Feature::CredentialsEnvVars => Some(Self::Environment),
            Feature::CredentialsSso | Feature::CredentialsProfileSso | Feature::CredentialsProfileLogin => {
                Some(Self::SignIn)
            }
            Feature::CredentialsProcess | Feature::CredentialsProfileProcess => Some(Self::Process),
            Feature::CredentialsEnvVarsStsWebIdToken
            | Feature::CredentialsProfileStsWebIdToken
            | Feature::CredentialsStsAssumeRoleWebId => Some(Self::WebIdentity),
            Feature::CredentialsStsAssumeRole => Some(Self::AssumedRole),
            Feature::CredentialsHttp => Some(Self::Container),
            Feature::CredentialsImds => Some(Self::Instance),
            Feature::CredentialsProfile
            | Feature::CredentialsProfileSourceProfile
            | Feature::CredentialsProfileNamedProvider => Some(Self::Profile),
            _ => None,
        });
        // A profile that names another source is noted before that source.
        kinds.next_back().unwrap_or(Self::Other)
    }
}

/// Keys of a profile that give credentials.
const KEYS: [&str; 7] = [
    "aws_access_key_id",
    "credential_process",
    "login_session",
    "role_arn",
    "sso_session",
    "sso_start_url",
    "web_identity_token_file",
];

/// Whether the environment, or the profile in force, says where credentials are. No request is sent: whether they are
/// any good, and whether the instance that this runs on has some, is not known.
pub async fn credentials_in_sight(profile: Option<&str>) -> bool {
    in_sight(profile, &Fs::real(), &Env::real()).await
}

async fn in_sight(profile: Option<&str>, fs: &Fs, env: &Env) -> bool {
    let is_set = |name: &str| env.get(name).is_ok_and(|value| !value.is_empty());
    let by_variables = is_set("AWS_ACCESS_KEY_ID") || is_set("AWS_WEB_IDENTITY_TOKEN_FILE") || is_container(&is_set);
    if profile.is_none() && by_variables {
        return true;
    }
    let (name, _) = profile_in_force(profile, env);
    let profiles = profiles(&name, fs, env).await;
    let gives = |profile: &Profile| KEYS.iter().any(|key| profile.get(key).is_some());
    profiles.is_some_and(|profiles| profiles.get_profile(&name).is_some_and(gives))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn seen(profile: Option<&str>, env: &[(&str, &str)]) -> bool {
        let config = "[default]\nregion = eu-west-1\n[profile ci]\nrole_arn = arn:aws:iam::111111111111:role/ci\n\
                      source_profile = default\n";
        let fs = Fs::from_slice(&[("/home/a/.aws/config", config)]);
        let env = Env::from_slice(&[&[("HOME", "/home/a")], env].concat());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(in_sight(profile, &fs, &env))
    }

    #[test]
    fn credentials_are_in_sight_where_something_names_them() {
        assert!(!seen(None, &[]), "a profile with a region alone gives none");
        assert!(!seen(None, &[("AWS_ACCESS_KEY_ID", "")]));
        assert!(seen(None, &[("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")]));
        assert!(seen(Some("ci"), &[]) && seen(None, &[("AWS_PROFILE", "ci")]));
        assert!(!seen(Some("unknown"), &[("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")]), "a named profile goes first");
    }

    #[test]
    fn the_kind_is_that_of_the_last_provider() {
        let mut credentials = Credentials::from_keys("AKIDEXAMPLE", "not shown", None);
        credentials.get_property_mut_or_default::<Vec<Feature>>().clear();
        assert_eq!(CredentialKind::of(&credentials), CredentialKind::Other);
        let features = credentials.get_property_mut_or_default::<Vec<Feature>>();
        features.extend([Feature::CredentialsProfileSourceProfile, Feature::CredentialsStsAssumeRole]);
        assert_eq!(CredentialKind::of(&credentials), CredentialKind::AssumedRole);
    }
}
