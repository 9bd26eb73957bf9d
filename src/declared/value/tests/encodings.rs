//! Byte order marks, UTF-16 and CRLF: read as sops reads them, or refused with the way out.

use super::*;

const ALL: [&str; 5] = ["types.yaml", "types.json", "app.env", "app.ini", "blob.bin"];

type Rendered = std::result::Result<SecretValue, ValueError>;

/// Each fixture with its bytes changed: its name, and what came of it.
fn changed(change: impl Fn(&str) -> Vec<u8>) -> Result<Vec<(&'static str, Rendered)>> {
    let folder = tempfile::tempdir()?;
    ALL.into_iter()
        .map(|name| {
            let path = folder.path().join(name);
            std::fs::write(&path, change(&std::fs::read_to_string(fixture(name))?))?;
            Ok((name, render(&sops_at(&path, key_of(name)))))
        })
        .collect()
}

fn key_of(name: &str) -> Option<&'static str> {
    match name {
        "types.yaml" => Some("/folded"),
        "types.json" => Some("/alpha"),
        "app.env" => Some("/PASSWORD"),
        _ => None,
    }
}

fn is_read(name: &str, rendered: &Rendered) -> bool {
    match rendered {
        // The program reads it, byte for byte.
        Err(ValueError::NeedsProgram { .. }) => name == "app.ini",
        Err(_) => false,
        rendered => *rendered == render(&sops(name, key_of(name))),
    }
}

fn refused(rendered: &Rendered) -> Option<(&'static str, EncodingHint)> {
    match rendered {
        Err(ValueError::Misencoded { problem, hint, .. }) => Some((problem, *hint)),
        _ => None,
    }
}

#[test]
fn utf_16_is_read_in_yaml_and_named_elsewhere() -> Result {
    for unit in [u16::to_le_bytes, u16::to_be_bytes] {
        let units = |text: &str| format!("\u{feff}{text}").encode_utf16().flat_map(unit).collect();
        for (name, rendered) in changed(units)? {
            let named = Some(("is UTF-16, which sops reads in YAML only", EncodingHint::AsUtf8));
            assert!(
                if name == "types.yaml" { is_read(name, &rendered) } else { refused(&rendered) == named },
                "{name}"
            );
        }
    }
    Ok(())
}

#[test]
fn a_mark_of_utf_8_is_read_in_yaml_and_ini_and_named_elsewhere() -> Result {
    for (name, rendered) in changed(|text| format!("\u{feff}{text}").into_bytes())? {
        let hint = match name {
            "types.yaml" | "app.ini" => None,
            "app.env" => Some(EncodingHint::WithoutMarkInValue),
            _ => Some(EncodingHint::WithoutMark),
        };
        assert_eq!(refused(&rendered).map(|(_, hint)| hint), hint, "{name}");
        assert!(hint.is_some() || is_read(name, &rendered), "{name}");
    }
    Ok(())
}

#[test]
fn crlf_is_read_but_in_dotenv() -> Result {
    for (name, rendered) in changed(|text| text.replace('\n', "\r\n").into_bytes())? {
        match refused(&rendered) {
            Some((problem, hint)) => {
                assert!(name == "app.env" && problem.contains("CRLF") && hint == EncodingHint::WithLineFeeds, "{name}");
            }
            None => assert!(name != "app.env" && is_read(name, &rendered), "{name}"),
        }
    }
    Ok(())
}

#[test]
fn a_carriage_return_on_some_lines_of_dotenv_is_told_with_its_line() -> Result {
    for (before, after, told) in [("]\nPASSWORD", "]\r\nPASSWORD", 2), ("EMPTY=\n", "EMPTY=\r\n", 4)] {
        for (name, rendered) in changed(|text| text.replace(before, after).into_bytes())? {
            match rendered {
                Err(ValueError::CarriageReturn { line, .. }) => assert_eq!((name, line), ("app.env", told)),
                _ => assert_ne!(name, "app.env", "{before:?}"),
            }
        }
    }
    Ok(())
}

#[test]
fn a_text_file_in_utf_16_is_named_and_a_mark_of_utf_8_is_kept() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("value.txt");
    let source = Source::File { path: file_at(&path), shown: "value.txt".to_owned() };
    let field = Source::Json([("a".to_owned(), source.clone())].into());
    for unit in [u16::to_le_bytes, u16::to_be_bytes] {
        let bytes: Vec<u8> = "\u{feff}pässword\r\n".encode_utf16().flat_map(unit).collect();
        std::fs::write(&path, bytes)?;
        for rendered in [render(&source), render(&field)] {
            assert_eq!(
                refused(&rendered),
                Some(("is UTF-16, and a SecretString is UTF-8", EncodingHint::AsUtf8OrBytes))
            );
        }
        assert!(matches!(source.wrong_files().as_slice(), [ValueError::Misencoded { .. }]));
    }
    std::fs::write(&path, "\u{feff}password")?;
    assert_eq!(text(&render(&source)?), "\u{feff}password", "and the plan says so");
    Ok(())
}
