//! Hostile files: whatever the bytes, an answer within a second, and no panic.

use proptest::prelude::*;

use super::*;

#[path = "../../../../tests/support/cpu_time.rs"]
mod cpu_time;

const NAMES: [&str; 5] = ["a.yaml", "a.json", "a.env", "a.ini", "a.bin"];

/// Reads the file under each name, for its identity and its KMS keys, and measures.
fn within_a_second(bytes: &[u8], names: &[&str]) -> Result<Vec<ValueError>> {
    let folder = tempfile::tempdir()?;
    let mut errors = Vec::new();
    for name in names {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes)?;
        for key in [None, Some("/a"), Some("/a/0/b")] {
            let source = sops_at(&path, key);
            let (identity, took) = cpu_time::measure(|| {
                let _ = SopsFiles::new().kms_keys(&source);
                identity_of(&source, "app/x")
            });
            assert!(took < cpu_time::MOST, "{name} took {took:?}");
            errors.extend(identity.err());
        }
    }
    Ok(errors)
}

#[test]
fn what_is_deep_wide_or_many_is_refused() -> Result {
    let recipient = "        - recipient: age1abc\n          enc: x\n";
    let cases: [(&str, String); 9] = [
        ("a.env", format!("a=x\nsops_{}=x\n", "__map_a".repeat(20_000))),
        ("a.env", format!("a=x\nsops_{}=x\n", "__list_0".repeat(20_000))),
        ("a.env", (0..200).map(|line| format!("sops_a{line}{}=x\n", "__list_199999".repeat(10))).collect()),
        ("a.ini", format!("[a]\na = x\n[sops]\n{} = x\n", "a__map_".repeat(20_000))),
        ("a.ini", "[a\n".repeat(100_000) + "a = \"\"\"x"),
        ("a.yaml", "[".repeat(1_000_000)),
        ("a.yaml", format!("a: x\nsops:\n    age:\n{}", recipient.repeat(20_000))),
        ("a.json", format!("{{\"a\":{}", "[".repeat(1_000_000))),
        ("a.json", format!("{{\"{}\":\"x\",\"sops\":{{\"age\":[{{}}]}}}}", "k".repeat(2_000_000))),
    ];
    for (name, text) in cases {
        let errors = within_a_second(text.as_bytes(), &[name])?;
        assert_eq!(errors.len(), 3, "{name}");
        for error in errors {
            let shown = format!("{error} {:?}", error.hint());
            assert!(shown.len() < 1000, "{name}: a short error: {}", shown.len());
        }
    }
    Ok(())
}

/// Text that is near enough to a SOPS file to get far.
fn structured() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        ": ",
        "=",
        "\n",
        "  ",
        "- ",
        "sops",
        "sops_",
        "__map_",
        "__list_",
        "0",
        "9",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\"\"\"",
        "`",
        ",",
        "'",
        "age",
        "enc",
        "recipient",
        "kms",
        "arn",
        "mac",
        "ENC[AES256_GCM,data:",
        ",iv:",
        ",tag:",
        ",type:str]",
        "&x ",
        "*x",
        "<<",
        "|-\n",
        "#",
        ";",
        "\\",
        "\r\n",
        "\u{2028}",
        "\u{feff}",
        "\t",
        "---\n",
        "!!str ",
        "? ",
        "encrypted_regex",
        "(a*)*",
        "null",
        "1e999",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(within_a_second(&bytes, &NAMES).is_ok());
    }

    #[test]
    fn structured_text_is_answered(text in structured(), marks in 0_usize..4) {
        let mark: &[u8] = [&b""[..], b"\xFF\xFE", b"\xFE\xFF", b"\xEF\xBB\xBF"][marks];
        prop_assert!(within_a_second(&[mark, text.as_bytes()].concat(), &NAMES).is_ok());
    }
}
