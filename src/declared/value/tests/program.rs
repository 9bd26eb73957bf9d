//! Files that only the `sops` program can decrypt.

use super::*;

/// A program that stands in for sops: a shell script.
#[cfg(unix)]
fn script(folder: &Path, body: &str) -> Result<SopsProgram> {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("sops");
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n"))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(program_at(path))
}

#[test]
fn without_leave_the_error_names_what_needs_it() {
    let needs = |name: &str| match render(&sops(name, None)) {
        Err(ValueError::NeedsProgram { needs, .. }) => needs,
        other => vec![format!("{other:?}")],
    };
    assert_eq!(needs("app.ini"), ["the INI format"]);
    assert_eq!(needs("shamir.yaml"), ["2 key groups (Shamir)"]);
    let comments = render(&sops("comment-regex.yaml", Some("/password")));
    assert!(matches!(comments, Err(ValueError::NeedsProgram { needs, .. }) if needs == ["encrypted_comment_regex"]));
}

#[test]
fn a_missing_program_is_said() {
    let program = program_at("keywright-test-no-such-program");
    let rendered = render_with(&sops("app.ini", None), &keys(), &NoKms, Some(&program));
    assert!(matches!(rendered, Err(ValueError::ProgramMissing { needs, .. }) if needs == ["the INI format"]));
}

#[cfg(unix)]
#[test]
fn its_output_becomes_the_value() -> Result {
    let folder = tempfile::tempdir()?;
    let seen = folder.path().join("seen");
    let body = format!(
        "echo \"$SOPS_DISABLE_VERSION_CHECK $*\" > '{}'; cat '{}'",
        seen.display(),
        fixture("app.ini.expected").display()
    );
    let program = script(folder.path(), &body)?;
    let rendered = |key| render_with(&sops("app.ini", key), &AgeKeys::none(), &NoKms, Some(&program));
    assert_eq!(text(&rendered(Some("/db/password"))?), "a=b c");
    let whole = r#"{"DEFAULT":{"root":"top"},"db":{"empty":"","password":"a=b c","user":"payments"}}"#;
    assert_eq!(text(&rendered(None)?), whole);
    let arguments = std::fs::read_to_string(seen)?;
    let start = "1 --config /dev/null decrypt --input-type ini --output-type json -- ";
    assert!(arguments.starts_with(start) && arguments.trim_end().ends_with("app.ini"), "{arguments}");
    Ok(())
}

#[cfg(unix)]
#[test]
fn its_exit_codes_are_told_apart_and_its_words_are_not_repeated() -> Result {
    let failure = |code: &str| -> Result<ValueError> {
        let folder = tempfile::tempdir()?;
        let program = script(folder.path(), &format!("echo CANARY; echo CANARY >&2; exit {code}"))?;
        let Err(error) = render_with(&sops("shamir.yaml", None), &keys(), &NoKms, Some(&program)) else {
            return Err("no error".into());
        };
        assert!(!format!("{error} {error:?} {:?}", error.hint()).contains("CANARY"));
        Ok(error)
    };
    assert!(matches!(failure("128")?, ValueError::NoKey { .. }));
    assert!(matches!(failure("51")?, ValueError::MacMismatch { .. }));
    assert!(matches!(failure("25")?, ValueError::Tampered { .. }));
    assert!(matches!(failure("100")?, ValueError::MissingFile { .. }));
    assert!(matches!(failure("1")?, ValueError::ProgramFailed { code: Some(1), .. }));
    assert!(matches!(failure("0")?, ValueError::ProgramFailed { code: None, .. }), "CANARY is no JSON");
    Ok(())
}

#[cfg(unix)]
#[test]
fn it_gets_no_credentials_that_nobody_meant_for_it() -> Result {
    let folder = tempfile::tempdir()?;
    let seen = folder.path().join("seen");
    let path = folder.path().join("sops");
    script(folder.path(), &format!("env > '{}'; cat '{}'", seen.display(), fixture("app.ini.expected").display()))?;
    let ours = [
        "PATH",
        "HOME",
        "SOPS_AGE_KEY",
        "AWS_PROFILE",
        "VAULT_TOKEN",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "AZURE_X",
        "GITHUB_TOKEN",
    ];
    let environment = || {
        ours.iter().map(|name| {
            let value = std::env::var_os(name).filter(|_| *name == "PATH");
            (OsString::from(name), value.unwrap_or_else(|| OsString::from("x")))
        })
    };
    let given = |allowed: &[&str], offline| -> Result<Vec<String>> {
        let program = SopsProgram::new(&path, environment(), &globs(allowed)?, offline);
        render_with(&sops("app.ini", Some("/db/password")), &AgeKeys::none(), &NoKms, Some(&program))?;
        let seen = std::fs::read_to_string(&seen)?;
        Ok(seen
            .lines()
            .filter_map(|line| Some(line.split_once('=')?.0.to_owned()))
            .filter(|name| ours.contains(&name.as_str()))
            .collect())
    };
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    assert_eq!(sorted(given(&[], false)?), ["AWS_PROFILE", "HOME", "PATH", "SOPS_AGE_KEY"]);
    assert_eq!(sorted(given(&["VAULT_*"], true)?), ["HOME", "PATH", "SOPS_AGE_KEY", "VAULT_TOKEN"]);
    Ok(())
}

/// What fails its authentication in process is not tried again with the program.
#[cfg(unix)]
#[test]
fn tampering_never_falls_back() -> Result {
    let folder = tempfile::tempdir()?;
    let program = script(folder.path(), "echo '{\"password\": \"for either key\"}'")?;
    let path = folder.path().join("file.yaml");
    let text = std::fs::read_to_string(fixture("two-recipients.yaml"))?;
    let text: Vec<_> = text.lines().filter(|line| !line.starts_with("    mac:")).collect();
    std::fs::write(&path, format!("{}\n    pgp: [{{ fp: ABC, enc: x }}]\n", text.join("\n")))?;
    let rendered = render_with(&sops_at(&path, None), &keys(), &NoKms, Some(&program));
    assert!(matches!(rendered, Err(ValueError::MacMissing { .. })));
    Ok(())
}
