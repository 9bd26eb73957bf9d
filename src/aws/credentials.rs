//! Why there are no credentials: where they were looked for, and what is wrong with the profile that was to give them.
//! Nothing of this is read before credentials have failed.

use std::collections::BTreeSet;

use aws_config::profile::ProfileSet;
use aws_credential_types::provider::error::CredentialsError;
use aws_types::os_shim_internal::{Env, Fs};

use super::error::chain;
use crate::desired::Target;

/// The most profiles that lead from one to the next (`source_profile`).
const LONGEST_CHAIN: usize = 10;

/// Where credentials were looked for in vain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialSearch {
    /// The places, in the order in which they were tried.
    pub places: Vec<CredentialPlace>,
    /// The role that was to be assumed with what is found there.
    pub role: Option<String>,
    /// What is wrong, when that is known.
    pub problem: Option<CredentialProblem>,
}

/// A place where credentials are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialPlace {
    /// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
    Environment,
    /// A profile of the AWS configuration.
    Profile {
        /// Its name.
        name: String,
        /// Who names it.
        named_by: NamedBy,
    },
    /// AWS_WEB_IDENTITY_TOKEN_FILE.
    WebIdentity,
    /// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI: ECS and EKS.
    Container,
    /// The metadata of an EC2 instance.
    Instance,
}

/// Who names a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// The target, in the project file.
    Target,
    /// AWS_PROFILE.
    Variable,
    /// No one: it is `default`.
    Default,
}

/// What is known to be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialProblem {
    /// The profile does not exist.
    UnknownProfile {
        /// Its name.
        name: String,
        /// Who names it.
        named_by: NamedBy,
        /// The profiles that exist.
        known: Vec<String>,
    },
    /// Somebody has to sign in again: the SSO session of this profile ended, or never began.
    SsoSession {
        /// The profile.
        profile: String,
    },
    /// The caller may not assume the role.
    Role {
        /// The role.
        role: String,
    },
}

/// Finds out why there are no credentials for a target.
pub(super) async fn search(target: &Target, error: &CredentialsError) -> CredentialSearch {
    diagnose(target, error, &Fs::real(), &Env::real()).await
}

async fn diagnose(target: &Target, error: &CredentialsError, fs: &Fs, env: &Env) -> CredentialSearch {
    let is_set = |name: &str| env.get(name).is_ok_and(|value| !value.is_empty());
    let (name, named_by) = profile_in_force(target.profile.as_deref(), env);
    let profiles = profiles(&name, fs, env).await;
    let exists = profiles.as_ref().is_some_and(|profiles| profiles.get_profile(&name).is_some());
    let profile = CredentialPlace::Profile { name: name.clone(), named_by };
    let mut places = Vec::new();
    if named_by == NamedBy::Target {
        places.push(profile);
    } else {
        // One that has something, and fails, ends the search.
        let ended = !matches!(error, CredentialsError::CredentialsNotLoaded(_));
        let chain = [
            (CredentialPlace::Environment, is_set("AWS_ACCESS_KEY_ID"), true),
            (profile, exists, true),
            (CredentialPlace::WebIdentity, true, is_set("AWS_WEB_IDENTITY_TOKEN_FILE")),
            (CredentialPlace::Container, true, is_container(&is_set)),
            (CredentialPlace::Instance, true, !is_disabled(env)),
        ];
        for (place, has_something, is_looked_at) in chain {
            if is_looked_at {
                places.push(place);
                if ended && has_something {
                    break;
                }
            }
        }
    }
    let text = chain(error);
    let problem = if !exists && named_by != NamedBy::Default {
        // In the order of their names: the SDK has them in none.
        let known: BTreeSet<&str> = profiles.iter().flat_map(ProfileSet::profiles).collect();
        let known = known.into_iter().map(str::to_owned).collect();
        Some(CredentialProblem::UnknownProfile { name, named_by, known })
    } else if let Some(role) = target.assume_role.as_ref().filter(|_| text.contains("sts:AssumeRole")) {
        Some(CredentialProblem::Role { role: role.clone() })
    } else {
        let signed_in = profiles.as_ref().and_then(|profiles| sso_profile(profiles, &name));
        signed_in
            .filter(|_| is_of_sso(&text))
            .map(|profile| CredentialProblem::SsoSession { profile: profile.to_owned() })
    };
    CredentialSearch { places, role: target.assume_role.clone(), problem }
}

/// The profile that is used, and who names it.
pub(super) fn profile_in_force(of_target: Option<&str>, env: &Env) -> (String, NamedBy) {
    match (of_target, env.get("AWS_PROFILE").ok().filter(|name| !name.is_empty())) {
        (Some(profile), _) => (profile.to_owned(), NamedBy::Target),
        (None, Some(profile)) => (profile, NamedBy::Variable),
        (None, None) => ("default".to_owned(), NamedBy::Default),
    }
}

/// The profiles of the AWS configuration. A file that cannot be read has none; the SDK's own error says why.
pub(super) async fn profiles(chosen: &str, fs: &Fs, env: &Env) -> Option<ProfileSet> {
    aws_config::profile::load(fs, env, &<_>::default(), Some(chosen.to_owned().into())).await.ok()
}

/// Whether a variable names the endpoint of a container (ECS, EKS).
pub(super) fn is_container(is_set: &impl Fn(&str) -> bool) -> bool {
    is_set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") || is_set("AWS_CONTAINER_CREDENTIALS_FULL_URI")
}

fn is_disabled(env: &Env) -> bool {
    env.get("AWS_EC2_METADATA_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"))
}

/// The profile that signs in by SSO: this one, or the one that its role is assumed with.
fn sso_profile<'a>(profiles: &'a ProfileSet, mut name: &'a str) -> Option<&'a str> {
    for _ in 0..LONGEST_CHAIN {
        let profile = profiles.get_profile(name)?;
        if profile.get("sso_session").or_else(|| profile.get("sso_start_url")).is_some() {
            return Some(name);
        }
        name = profile.get("source_profile").filter(|source| *source != name)?;
    }
    None
}

/// Whether the texts of the SDK's error chain say that the token of a session is missing, old or refused.
fn is_of_sso(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("sso") && text.contains("token") || text.contains("unauthorizedexception")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AccountId, Region};
    use crate::origin::Origin;

    const CONFIG: &str = "[default]\nregion = eu-west-1\n[profile payments-prod]\nsso_session = corp\n\
        sso_account_id = 111111111111\nsso_role_name = reader\n[profile deploy]\nsource_profile = payments-prod\n\
        role_arn = arn:aws:iam::222222222222:role/deploy\n[sso-session corp]\nsso_region = eu-west-1\n\
        sso_start_url = https://corp.example\n";

    fn target(profile: Option<&str>, role: Option<&str>) -> Target {
        Target {
            name: "prod".to_owned(),
            account: AccountId::parse("111111111111"),
            region: Region::of_service("eu-west-1"),
            assume_role: role.map(str::to_owned),
            profile: profile.map(str::to_owned),
            endpoint_url: None,
            origin: Origin { file: "keywright.yaml".into(), line: 1, column: 1 },
        }
    }

    fn found(target: &Target, error: &CredentialsError, env: &[(&str, &str)]) -> CredentialSearch {
        let fs = Fs::from_slice(&[("/home/a/.aws/config", CONFIG)]);
        let env = Env::from_slice(&[&[("HOME", "/home/a")], env].concat());
        tokio::runtime::Builder::new_current_thread()
            .build()
            .map(|it| it.block_on(diagnose(target, error, &fs, &env)))
            .unwrap_or_default()
    }

    #[test]
    fn an_unknown_profile_is_said_with_those_that_exist() {
        let error = CredentialsError::not_loaded("profile `payments` was not defined");
        let search = found(&target(Some("payments"), None), &error, &[]);
        assert_eq!(search.places.len(), 1, "nothing but the profile was looked at: {search:?}");
        let Some(CredentialProblem::UnknownProfile { name, named_by: NamedBy::Target, known }) = search.problem else {
            unreachable!("{:?}", search.problem)
        };
        assert_eq!(name, "payments");
        assert_eq!(known, ["default", "deploy", "payments-prod"], "in the order of their names");
        let search = found(&target(None, None), &error, &[("AWS_PROFILE", "x")]);
        let problem = search.problem;
        assert!(matches!(problem, Some(CredentialProblem::UnknownProfile { named_by: NamedBy::Variable, .. })));
    }

    #[test]
    fn a_session_that_ended_names_the_profile_that_signs_in() {
        let error = CredentialsError::provider_error("the SSO token has expired and cannot be refreshed");
        for profile in ["payments-prod", "deploy"] {
            let problem = found(&target(Some(profile), None), &error, &[]).problem;
            let expected = CredentialProblem::SsoSession { profile: "payments-prod".to_owned() };
            assert_eq!(problem, Some(expected), "{profile}");
        }
        let unreachable = CredentialsError::provider_error("dispatch failure: connection refused");
        assert_eq!(found(&target(Some("deploy"), None), &unreachable, &[]).problem, None);
    }

    #[test]
    fn only_places_that_were_looked_at_are_listed() {
        let none = CredentialsError::not_loaded_no_source();
        let default = CredentialPlace::Profile { name: "default".to_owned(), named_by: NamedBy::Default };
        let places = |error: &CredentialsError, env: &[(&str, &str)]| found(&target(None, None), error, env).places;
        let disabled = ("AWS_EC2_METADATA_DISABLED", "true");
        assert_eq!(places(&none, &[disabled]), [CredentialPlace::Environment, default.clone()]);
        assert_eq!(
            places(&none, &[("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")]),
            [CredentialPlace::Environment, default.clone(), CredentialPlace::WebIdentity, CredentialPlace::Instance]
        );
        // What fails ends the search.
        let broken = CredentialsError::provider_error("no");
        assert_eq!(places(&broken, &[]), [CredentialPlace::Environment, default]);
        assert_eq!(places(&broken, &[("AWS_ACCESS_KEY_ID", "A")]), [CredentialPlace::Environment]);
    }

    #[test]
    fn a_role_that_may_not_be_assumed_is_the_problem() {
        let role = "arn:aws:iam::222222222222:role/deploy";
        let denied = CredentialsError::provider_error("is not authorized to perform: sts:AssumeRole on resource");
        let problem = found(&target(None, Some(role)), &denied, &[]).problem;
        assert_eq!(problem, Some(CredentialProblem::Role { role: role.to_owned() }));
    }
}
