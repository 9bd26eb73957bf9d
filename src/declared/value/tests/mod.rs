//! The room as its users see it: against files that the genuine program encrypted, against forgeries, and against
//! prying eyes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use globset::{Glob, GlobSet, GlobSetBuilder};
use zeroize::Zeroizing;

use super::*;
use crate::domain::{Arn, SecretName};
use crate::files::{ProjectFile, ProjectFolder};

mod canary;
mod choices;
mod encodings;
mod failures;
mod fixtures;
mod genuine;
mod hostile;
mod identity;
mod kms;
mod program;
mod render;
mod tampering;

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// A file that `tests/fixtures/sops/make.sh` made.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/sops").join(name)
}

fn sops(name: &str, key: Option<&str>) -> Source {
    sops_at(&fixture(name), key)
}

/// The file at a path, as if its folder were a project.
fn file_at(path: &Path) -> ProjectFile {
    let folder = ProjectFolder::open(path.parent().unwrap_or(Path::new("/")));
    let Ok(folder) = folder else { unreachable!("the folder of {} is there", path.display()) };
    ProjectFile::new(&folder, path.file_name().map(PathBuf::from).unwrap_or_default())
}

fn sops_at(path: &Path, key: Option<&str>) -> Source {
    let shown = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Source::Sops(SopsPart {
        file: file_at(path),
        shown,
        key: key.map(str::to_owned),
        format: None,
        as_string: false,
        allow_unencrypted: false,
    })
}

fn keys_of(name: &str) -> AgeKeys {
    let file = fixture(name).into_os_string();
    AgeKeys::look_up(&|variable| (variable == "SOPS_AGE_KEY_FILE").then(|| file.clone()), None)
}

fn keys() -> AgeKeys {
    keys_of("throwaway-key.txt")
}

/// Passwords that are all the same, with the options that they were asked for.
#[derive(Default)]
struct SamePassword(Mutex<Vec<GenerateOptions>>);

impl Passwords for SamePassword {
    async fn generate(&self, options: &GenerateOptions) -> std::result::Result<Zeroizing<String>, String> {
        self.0.lock().map_err(|_| "poisoned".to_owned())?.push(options.clone());
        Ok(Zeroizing::new("CANARY-generated".to_owned()))
    }
}

fn globs(patterns: &[&str]) -> Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern)?);
    }
    Ok(set.build()?)
}

fn environment(name: &str) -> Option<OsString> {
    name.starts_with("KW_").then(|| OsString::from(format!("CANARY-of-{name}")))
}

fn arn(name: &SecretName) -> Option<Arn> {
    name.as_str()
        .starts_with("known/")
        .then(|| format!("arn:aws:secretsmanager:eu-west-1:1:secret:{name}-AbCdEf"))
        .map(Arn::of_service)
}

/// The role that files may ask for.
const TRUSTED_ROLE: &str = "arn:aws:iam::111111111111:role/sops";

/// A program with our whole environment but for what it is not given.
fn program_at(path: impl Into<PathBuf>) -> SopsProgram {
    SopsProgram::new(path, std::env::vars_os(), &GlobSet::empty(), false)
}

/// Renders a source with these keys, this KMS and, if any, this program.
fn render_with<K: DataKeys>(
    source: &Source,
    age: &AgeKeys,
    kms: &K,
    program: Option<&SopsProgram>,
) -> std::result::Result<SecretValue, ValueError> {
    let files = SopsFiles::new();
    let trust = SopsTrust { profiles: Vec::new(), roles: vec![TRUSTED_ROLE.to_owned()] };
    let decryptor = Decryptor::new(&files, age, kms, program).trusting(trust);
    let allowed = globs(&["KW_*", "AWS_*"]).unwrap_or_else(|_| GlobSet::empty());
    let context = RenderContext {
        decryptor: &decryptor,
        arns: &arn,
        env: EnvAccess::new(&environment, &allowed),
        passwords: &SamePassword::default(),
        kept: None,
    };
    run(source.render(&context))
}

fn render(source: &Source) -> std::result::Result<SecretValue, ValueError> {
    render_with(source, &keys(), &NoKms, None)
}

#[expect(clippy::unwrap_used, reason = "a test without a runtime cannot go on")]
fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// The text of a value, for comparison.
fn text(value: &SecretValue) -> &str {
    match value.expose() {
        Exposed::Text(text) => text,
        Exposed::Binary(_) => "(binary)",
    }
}

fn identity_of(source: &Source, name: &str) -> std::result::Result<Identity, ValueError> {
    source.identity(&SecretName::new(name), &arn, &SopsFiles::new())
}
