//! What a manifest may say of a SOPS file beside its name: its format, what it becomes, and whether open values may be
//! in it.

use super::*;

fn part(source: Source, change: impl FnOnce(&mut SopsPart)) -> Source {
    match source {
        Source::Sops(mut part) => {
            change(&mut part);
            Source::Sops(part)
        }
        other => other,
    }
}

#[test]
fn a_format_is_told_where_the_name_does_not() -> Result {
    let folder = tempfile::tempdir()?;
    for (name, other_name, format, key) in [
        ("types.yaml", "values.yaml.sops", SopsFormat::Yaml, "/db/password"),
        ("types.json", "secrets.enc", SopsFormat::Json, "/db/password"),
        ("app.env", ".env.prod", SopsFormat::Dotenv, "/PASSWORD"),
    ] {
        let path = folder.path().join(other_name);
        std::fs::copy(fixture(name), &path)?;
        let source = sops_at(&path, Some(key));
        assert!(matches!(render(&source), Err(ValueError::NotSops { .. } | ValueError::KeyInBinary { .. })), "{name}");
        let named = part(source, |part| part.format = Some(format));
        assert_eq!(render(&named)?, render(&sops(name, Some(key)))?, "{name}");
        assert_eq!(identity_of(&named, "app/db")?, identity_of(&sops(name, Some(key)), "app/db")?, "{name}");
    }
    Ok(())
}

#[test]
fn text_in_a_binary_file_becomes_a_string_where_that_is_asked() -> Result {
    let folder = tempfile::tempdir()?;
    // A JSON file with `data` alone is what sops makes of a binary one.
    let path = folder.path().join("tls.pem");
    std::fs::write(&path, kms::named_file("data", "-----BEGIN\n", "str")?)?;
    let rendered = |source: &Source| render_with(source, &AgeKeys::none(), &kms::Kms, None);
    let bytes = sops_at(&path, None);
    let string = part(bytes.clone(), |part| part.as_string = true);
    assert!(rendered(&bytes)?.is_binary());
    assert_eq!(text(&rendered(&string)?), "-----BEGIN\n");
    assert_ne!(identity_of(&bytes, "app/tls")?, identity_of(&string, "app/tls")?, "of one it is not the other");
    let field = |source: &Source| Source::Json([("key".to_owned(), source.clone())].into());
    assert!(matches!(rendered(&field(&bytes)), Err(ValueError::BinaryInJson { .. })));
    assert_eq!(text(&rendered(&field(&string))?), r#"{"key":"-----BEGIN\n"}"#);
    let blob = part(sops("blob.bin", None), |part| part.as_string = true);
    assert!(matches!(render(&blob), Err(ValueError::NotText { .. })));
    Ok(())
}

#[test]
fn open_values_are_allowed_beside_an_encrypted_one() -> Result {
    let open = |name: &str, key: Option<&str>| part(sops(name, key), |part| part.allow_unencrypted = true);
    let closed = sops("encrypted-suffix.yaml", Some("/nested"));
    assert!(matches!(render(&closed), Err(ValueError::NotEncrypted { rule: "encrypted_suffix", .. })));
    let nested = open("encrypted-suffix.yaml", Some("/nested"));
    assert!(text(&render(&nested)?).contains("plainInner"));
    assert!(matches!(identity_of(&nested, "app/db")?, Identity::Known(_)));
    // Alone it would have an id that anybody could test guesses with.
    let alone = open("encrypted-suffix.yaml", Some("/plain"));
    assert!(matches!(identity_of(&alone, "app/db"), Err(ValueError::NothingEncrypted { .. })));
    // A change of the open part is a change.
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("encrypted-suffix.yaml");
    let file = std::fs::read_to_string(fixture("encrypted-suffix.yaml"))?;
    std::fs::write(&path, file.replace("plainInner: ", "plainInner: x"))?;
    let changed = part(sops_at(&path, Some("/nested")), |part| part.allow_unencrypted = true);
    assert_ne!(identity_of(&changed, "app/db")?, identity_of(&nested, "app/db")?);
    assert!(matches!(render(&changed), Err(ValueError::MacMismatch { .. })));
    // What the rules want encrypted is never open.
    let path = folder.path().join("day-one.yaml");
    let file = std::fs::read_to_string(fixture("day-one.yaml"))?;
    std::fs::write(&path, file.replacen(": ENC[", ": open # ENC[", 1))?;
    let planted = part(sops_at(&path, None), |part| part.allow_unencrypted = true);
    assert!(matches!(identity_of(&planted, "app/db"), Err(ValueError::PlainValue { .. })));
    Ok(())
}

#[test]
fn what_a_comment_rule_leaves_open_is_not_called_tampering() {
    let errors: Vec<ValueError> = ["/plain", "/user", "/note"]
        .iter()
        .filter_map(|key| identity_of(&sops("comment-regex.yaml", Some(key)), "app/db").err())
        .chain(identity_of(&sops("comment-regex.yaml", None), "app/db").err())
        .collect();
    assert!(
        errors.iter().any(|error| matches!(error, ValueError::NotEncrypted { rule: "encrypted_comment_regex", .. }))
    );
    assert!(errors.iter().all(|error| !error.is_tampering()), "{errors:?}");
}

#[test]
fn an_empty_binary_file_is_called_empty() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("e.bin");
    let text = r#"{"data":"","sops":{"age":[{"recipient":"age1abc","enc":"x"}],"mac":"ENC[]","lastmodified":""}}"#;
    std::fs::write(&path, text)?;
    assert_eq!(identity_of(&sops_at(&path, None), "app/e"), Err(ValueError::EmptyFile { file: "e.bin".to_owned() }));
    Ok(())
}

#[cfg(unix)]
#[test]
fn the_key_command_is_run_once_for_each_recipient() -> Result {
    let folder = tempfile::tempdir()?;
    let seen = folder.path().join("seen");
    let command = format!(
        "sh -c 'echo \"$SOPS_AGE_RECIPIENT\" >> {}; cat {}'",
        seen.display(),
        fixture("throwaway-other-key.txt").display()
    );
    let age = AgeKeys::look_up(&|name| (name == "SOPS_AGE_KEY_CMD").then(|| OsString::from(&command)), None);
    for _ in 0..2 {
        let value = render_with(&sops("two-recipients.yaml", Some("/password")), &age, &NoKms, None)?;
        assert_eq!(text(&value), "for either key");
    }
    let seen = std::fs::read_to_string(seen)?;
    let lines: std::collections::BTreeSet<&str> = seen.lines().collect();
    assert!(lines.iter().all(|line| line.starts_with("age1")) && lines.len() == seen.lines().count(), "{seen}");
    Ok(())
}
