//! Tests of the whole room.
//!
//! `cases/` holds one readable file for each rule: the files of a project, each beneath a line `=== path`, and beneath
//! `=== expected` what a user reads. A case without a `keywright.yaml` gets the usual one. `KEYWRIGHT_BLESS=1 cargo
//! test` writes the expected parts anew; read the difference before committing it.

mod build;
mod explain;
mod fleet;
mod hostile;
mod proposed;
mod rules;
mod shared;

use std::fs;
use std::path::Path;

use keywright::manifest::{LoadOptions, Loaded, load};

/// The project file that most tests use: two targets with one variable.
const PROJECT: &str = r#"apiVersion: keywright/v1
kind: Project
metadata:
  name: payments
spec:
  targets:
    - name: staging
      account: "111111111111"
      region: eu-west-1
      vars: { env: staging }
    - name: prod
      account: "222222222222"
      region: eu-west-1
      vars: { env: prod }
  scope:
    namePrefixes: ["${env}/payments/"]
"#;

/// Loads a project made of these files; the usual project file is added when it has none.
fn load_files<N: AsRef<str>, T: AsRef<[u8]>>(files: &[(N, T)], targets: &[&str]) -> Loaded {
    let Ok(folder) = tempfile::tempdir() else { unreachable!("a temporary folder can be made") };
    let write = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
        assert!(written.is_ok(), "{name} is written");
    };
    if !files.iter().any(|(name, _)| name.as_ref().starts_with("keywright.y")) {
        write("keywright.yaml", PROJECT.as_bytes());
    }
    for (name, text) in files {
        write(name.as_ref(), text.as_ref());
    }
    load(
        folder.path(),
        &LoadOptions { targets: targets.iter().map(ToString::to_string).collect(), ..LoadOptions::default() },
    )
}

/// A Secret document with this name (after `${env}/payments/`) and this `spec`, whose lines are indented already.
fn secret(name: &str, spec: &str) -> String {
    format!("apiVersion: keywright/v1\nkind: Secret\nmetadata:\n  name: ${{env}}/payments/{name}\nspec:\n{spec}\n")
}

/// The codes of everything that is found, in order.
fn codes(loaded: &Loaded) -> Vec<&'static str> {
    loaded.diagnostics.iter().map(|found| found.code.id).collect()
}

/// The folder of the cases, beside this file.
fn cases() -> std::path::PathBuf {
    Path::new(file!()).parent().unwrap_or(Path::new("")).join("cases")
}
