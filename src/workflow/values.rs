//! Where the values of a run come from: SOPS files and their keys, the environment, the service's passwords.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::future::Future;
use std::path::Path;

use globset::{Glob, GlobSet, GlobSetBuilder};
use zeroize::Zeroizing;

use super::error::{Error, ErrorKind};
use super::failures::group_values;
use crate::apply::WriteSecrets;
use crate::aws::{Aws, Kms, Writer};
use crate::desired::Desired;
use crate::domain::SecretName;
use crate::value::{
    AgeKeys, Arns, Decryptor, EnvAccess, GenerateOptions, Identity, KeptParts, Known, Passwords, RenderContext,
    SecretValue, SopsFiles, SopsKey, SopsProgram, SopsTrust, Source, ValueError, Values, config_home,
};

/// The throwaway key that an example ships with. It counts in `--sandbox` runs only.
const SANDBOX_KEY_FILE: &str = "sandbox-age-key.txt";

/// What values may come from.
#[derive(Clone, Debug, Default)]
pub struct ValueRules {
    allowed_env: GlobSet,
    sops_program: bool,
    /// Variables that the program sops is given beside SOPS_* and AWS_*.
    sops_env: GlobSet,
    trust: SopsTrust,
}

impl ValueRules {
    /// Variables that manifests may read, as patterns; whether the program sops may be called, and with which variables
    /// of ours; and the profiles and roles that SOPS files may ask for.
    pub fn new(
        allowed_env: &[String],
        sops_program: bool,
        sops_env: &[String],
        trust: SopsTrust,
    ) -> Result<Self, Error> {
        Ok(Self {
            allowed_env: patterns("allow-env", allowed_env)?,
            sops_program,
            sops_env: patterns("sops-env", sops_env)?,
            trust,
        })
    }
}

fn patterns(flag: &'static str, written: &[String]) -> Result<GlobSet, Error> {
    let wrong = |error: globset::Error| Error::from(ErrorKind::WrongFlag { flag }).because(error);
    let mut set = GlobSetBuilder::new();
    for pattern in written {
        set.add(Glob::new(pattern).map_err(wrong)?);
    }
    set.build().map_err(wrong)
}

/// Everything that values of one run are made of, read when it is needed.
pub struct ValueSources {
    files: SopsFiles,
    age: AgeKeys,
    kms: Kms,
    program: Option<SopsProgram>,
    trust: SopsTrust,
    allowed: GlobSet,
}

impl ValueSources {
    /// Looks up keys for the project in `root`.
    pub fn open(rules: &ValueRules, aws: &Aws, root: &Path) -> Self {
        let sandbox_key = root.join(SANDBOX_KEY_FILE);
        let sandbox_key = (aws.is_embedded() && sandbox_key.is_file()).then_some(sandbox_key);
        let env = |name: &str| -> Option<OsString> {
            let own = std::env::var_os(name);
            if name == "SOPS_AGE_KEY_FILE" && own.is_none() { sandbox_key.clone().map(Into::into) } else { own }
        };
        Self {
            files: SopsFiles::new(),
            age: AgeKeys::look_up(&env, config_home(&env).as_deref()),
            kms: aws.kms(),
            program: rules
                .sops_program
                .then(|| SopsProgram::new("sops", std::env::vars_os(), &rules.sops_env, aws.is_embedded())),
            trust: rules.trust.clone(),
            allowed: rules.allowed_env.clone(),
        }
    }

    /// Decrypts each file once, for all targets of the run.
    pub fn decryptor(&self) -> Decryptor<'_, Kms> {
        Decryptor::new(&self.files, &self.age, &self.kms, self.program.as_ref()).trusting(self.trust.clone())
    }
}

/// The KMS keys of the SOPS files of each target, read without any key.
pub fn sops_keys(targets: &[Desired]) -> Result<Vec<BTreeSet<SopsKey>>, Vec<Error>> {
    let mut wrong = Vec::new();
    let keys = targets
        .iter()
        .map(|desired| {
            let files = SopsFiles::new();
            let mut keys = BTreeSet::new();
            for desired_secret in desired.secrets.values() {
                let Some(value) = &desired_secret.value else { continue };
                match files.kms_keys(&value.source) {
                    Ok(found) => keys.extend(found),
                    Err(error) => wrong.push((desired_secret.name.clone(), error)),
                }
            }
            keys
        })
        .collect();
    if wrong.is_empty() { Ok(keys) } else { Err(group_values(wrong)) }
}

/// Values for planning and applying.
pub struct RunValues<'a, P> {
    pub(super) sources: &'a ValueSources,
    pub(super) decryptor: &'a Decryptor<'a, Kms>,
    pub(super) passwords: P,
}

impl<P> RunValues<'_, P> {
    /// What is known of a source's value without any key.
    pub(super) fn in_clear(&self, source: &Source) -> Known {
        Known::of_source(source, &self.sources.files)
    }
}

impl<P: Passwords> Values for RunValues<'_, P> {
    async fn render(
        &self,
        source: &Source,
        kept: Option<&SecretValue>,
        arns: &Arns<'_>,
    ) -> Result<SecretValue, ValueError> {
        let env = |name: &str| std::env::var_os(name);
        let context = RenderContext {
            decryptor: self.decryptor,
            arns: &|name| arns(name),
            env: EnvAccess::new(&env, &self.sources.allowed),
            passwords: &self.passwords,
            kept: kept.map(KeptParts::read).transpose()?,
        };
        source.render(&context).await
    }

    fn identity(&self, name: &SecretName, source: &Source, arns: &Arns<'_>) -> Result<Identity, ValueError> {
        source.identity(name, &|name| arns(name), &self.sources.files)
    }
}

/// Planning makes no password.
pub struct NoPasswords;

impl Passwords for NoPasswords {
    async fn generate(&self, _: &GenerateOptions) -> Result<Zeroizing<String>, String> {
        Err("no password is made while planning".to_owned())
    }
}

/// GetRandomPassword of a target.
pub(super) struct TargetPasswords<'a>(pub(super) &'a Writer);

impl Passwords for TargetPasswords<'_> {
    fn generate(&self, options: &GenerateOptions) -> impl Future<Output = Result<Zeroizing<String>, String>> + Send {
        let options = options.clone();
        async move { self.0.random_password(&options).await.map_err(|error| error.to_string()) }
    }
}
