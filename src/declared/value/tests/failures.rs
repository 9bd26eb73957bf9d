//! Each way to fail has an error of its own, and says enough to mend it.

use super::*;

#[test]
fn without_a_key_the_error_says_where_it_looked() -> Result {
    let home = tempfile::tempdir()?;
    let age = AgeKeys::look_up(&|_| None, Some(home.path()));
    let Err(ValueError::NoKey { file, search }) = render_with(&sops("types.yaml", None), &age, &NoKms, None) else {
        return Err("no error".into());
    };
    assert_eq!(file, "types.yaml");
    assert!(search.recipients.iter().all(|recipient| recipient.starts_with("age1")) && search.recipients.len() == 1);
    let places = search.places.join("\n");
    for place in ["SOPS_AGE_KEY ", "SOPS_AGE_KEY_FILE ", "SOPS_AGE_KEY_CMD ", "keys.txt "] {
        assert!(places.contains(place), "{places}");
    }
    assert_eq!(ValueError::NoKey { file, search: search.clone() }.hint(), Some(ValueHint::Keys(search)));
    Ok(())
}

#[test]
fn a_wrong_key_is_told_from_none() {
    let rendered = render_with(&sops("types.yaml", None), &keys_of("throwaway-other-key.txt"), &NoKms, None);
    assert!(matches!(rendered, Err(ValueError::WrongKey { .. })));
}

#[test]
fn places_are_told_in_the_order_of_looking_with_what_they_hold_and_no_command_is_run() -> Result {
    let home = tempfile::tempdir()?;
    let (named, usual) = (home.path().join("named.txt"), home.path().join("sops/age/keys.txt"));
    let ran = home.path().join("ran");
    let set = |name: &str| match name {
        "SOPS_AGE_KEY" => Some("no age key".into()),
        "SOPS_AGE_KEY_FILE" => Some(named.clone().into()),
        "SOPS_AGE_KEY_CMD" => Some(format!("touch {}", ran.display()).into()),
        _ => None,
    };
    let places = || AgeKeys::look_up(&set, Some(home.path())).places();
    let nothing = |problem: &str| AgeHeld::Nothing(vec![problem.to_owned()]);
    let text = (
        AgePlace::Variable("SOPS_AGE_KEY"),
        // Once, for a line of several words.
        nothing("line 1 is not an age key (AGE-SECRET-KEY-1...)"),
    );
    let command = (AgePlace::Variable("SOPS_AGE_KEY_CMD"), AgeHeld::Command);
    let at_name = |held| (AgePlace::Named(named.clone()), held);
    assert_eq!(places(), [text.clone(), at_name(nothing("there is no such file")), command.clone()]);

    std::fs::create_dir_all(home.path().join("sops/age"))?;
    std::fs::write(&named, "# no key\n")?;
    std::fs::copy(fixture("throwaway-key.txt"), &usual)?;
    let keys = (AgePlace::File(usual), AgeHeld::Keys(1));
    assert_eq!(places(), [text, at_name(nothing("there is no key in it")), command, keys]);
    assert!(!ran.exists(), "the command was run");
    assert_eq!(AgeKeys::look_up(&|_| None, None).places(), []);
    Ok(())
}

#[test]
fn keys_come_from_every_place() -> Result {
    let text = std::fs::read_to_string(fixture("throwaway-key.txt"))?;
    let source = sops("types.yaml", Some("/folded"));
    let opens = |age: &AgeKeys| render_with(&source, age, &NoKms, None).is_ok();

    let from_text = text.clone();
    assert!(opens(&AgeKeys::look_up(&|name| (name == "SOPS_AGE_KEY").then(|| OsString::from(&from_text)), None)));

    let home = tempfile::tempdir()?;
    std::fs::create_dir_all(home.path().join("sops/age"))?;
    std::fs::write(home.path().join("sops/age/keys.txt"), &text)?;
    assert!(opens(&AgeKeys::look_up(&|_| None, Some(home.path()))));

    // A broken place does not keep the others from being used.
    let broken = AgeKeys::look_up(
        &|name| match name {
            "SOPS_AGE_KEY_FILE" => Some(home.path().join("missing").into()),
            "SOPS_AGE_KEY" => Some(OsString::from("CANARY is not a key")),
            _ => None,
        },
        Some(home.path()),
    );
    assert!(opens(&broken));

    if cfg!(unix) {
        let command = format!("sh -c 'cat \"{}\"'", fixture("throwaway-key.txt").display());
        let by_command = |command: String| {
            AgeKeys::look_up(&|name| (name == "SOPS_AGE_KEY_CMD").then(|| OsString::from(&command)), None)
        };
        assert!(opens(&by_command(command)));
        let failing = by_command("sh -c 'echo CANARY; exit 3'".to_owned());
        let Err(error) = render_with(&source, &failing, &NoKms, None) else { return Err("no error".into()) };
        let Some(ValueHint::Keys(search)) = error.hint() else { return Err("no hint".into()) };
        let problems = search.problems.join("\n");
        assert!(
            problems.contains("SOPS_AGE_KEY_CMD: the command failed") && !problems.contains("CANARY"),
            "{problems}"
        );
    }
    Ok(())
}

#[test]
fn the_configuration_folder_is_found() {
    let env = |name: &str| match name {
        "XDG_CONFIG_HOME" => Some(OsString::from("/xdg")),
        "HOME" => Some(OsString::from("/home/me")),
        _ => None,
    };
    if cfg!(target_os = "linux") {
        assert_eq!(config_home(&env), Some(PathBuf::from("/xdg")));
        assert_eq!(
            config_home(&|name| (name == "HOME").then(|| env("HOME")).flatten()),
            Some(PathBuf::from("/home/me/.config"))
        );
        assert_eq!(config_home(&|_| None), None);
    }
}

#[test]
fn files_that_are_not_there_or_not_files() -> Result {
    let folder = tempfile::tempdir()?;
    let rendered = |name: &str| render(&sops_at(&folder.path().join(name), None));
    assert!(matches!(rendered("missing.yaml"), Err(ValueError::MissingFile { .. })));
    std::fs::create_dir(folder.path().join("folder.yaml"))?;
    assert!(matches!(rendered("folder.yaml"), Err(ValueError::NotAFile { .. })));
    std::fs::write(folder.path().join("large.yaml"), vec![b'#'; MAX_SOPS_BYTES + 1])?;
    assert!(matches!(rendered("large.yaml"), Err(ValueError::FileTooLarge { limit: MAX_SOPS_BYTES, .. })));
    Ok(())
}

#[test]
fn what_is_no_sops_file_is_refused() -> Result {
    let folder = tempfile::tempdir()?;
    for (name, contents) in [
        ("plain.yaml", "password: CANARY\n"),
        ("broken.yaml", "password: [CANARY\n"),
        ("list.yaml", "- CANARY\n"),
        ("twice.yaml", "CANARY: 1\nCANARY: 2\n"),
        ("empty.yaml", ""),
        ("scalar.yaml", "sops: CANARY\n"),
        ("none.yaml", "a: CANARY\nsops: { mac: x, version: 3.11.0 }\n"),
        ("plain.json", "{\"a\": \"CANARY\"}"),
        ("broken.json", "{\"a\": \"CANARY"),
        ("plain.env", "A=CANARY\n"),
        ("broken.env", "CANARY\n"),
        ("plain.ini", "[a]\nb = CANARY\n"),
        ("yaml-in-another-name", "a: CANARY\n"),
        ("bytes.yaml", "\u{0}\u{1}CANARY"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, contents)?;
        let Err(error) = render(&sops_at(&path, None)) else { return Err(name.into()) };
        assert!(matches!(error, ValueError::NotSops { .. }), "{name}: {error}");
        assert!(!format!("{error} {error:?} {:?}", error.hint()).contains("CANARY"), "{name}: {error:?}");
    }
    Ok(())
}

#[test]
fn a_merge_that_was_not_finished_is_told_with_its_line() -> Result {
    let folder = tempfile::tempdir()?;
    let marks = "<<<<<<< HEAD\nb: CANARY\n=======\nb: CANARY2\n>>>>>>> other\n";
    for name in ["a.yaml", "a.json", "a.env", "a.ini"] {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("a: 1\n{marks}"))?;
        let Err(error) = render(&sops_at(&path, None)) else { return Err(name.into()) };
        assert!(matches!(error, ValueError::MergeConflict { line: 2, .. }), "{name}: {error}");
        assert_eq!(error.hint(), Some(ValueHint::TakeOneSide));
        assert!(!format!("{error} {error:?}").contains("CANARY"), "{name}: {error:?}");
    }
    Ok(())
}

#[test]
fn a_missing_key_names_what_is_there() -> Result {
    let missing = |key: &str| match render(&sops("types.yaml", Some(key))) {
        Err(ValueError::MissingKey { existing, .. }) => Ok(existing),
        other => Err(format!("{key}: {other:?}")),
    };
    assert_eq!(missing("/dbx")?, ["/db", "/hosts", "/certificate", "/folded"]);
    assert_eq!(missing("/hosts/9")?.len(), 6, "comments are no items");
    assert!(missing("/db/passwort")?.contains(&"/db/password".to_owned()));
    assert_eq!(missing("/folded/x")?, Vec::<String>::new());
    let Err(error) = render(&sops("several.yaml", Some("/fourth"))) else { return Err("no error".into()) };
    let existing = ["/first", "/second", "/third"].map(str::to_owned).to_vec();
    assert_eq!(error.hint(), Some(ValueHint::NameOneOf { existing }));
    Ok(())
}

#[test]
fn what_is_not_encrypted_is_not_selected() {
    let refused = render(&sops("encrypted-suffix.yaml", Some("/plain")));
    assert_eq!(
        refused,
        Err(ValueError::NotEncrypted {
            file: "encrypted-suffix.yaml".to_owned(),
            path: "/plain".to_owned(),
            rule: "encrypted_suffix"
        })
    );
    let within = render(&sops("encrypted-suffix.yaml", Some("/nested")));
    assert!(matches!(within, Err(ValueError::NotEncrypted { path, .. }) if path == "/nested/plainInner"));
    for key in ["/db/empty", "/db/nothing", "/db/emptyMap", "/db/emptyList"] {
        let empty = render(&sops("types.yaml", Some(key)));
        assert!(matches!(empty, Err(ValueError::NothingEncrypted { .. })), "{key}");
    }
}

#[test]
fn a_key_in_two_documents_is_ambiguous() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("twice.yaml");
    let text = std::fs::read_to_string(fixture("several.yaml"))?;
    std::fs::write(&path, text.replace("second:", "first:"))?;
    assert!(matches!(render(&sops_at(&path, Some("/first"))), Err(ValueError::AmbiguousKey { .. })));
    Ok(())
}
