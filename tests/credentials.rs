//! What is said at 3 a.m. when there are no credentials, by the real binary: one error for all targets, with the way
//! out. Nothing of the network is reached.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

use std::path::Path;
use std::process::{Command, Output};

/// A project with two targets, and an AWS configuration of its own.
fn project(target: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    write(
        "keywright.yaml",
        &format!(
            "apiVersion: keywright/v1\nkind: Project\nmetadata: {{ name: shop }}\nspec:\n  targets:\n    \
             - {{ name: west, region: eu-west-1{target} }}\n    - {{ name: east, region: us-east-1{target} }}\n  \
             scope: {{ namePrefixes: [prod/] }}\n"
        ),
    );
    write("a.yaml", "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: prod/a }\nspec: { description: A }\n");
    write(
        "config",
        "[profile payments-prod]\nsso_session = corp\nsso_account_id = 111111111111\nsso_role_name = reader\n\
         [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example\n",
    );
    folder
}

fn plan(folder: &Path, variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keywright"))
        .args(["plan", "--project"])
        .arg(folder)
        .env_clear()
        .env("HOME", folder)
        .env("AWS_CONFIG_FILE", folder.join("config"))
        .env("AWS_SHARED_CREDENTIALS_FILE", folder.join("none"))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().copied())
        .output()
        .expect("keywright runs")
}

/// Standard error, and that it is one error for both targets, of which standard output does not point anywhere.
fn refused(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{out}{err}");
    assert_eq!(err.matches("error: ").count(), 1, "{err}");
    assert!(err.contains("error: west, east: "), "{err}");
    assert!(!out.contains("below") && !out.contains("above"), "{out}");
    err
}

#[test]
fn an_unknown_profile_is_said_to_be_unknown_with_the_nearest_one() {
    let folder = project(", profile: payments-prd");
    let err = refused(&plan(folder.path(), &[]));
    assert!(err.contains("there is no profile payments-prd") && err.contains("which the target names"), "{err}");
    assert!(err.contains("did you mean payments-prod?"), "{err}");

    let folder = project("");
    let err = refused(&plan(folder.path(), &[("AWS_PROFILE", "payments-prd")]));
    assert!(err.contains("which AWS_PROFILE names") && err.contains("did you mean payments-prod?"), "{err}");
}

#[test]
fn a_session_that_ended_says_how_to_sign_in_again() {
    let folder = project(", profile: payments-prod");
    let err = refused(&plan(folder.path(), &[]));
    assert!(err.contains("aws sso login --profile payments-prod"), "{err}");
    assert!(!err.contains("looked in"), "{err}");
}

#[test]
fn only_places_that_were_looked_at_are_listed() {
    let folder = project("");
    let err = refused(&plan(folder.path(), &[]));
    assert!(err.contains("looked in: the environment (AWS_ACCESS_KEY_ID), the profile default"), "{err}");
    let unlisted = ["EC2", "Ec2", "IMDS", "web identity", "WebIdentity", "container", "Ecs"];
    assert!(unlisted.iter().all(|place| !err.contains(place)), "{err}");
}
