//! Against the genuine program, with documents made at random. It runs where `KEYWRIGHT_GENUINE_SOPS` names a sops,
//! with `cargo test -- --ignored genuine`; `KEYWRIGHT_GENUINE_DOCUMENTS` says how many documents (200).

use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use super::*;

struct Genuine {
    program: OsString,
    recipient: String,
    folder: tempfile::TempDir,
}

impl Genuine {
    fn new() -> Result<Self> {
        let program = std::env::var_os("KEYWRIGHT_GENUINE_SOPS").ok_or("KEYWRIGHT_GENUINE_SOPS names no sops")?;
        let keys = std::fs::read_to_string(fixture("throwaway-key.txt"))?;
        let recipient = keys.lines().find_map(|line| line.strip_prefix("# public key: ")).ok_or("no public key")?;
        Ok(Self { program, recipient: recipient.to_owned(), folder: tempfile::tempdir()? })
    }

    fn run(&self, arguments: &[&str], path: &Path) -> Result<Option<Vec<u8>>> {
        let output = Command::new(&self.program)
            .args(["--config", "/dev/null"])
            .args(arguments)
            .arg(path)
            .env("SOPS_DISABLE_VERSION_CHECK", "1")
            .env("SOPS_AGE_KEY_FILE", fixture("throwaway-key.txt"))
            .stderr(Stdio::null())
            .output()?;
        Ok(output.status.success().then_some(output.stdout))
    }

    /// Encrypts a text; `None` when sops refuses it.
    fn encrypt(&self, name: &str, text: &[u8], options: &[&str]) -> Result<Option<PathBuf>> {
        let (plain, path) = (self.folder.path().join(format!("plain-{name}")), self.folder.path().join(name));
        std::fs::write(&plain, text)?;
        let arguments: Vec<&str> = ["encrypt", "--age", &self.recipient].iter().chain(options).copied().collect();
        let Some(encrypted) = self.run(&arguments, &plain)? else { return Ok(None) };
        std::fs::write(&path, encrypted)?;
        Ok(Some(path))
    }

    fn decrypt_json(&self, path: &Path) -> Result<Option<Value>> {
        let json = self.run(&["decrypt", "--output-type", "json"], path)?;
        json.map(|json| serde_json::from_slice(&json)).transpose().map_err(Into::into)
    }
}

/// Texts that YAML, JSON and dotenv each have their trouble with.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z0-9]{1,12}",
        2 => any::<String>().prop_map(|text| text.replace('\0', "")),
        2 => prop::sample::select(vec![
            "", " ", "yes", "no", "on", "~", "null", "NULL", "true", "True", "017", "1_000", "0x1F", "1e3", ".5", "1.", ".inf", "-.INF",
            ".nan", "0b1", "0o7", "08", "+1", "-0", "2024-01-02", "2024-01-02T03:04:05Z", "1:30", "<<", "=", "- a", "a: b", "a #b", "#a", "|", ">",
            "line\nline\n", "\nleading", "trailing \n", "  indented\n more\n", "tab\there", "\t", "quote\"s'", "back\\slash", "\\n", "\r\n", "a\rb",
            "\u{85}", "\u{2028}", "\u{feff}", "é", "🔑", "%", "@", "`", "!x", "&x", "*x", "{a", "[a", "?", "? a", ":", "---", "...", "a\n---\nb",
            "ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]", "ENC[", "123456789012345678901234567890",
        ]).prop_map(str::to_owned),
        1 => "(?s).{60,200}".prop_map(|text: String| text.replace('\0', "")),
        1 => "([a-z]{1,9}[ \n]){10,40}",
    ]
}

fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-z]{1,6}(_unencrypted|_enc)?",
        1 => any_text().prop_filter("a short key", |text| text.len() < 100 && text != "<<"),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        6 => any_text().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => (-1000_i64..1000).prop_map(Value::from),
        1 => any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        1 => (-100.0_f64..100.0).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any_key(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_document() -> impl Strategy<Value = Value> {
    prop::collection::btree_map(
        any_key().prop_filter("not the metadata", |key| !key.starts_with("sops")),
        any_value(),
        1..6,
    )
    .prop_map(|map| Value::Object(map.into_iter().collect()))
}

/// YAML with comments at random places. What it means is what sops makes of it.
fn yaml(document: &Value, comments: u64) -> Result<String> {
    let text = serde_yaml::to_string(document)?;
    let mut bits = comments;
    let mut in_text = false;
    Ok(text
        .lines()
        .map(|line| {
            // Comments within a block of text would be text.
            in_text =
                line.trim_end().ends_with(['|', '>', '-', '+', '1', '2', '4', '8']) || in_text && line.starts_with(' ');
            bits = bits.rotate_left(1);
            let indent = &line[..line.len() - line.trim_start().len()];
            if bits & 3 == 3 && !in_text && !line.contains(['"', '\'', '#', '|', '>']) {
                format!("{indent}# comment {}\n{line} # line\n", bits & 7)
            } else {
                format!("{line}\n")
            }
        })
        .collect())
}

/// A dotenv file of the document's top level, with its nested parts as JSON text.
fn dotenv(document: &Value) -> String {
    let mut lines = Vec::new();
    for (place, (key, value)) in document.as_object().into_iter().flatten().enumerate() {
        let key: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned).replace(['\n', '\r'], "\\n");
        lines.extend([format!("# comment {place}"), format!("K{place}{key}={value}"), String::new()]);
    }
    lines.join("\n")
}

/// What our decryption makes of the document as a whole, and of each place in it where the whole is refused.
fn compare(path: &Path, expected: &Value, whole: bool) -> Result<usize> {
    let mut all = if whole { vec![String::new()] } else { Vec::new() };
    fixtures::pointers(expected, "", &mut all);
    let mut compared = 0;
    for pointer in all {
        let want = expected.pointer(&pointer).ok_or("no such place")?;
        match render(&sops_at(path, Some(&pointer))) {
            Ok(value) => {
                let found = match want {
                    Value::String(_) => Value::String(text(&value).to_owned()),
                    _ => serde_json::from_str(text(&value))?,
                };
                if !fixtures::same(&found, want) {
                    return Err(format!("{pointer}: {found} is not {want}").into());
                }
                compared += 1;
            }
            // The service takes no empty value.
            Err(ValueError::NotEncrypted { .. } | ValueError::NothingEncrypted { .. } | ValueError::Empty) => {}
            Err(error) => return Err(format!("{pointer}: {error}").into()),
        }
    }
    Ok(compared)
}

/// Changes one character of the values or the MAC, or drops a line. The metadata of recipients is not authenticated.
fn tamper(text: &str, at: usize) -> Option<String> {
    let places: Vec<_> = text.match_indices("data:").map(|(place, found)| place + found.len()).collect();
    let place = *places.get(at % places.len().max(1))?;
    let flipped = if text[place..].starts_with('A') { "B" } else { "A" };
    Some(format!("{}{flipped}{}", &text[..place], &text[place + 1..]))
}

/// What became of one random document.
#[derive(Default)]
struct Tally {
    documents: usize,
    values: usize,
    refused: usize,
    skipped: usize,
    failures: Vec<String>,
}

impl Tally {
    /// Takes a file that sops has encrypted, with what it decrypts to, document by document.
    fn file(&mut self, genuine: &Genuine, path: &Path, expected: &[Value], at: usize) -> Result {
        let encrypted = std::fs::read_to_string(path)?;
        for document in expected {
            match compare(path, document, expected.len() == 1) {
                Ok(compared) => self.values += compared,
                Err(error) => self.failures.push(format!("{error}\n{encrypted}")),
            }
        }
        self.documents += 1;
        if let Some(changed) = tamper(&encrypted, at) {
            std::fs::write(path, changed)?;
            let refused = genuine.run(&["decrypt"], path)?.is_none();
            // Any value will do: the whole file is checked.
            let mut all = Vec::new();
            for document in expected {
                fixtures::pointers(document, "", &mut all);
            }
            let taken = all.iter().find(|pointer| render(&sops_at(path, Some(pointer.as_str()))).is_ok());
            match (refused, taken) {
                (true, None) => self.refused += 1,
                (true, Some(pointer)) => {
                    self.failures.push(format!("{pointer}: we took what sops refused\n{encrypted}"));
                }
                // A comment was changed: the MAC does not cover it.
                (false, _) => {}
            }
        }
        Ok(())
    }
}

#[test]
#[ignore = "needs a genuine sops"]
fn genuine_sops_and_we_decrypt_alike() -> Result {
    let genuine = Genuine::new()?;
    let count = std::env::var("KEYWRIGHT_GENUINE_DOCUMENTS").ok().and_then(|count| count.parse().ok()).unwrap_or(200);
    let mut runner = TestRunner::default();
    let modes: [&[&str]; 5] = [
        &[],
        &["--encrypted-suffix", "_enc"],
        &["--unencrypted-suffix", "_enc"],
        &["--encrypted-regex", "^[a-m]"],
        &["--unencrypted-regex", "(?i)^[N-Z].*$"],
    ];
    let documents = (any_document(), any_document(), prop::collection::vec(any::<u8>(), 1..2000));
    let inputs = (documents, 0_usize..5, prop::sample::select(modes.to_vec()), any::<u64>(), any::<usize>());
    let mut tally = Tally::default();
    for _ in 0..count {
        let tree = inputs.new_tree(&mut runner).map_err(|error| error.to_string())?;
        let ((one, two, bytes), format, mode, comments, at) = tree.current();
        let json_of = |name: &str, text: &str| -> Result<Option<(PathBuf, Value)>> {
            let Some(path) = genuine.encrypt(name, text.as_bytes(), mode)? else { return Ok(None) };
            Ok(genuine.decrypt_json(&path)?.map(|json| (path, json)))
        };
        let encrypted = match format {
            0 => json_of("random.yaml", &yaml(&one, comments)?)?.map(|(path, json)| (path, vec![json])),
            1 => json_of("random.json", &serde_json::to_string(&one)?)?.map(|(path, json)| (path, vec![json])),
            2 => json_of("random.env", &dotenv(&one))?.map(|(path, json)| (path, vec![json])),
            3 => {
                // As JSON, sops shows the first document only: each is decrypted alone, too.
                let first = json_of("first.yaml", &yaml(&one, comments)?)?;
                let second = json_of("second.yaml", &yaml(&two, !comments)?)?;
                let text = format!("{}---\n{}", yaml(&one, comments)?, yaml(&two, !comments)?);
                let path = genuine.encrypt("several.yaml", text.as_bytes(), mode)?;
                let shared = one
                    .as_object()
                    .zip(two.as_object())
                    .is_none_or(|(one, two)| one.keys().any(|key| two.contains_key(key)));
                first.zip(second).zip(path).filter(|_| !shared).map(|((one, two), path)| (path, vec![one.1, two.1]))
            }
            _ => {
                let Some(path) = genuine.encrypt("random.bin", &bytes, &[])? else { continue };
                let value = render(&sops_at(&path, None))?;
                assert!(matches!(value.expose(), Exposed::Binary(found) if found == bytes));
                tally.documents += 1;
                continue;
            }
        };
        match encrypted {
            Some((path, expected)) => tally.file(&genuine, &path, &expected, at)?,
            None => tally.skipped += 1,
        }
    }
    let Tally { documents, values, refused, skipped, failures } = tally;
    let report =
        format!("{documents} documents ({values} values), {refused} tampered ones refused by both, {skipped} skipped");
    if let Some(report_file) = std::env::var_os("KEYWRIGHT_GENUINE_REPORT") {
        std::fs::write(report_file, &report)?;
    }
    if failures.is_empty() && documents > count / 2 {
        Ok(())
    } else {
        Err(format!("{report}; {} failures, the first: {}", failures.len(), failures.first().map_or("", |first| first))
            .into())
    }
}

#[test]
#[ignore = "needs a genuine sops"]
fn genuine_sops_decrypts_what_we_leave_to_it() -> Result {
    let genuine = Genuine::new()?;
    let keys = std::fs::read_to_string(fixture("throwaway-key.txt"))?
        + &std::fs::read_to_string(fixture("throwaway-other-key.txt"))?;
    let both = genuine.folder.path().join("keys.txt");
    std::fs::write(&both, keys)?;
    // The program takes its keys from our environment, which a test cannot set: a script does it.
    let program = genuine.folder.path().join("sops-with-keys");
    let body = format!(
        "#!/bin/sh\nSOPS_AGE_KEY_FILE='{}' exec '{}' \"$@\"\n",
        both.display(),
        Path::new(&genuine.program).display()
    );
    std::fs::write(&program, body)?;
    #[cfg(unix)]
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let program = SopsProgram::new(program);
    let rendered = |source: &Source| render_with(source, &AgeKeys::none(), &NoKms, Some(&program));
    assert_eq!(text(&rendered(&sops("shamir.yaml", Some("/password")))?), "shared");
    assert_eq!(text(&rendered(&sops("comment-regex.yaml", Some("/password")))?), "hidden");
    assert_eq!(text(&rendered(&sops("app.ini", Some("/db/password")))?), "a=b c");

    let text = std::fs::read_to_string(fixture("shamir.yaml"))?;
    let path = genuine.folder.path().join("changed.yaml");
    std::fs::write(&path, text.replace("    mac: ENC", "    mac: XNC"))?;
    assert!(matches!(
        rendered(&sops_at(&path, None)),
        Err(ValueError::MacMismatch { .. } | ValueError::ProgramFailed { .. })
    ));
    std::fs::write(&path, tamper(&text, 0).ok_or("nothing to change")?)?;
    assert!(matches!(rendered(&sops_at(&path, None)), Err(ValueError::Tampered { .. })));
    let no_keys = SopsProgram::new(&genuine.program);
    assert!(matches!(
        render_with(&sops("shamir.yaml", None), &AgeKeys::none(), &NoKms, Some(&no_keys)),
        Err(ValueError::NoKey { .. })
    ));
    Ok(())
}
