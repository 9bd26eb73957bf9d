//! A file that is not as it was encrypted is refused, whatever was done to it.

use super::*;

/// Renders a changed copy of a fixture.
fn changed(
    name: &str,
    key: &str,
    change: impl Fn(&str) -> String,
) -> Result<std::result::Result<SecretValue, ValueError>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(name);
    let original = std::fs::read_to_string(fixture(name))?;
    let text = change(&original);
    assert_ne!(text, original, "the change changes nothing");
    std::fs::write(&path, text)?;
    Ok(render(&sops_at(&path, Some(key))))
}

fn lines(text: &str, change: impl Fn(&str) -> Option<String>) -> String {
    text.lines().filter_map(|line| change(line).map(|line| line + "\n")).collect()
}

/// The line of a key, which begins with `start`.
fn line<'a>(text: &'a str, start: &str) -> &'a str {
    text.lines().find(|line| line.trim_start().starts_with(start)).unwrap_or_default()
}

/// What is done to the file, and what shows it.
type Case = (&'static str, Box<dyn Fn(&str) -> String>, fn(&ValueError) -> bool);

const MISMATCH: fn(&ValueError) -> bool = |error| matches!(error, ValueError::MacMismatch { .. });

#[test]
fn changes_are_refused() -> Result {
    // The value that is asked for is an untouched one.
    let cases: [Case; 12] = [
        (
            "a byte of ciphertext",
            Box::new(|text| {
                let password = line(text, "password:");
                let (start, rest) = password.split_once("data:").unwrap_or_default();
                let flipped = if rest.starts_with('A') { "B" } else { "A" };
                text.replacen(password, &format!("{start}data:{flipped}{}", &rest[1..]), 1)
            }),
            |error| matches!(error, ValueError::Tampered { path, .. } if path == "/db/password"),
        ),
        (
            "two values swapped",
            Box::new(|text| {
                let value = |key| line(text, key).split_once(": ").unwrap_or_default().1;
                let (user, password) = (value("username:"), value("password:"));
                text.replace(user, "SWAP").replace(password, user).replace("SWAP", password)
            }),
            |error| matches!(error, ValueError::Tampered { .. }),
        ),
        (
            "two items of a list swapped",
            Box::new(|text| {
                let items: Vec<_> =
                    text.lines().filter(|line| line.starts_with("    - ENC") && line.ends_with("type:str]")).collect();
                text.replace(items[0], "SWAP").replace(items[1], items[0]).replace("SWAP", items[1])
            }),
            MISMATCH,
        ),
        ("a value removed", Box::new(|text| text.replace(&format!("{}\n", line(text, "port:")), "")), MISMATCH),
        ("a value emptied", Box::new(|text| text.replace(line(text, "port:"), "    port: \"\"")), MISMATCH),
        (
            "an item made a comment",
            Box::new(|text| {
                lines(text, |line| {
                    Some(if line.starts_with("    - ENC") {
                        line.replace("type:str", "type:comment")
                    } else {
                        line.to_owned()
                    })
                })
            }),
            MISMATCH,
        ),
        (
            "a value made a comment",
            Box::new(|text| {
                text.replace(line(text, "port:"), &line(text, "port:").replace("type:int", "type:comment"))
            }),
            |error| matches!(error, ValueError::Tampered { .. }),
        ),
        (
            "an unencrypted value added",
            Box::new(|text| format!("added: plain\n{text}")),
            |error| matches!(error, ValueError::PlainValue { path, .. } if path == "/added"),
        ),
        (
            "an unencrypted value added where that is allowed",
            Box::new(|text| format!("a_unencrypted: plain\n{text}")),
            MISMATCH,
        ),
        (
            "another MAC",
            Box::new(|text| {
                let other = line(text, "password:").split_once(": ").unwrap_or_default().1;
                lines(text, |line| {
                    Some(if line.starts_with("    mac:") { format!("    mac: {other}") } else { line.to_owned() })
                })
            }),
            MISMATCH,
        ),
        (
            "no MAC",
            Box::new(|text| lines(text, |line| (!line.starts_with("    mac:")).then(|| line.to_owned()))),
            |error| matches!(error, ValueError::MacMissing { .. }),
        ),
        (
            "another date",
            Box::new(|text| {
                lines(text, |line| {
                    Some(if line.starts_with("    lastmodified:") {
                        "    lastmodified: \"2020-01-01T00:00:00Z\"".to_owned()
                    } else {
                        line.to_owned()
                    })
                })
            }),
            MISMATCH,
        ),
    ];
    for (what, change, shows) in cases {
        match changed("types.yaml", "/folded", change)? {
            Err(error) => {
                assert!(shows(&error), "{what}: {error}");
                assert!(error.is_tampering(), "{what}");
            }
            Ok(_) => return Err(format!("{what} was not seen").into()),
        }
    }
    Ok(())
}

#[test]
fn a_missing_mac_is_seen_without_a_key() -> Result {
    let folder = tempfile::tempdir()?;
    for name in ["types.yaml", "types.json", "app.env", "app.ini", "blob.bin"] {
        let path = folder.path().join(name);
        let is_mac = |line: &str| {
            let line = line.trim_start().trim_start_matches('"');
            ["mac", "sops_mac"].iter().any(|key| {
                line.strip_prefix(key)
                    .is_some_and(|rest| rest.trim_start_matches('"').trim_start().starts_with([':', '=']))
            })
        };
        let original = std::fs::read_to_string(fixture(name))?;
        assert_eq!(original.lines().filter(|line| is_mac(line)).count(), 1, "{name}");
        std::fs::write(&path, lines(&original, |line| (!is_mac(line)).then(|| line.to_owned())))?;
        let missing = ValueError::MacMissing { file: name.to_owned() };
        assert_eq!(identity_of(&sops_at(&path, None), "a").err(), Some(missing.clone()), "{name}");
        assert_eq!(render(&sops_at(&path, None)), Err(missing), "{name}");
    }
    Ok(())
}

#[test]
fn an_empty_mac_is_no_mac() -> Result {
    let change = |text: &str| {
        lines(text, |line| {
            Some(if line.starts_with("    mac:") { "    mac: \"\"".to_owned() } else { line.to_owned() })
        })
    };
    assert!(matches!(changed("types.yaml", "/folded", change)?, Err(ValueError::MacMissing { .. })));
    Ok(())
}

#[test]
fn the_order_of_values_counts_and_that_of_comments_does_not() -> Result {
    let without_comments = |text: &str| lines(text, |line| (!line.contains("type:comment]")).then(|| line.to_owned()));
    assert_eq!(text(&changed("types.yaml", "/folded", without_comments)??), "one line");
    let reordered = |text: &str| {
        let folded = line(text, "folded:");
        format!("{folded}\n{}", text.replace(&format!("{folded}\n"), ""))
    };
    assert!(matches!(changed("types.yaml", "/folded", reordered)?, Err(ValueError::MacMismatch { .. })));
    Ok(())
}

#[test]
fn unencrypted_values_are_covered_unless_the_file_says_otherwise() -> Result {
    let change = |text: &str| text.replace("plain: 15", "plain: 16");
    let refused = changed("encrypted-suffix.yaml", "/secret_enc", change)?;
    assert!(matches!(refused, Err(ValueError::MacMismatch { .. })));
    assert_eq!(text(&changed("mac-only-encrypted.yaml", "/secret_enc", change)??), "hidden");
    let lie = |text: &str| text.replace("    mac_only_encrypted: true\n", "");
    assert!(matches!(changed("mac-only-encrypted.yaml", "/secret_enc", lie)?, Err(ValueError::MacMismatch { .. })));
    Ok(())
}

#[test]
fn dotenv_json_and_binary_are_checked_too() -> Result {
    let no_user = |text: &str| lines(text, |line| (!line.starts_with("USER=")).then(|| line.to_owned()));
    assert!(matches!(changed("app.env", "/PASSWORD", no_user)?, Err(ValueError::MacMismatch { .. })));
    let no_port = |text: &str| lines(text, |line| (!line.contains("\"port\":")).then(|| line.to_owned()));
    assert!(matches!(changed("types.json", "/alpha", no_port)?, Err(ValueError::MacMismatch { .. })));
    let other = |text: &str| lines(text, |line| (!line.contains("\"mac\":")).then(|| line.to_owned()));
    assert!(matches!(changed("blob.bin", "", other)?, Err(ValueError::MacMissing { .. })));
    Ok(())
}

#[test]
fn a_second_document_cannot_be_dropped() -> Result {
    let first_only = |text: &str| text.split("\n---\n").next().unwrap_or_default().to_owned();
    assert!(matches!(changed("several.yaml", "/first/password", first_only)?, Err(ValueError::MacMismatch { .. })));
    Ok(())
}
