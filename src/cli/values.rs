//! Where the values of a run come from: SOPS files and their keys, the environment, the service's passwords.

use std::ffi::OsString;
use std::future::Future;
use std::path::Path;

use clap::Args;
use globset::{Glob, GlobSet, GlobSetBuilder};
use zeroize::Zeroizing;

use super::shell::Shell;
use crate::apply::{Arns, Values, WriteSecrets};
use crate::aws::{Aws, Kms, Writer};
use crate::desired::SecretName;
use crate::exit_code::ExitCode;
use crate::render::escape;
use crate::value::{
    AgeKeys, Decryptor, EnvAccess, GenerateOptions, Identity, Passwords, RenderContext, SecretValue, SopsFiles,
    SopsProgram, Source, ValueError, config_home,
};

/// The throwaway key that an example ships with. It counts in `--sandbox` runs only.
const SANDBOX_KEY_FILE: &str = "sandbox-age-key.txt";

/// What values may come from.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Values")]
pub(super) struct ValueArgs {
    /// Environment variables that manifests may read, as a pattern; may be given several times. AWS_* and SOPS_* never
    /// are
    #[arg(long, value_name = "PATTERN")]
    allow_env: Vec<String>,
    /// Call the program sops for files that keywright does not decrypt itself
    #[arg(long)]
    allow_sops_program: bool,
}

/// Everything that values of one run are made of, read when it is needed.
pub(super) struct ValueSources {
    files: SopsFiles,
    age: AgeKeys,
    kms: Kms,
    program: Option<SopsProgram>,
    allowed: GlobSet,
}

impl ValueSources {
    pub(super) fn new(args: &ValueArgs, aws: &Aws, root: &Path, shell: &Shell) -> Result<Self, ExitCode> {
        let mut allowed = GlobSetBuilder::new();
        for pattern in &args.allow_env {
            allowed.add(Glob::new(pattern).map_err(|error| wrong_pattern(&error, shell))?);
        }
        let allowed = allowed.build().map_err(|error| wrong_pattern(&error, shell))?;
        let sandbox_key = root.join(SANDBOX_KEY_FILE);
        let sandbox_key = (aws.is_embedded() && sandbox_key.is_file()).then_some(sandbox_key);
        let env = |name: &str| -> Option<OsString> {
            let own = std::env::var_os(name);
            if name == "SOPS_AGE_KEY_FILE" && own.is_none() { sandbox_key.clone().map(Into::into) } else { own }
        };
        Ok(Self {
            files: SopsFiles::new(),
            age: AgeKeys::look_up(&env, config_home(&env).as_deref()),
            kms: aws.kms(),
            program: args.allow_sops_program.then(|| SopsProgram::new("sops")),
            allowed,
        })
    }

    /// Decrypts each file once, for all targets of the run.
    pub(super) fn decryptor(&self) -> Decryptor<'_, Kms> {
        Decryptor::new(&self.files, &self.age, &self.kms, self.program.as_ref())
    }
}

fn wrong_pattern(error: &globset::Error, shell: &Shell) -> ExitCode {
    shell.error(&format!("--allow-env: {}", escape::line(&error.to_string())), None);
    ExitCode::Usage
}

/// Values for planning and applying.
pub(super) struct RunValues<'a, P> {
    pub(super) sources: &'a ValueSources,
    pub(super) decryptor: &'a Decryptor<'a, Kms>,
    pub(super) passwords: P,
}

impl<P: Passwords> Values for RunValues<'_, P> {
    async fn render(&self, source: &Source, arns: &Arns<'_>) -> Result<SecretValue, ValueError> {
        let env = |name: &str| std::env::var_os(name);
        let context = RenderContext {
            decryptor: self.decryptor,
            arns: &|name| arns(name),
            env: EnvAccess::new(&env, &self.sources.allowed),
            passwords: &self.passwords,
        };
        source.render(&context).await
    }

    fn identity(&self, name: &SecretName, source: &Source, arns: &Arns<'_>) -> Result<Identity, ValueError> {
        source.identity(name, &|name| arns(name), &self.sources.files)
    }
}

/// Planning makes no password.
pub(super) struct NoPasswords;

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
