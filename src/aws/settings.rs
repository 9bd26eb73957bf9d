//! What the environment and the AWS profile say of retries and certificates: AWS_MAX_ATTEMPTS, AWS_RETRY_MODE and
//! AWS_CA_BUNDLE, else `max_attempts`, `retry_mode` and `ca_bundle` of the profile, as the AWS CLI reads them.

use std::env::var;
use std::path::Path;

use aws_config::profile::ProfileSet;
use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use aws_types::os_shim_internal::{Env, Fs};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::files::read_operator_file;

/// The largest bundle of certificates, in bytes: several times that of a system.
const MAX_BUNDLE: u64 = 8 * 1024 * 1024;

/// What is set. Nothing is what keywright does by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// How often a call is made.
    pub(super) max_attempts: Option<u32>,
    /// Whether groups of operations are not slowed down when they are throttled (`standard`).
    pub(super) keeps_pace: bool,
    /// Certificates to trust instead of the system's, in PEM.
    pub(super) trusted: Option<Vec<u8>>,
}

/// A setting that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting} {problem}")]
pub struct SettingError {
    /// Its name: of a variable, or of a key in the profile.
    setting: &'static str,
    problem: String,
}

impl Settings {
    /// Reads them, with a profile that was named on purpose, or AWS_PROFILE's.
    #[expect(clippy::default_trait_access, reason = "the type of the places of files is the SDK's own")]
    pub(super) async fn read(profile: Option<&str>) -> Result<Self, SettingError> {
        let chosen = profile.map(|profile| profile.to_owned().into());
        // A file that is broken is told by whoever looks for credentials in it.
        let files = Default::default();
        let profiles = aws_config::profile::load(&Fs::real(), &Env::real(), &files, chosen).await.ok();
        let of_profile = |key: &str| profiles.as_ref().and_then(|set| ProfileSet::get(set, key).map(str::to_owned));
        Self::of(|name| var(name).ok(), of_profile)
    }

    fn of(
        of_environment: impl Fn(&str) -> Option<String>,
        of_profile: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SettingError> {
        let found = |variable: &'static str, key: &'static str| {
            let named = |text: Option<String>, name| text.filter(|text| !text.is_empty()).map(|text| (name, text));
            named(of_environment(variable), variable).or_else(|| named(of_profile(key), key))
        };
        let max_attempts = match found("AWS_MAX_ATTEMPTS", "max_attempts") {
            Some((setting, text)) => Some(attempts(setting, &text)?),
            None => None,
        };
        let keeps_pace = match found("AWS_RETRY_MODE", "retry_mode") {
            Some((setting, text)) => keeps_pace(setting, &text)?,
            None => false,
        };
        let trusted = match found("AWS_CA_BUNDLE", "ca_bundle") {
            Some((setting, path)) => Some(bundle(setting, Path::new(&path))?),
            None => None,
        };
        Ok(Self { max_attempts, keeps_pace, trusted })
    }

    /// What connections trust; none for the certificates of the system.
    pub(super) fn tls_context(&self) -> Option<TlsContext> {
        let trusted = self.trusted.clone()?;
        TlsContext::builder().with_trust_store(TrustStore::empty().with_pem_certificate(trusted)).build().ok()
    }
}

fn attempts(setting: &'static str, text: &str) -> Result<u32, SettingError> {
    let attempts = text.trim().parse::<u32>().ok().filter(|attempts| *attempts > 0);
    let problem = || SettingError { setting, problem: "is no number of attempts, such as 3".to_owned() };
    attempts.ok_or_else(problem)
}

fn keeps_pace(setting: &'static str, text: &str) -> Result<bool, SettingError> {
    match text.trim().to_ascii_lowercase().as_str() {
        "standard" | "legacy" => Ok(true),
        "adaptive" => Ok(false),
        _ => Err(SettingError { setting, problem: "is none of standard, adaptive and legacy".to_owned() }),
    }
}

fn bundle(setting: &'static str, path: &Path) -> Result<Vec<u8>, SettingError> {
    let wrong = |problem: String| SettingError { setting, problem };
    let bytes = read_operator_file(path, MAX_BUNDLE)
        .map_err(|fault| wrong(format!("names {}, and it {fault}", path.display())))?;
    // The TLS under the SDK takes every certificate for a sound one, and panics on one that is not.
    let mut store = RootCertStore::empty();
    for (at, certificate) in CertificateDer::pem_slice_iter(&bytes).enumerate() {
        let sound = certificate.is_ok_and(|certificate| store.add(certificate).is_ok());
        if !sound {
            return Err(wrong(format!("names {}, whose certificate {} cannot be read", path.display(), at + 1)));
        }
    }
    if store.is_empty() {
        return Err(wrong(format!("names {}, which holds no certificate in PEM", path.display())));
    }
    Ok(bytes)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn of(environment: &[(&str, &str)], profile: &[(&str, &str)]) -> Result<Settings, String> {
        let get = |set: &[(&str, &str)], wanted: &str| {
            set.iter().find(|(name, _)| *name == wanted).map(|(_, text)| (*text).to_owned())
        };
        Settings::of(|name| get(environment, name), |key| get(profile, key)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_goes_before_the_profile_for_each_setting() {
        assert_eq!(of(&[], &[]), Ok(Settings::default()));
        let settings = of(&[("AWS_MAX_ATTEMPTS", "7")], &[("max_attempts", "3"), ("retry_mode", "Standard")]).unwrap();
        assert_eq!((settings.max_attempts, settings.keeps_pace), (Some(7), true));
        let settings =
            of(&[("AWS_RETRY_MODE", "adaptive"), ("AWS_MAX_ATTEMPTS", "")], &[("max_attempts", "3")]).unwrap();
        assert_eq!((settings.max_attempts, settings.keeps_pace), (Some(3), false));
    }

    #[test]
    fn what_means_nothing_is_an_error_that_names_it() {
        for (name, text) in [
            ("AWS_MAX_ATTEMPTS", "0"),
            ("AWS_MAX_ATTEMPTS", "many"),
            ("AWS_RETRY_MODE", "x"),
            ("AWS_CA_BUNDLE", "/none"),
        ] {
            let error = of(&[(name, text)], &[]).unwrap_err();
            assert!(error.starts_with(name), "{error}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, "no certificate").unwrap();
        assert!(of(&[], &[("ca_bundle", path.to_str().unwrap())]).unwrap_err().contains("no certificate in PEM"));
        for body in ["MIIB", "AAAA"] {
            std::fs::write(&path, format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")).unwrap();
            let broken = of(&[("AWS_CA_BUNDLE", path.to_str().unwrap())], &[]).unwrap_err();
            assert!(broken.contains("certificate 1 cannot be read"), "{broken}");
        }
    }
}
