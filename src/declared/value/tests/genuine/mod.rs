//! Against the genuine program, with documents made at random. It runs where `KEYWRIGHT_GENUINE_SOPS` names a sops,
//! with `cargo test -- --ignored genuine`; `KEYWRIGHT_GENUINE_DOCUMENTS` says how many documents (200). It prints how
//! many were compared and how many were equal.

mod documents;
mod scalars;

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

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

    /// What `--extract` prints of a place in the first document.
    fn extract(&self, path: &Path, steps: &str) -> Result<Option<Vec<u8>>> {
        self.run(&["decrypt", "--extract", steps], path)
    }

    fn run(&self, arguments: &[&str], path: &Path) -> Result<Option<Vec<u8>>> {
        let mut command = Command::new(&self.program);
        command.args(["--config", "/dev/null"]).args(arguments).arg(path);
        output(command)
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

/// What a command prints; none when it fails.
fn output(mut command: Command) -> Result<Option<Vec<u8>>> {
    let output = command
        .env("SOPS_DISABLE_VERSION_CHECK", "1")
        .env("SOPS_AGE_KEY_FILE", fixture("throwaway-key.txt"))
        .stderr(Stdio::null())
        .output()?;
    Ok(output.status.success().then_some(output.stdout))
}

/// A program that decrypts with the keys of the fixtures. It takes them from our environment, which a test cannot set:
/// a script does it.
fn with_keys(genuine: &Genuine) -> Result<SopsProgram> {
    let keys = std::fs::read_to_string(fixture("throwaway-key.txt"))?
        + &std::fs::read_to_string(fixture("throwaway-other-key.txt"))?;
    let both = genuine.folder.path().join("keys.txt");
    std::fs::write(&both, keys)?;
    let program = genuine.folder.path().join("sops-with-keys");
    let body = format!(
        "#!/bin/sh\nSOPS_AGE_KEY_FILE='{}' exec '{}' \"$@\"\n",
        both.display(),
        Path::new(&genuine.program).display()
    );
    std::fs::write(&program, body)?;
    #[cfg(unix)]
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    Ok(program_at(program))
}

/// Renders sources of one file, which is opened once.
struct Renderer<'a> {
    age: &'a AgeKeys,
    program: &'a SopsProgram,
    files: SopsFiles,
}

impl<'a> Renderer<'a> {
    fn new(age: &'a AgeKeys, program: &'a SopsProgram) -> Self {
        Self { age, program, files: SopsFiles::new() }
    }

    fn each<T>(&self, work: impl FnOnce(&dyn Fn(&Source) -> std::result::Result<SecretValue, ValueError>) -> T) -> T {
        let decryptor = Decryptor::new(&self.files, self.age, &NoKms, Some(self.program));
        let allowed = GlobSet::empty();
        let context = RenderContext {
            decryptor: &decryptor,
            arns: &arn,
            env: EnvAccess::new(&environment, &allowed),
            passwords: &SamePassword::default(),
            kept: None,
        };
        work(&|source| run(source.render(&context)))
    }
}

/// What our decryption makes of the document as a whole, and of each place in it where the whole is refused.
fn compare(renderer: &Renderer<'_>, path: &Path, expected: &Value, whole: bool) -> Result<usize> {
    let mut all = if whole { vec![String::new()] } else { Vec::new() };
    fixtures::pointers(expected, "", &mut all);
    renderer.each(|render| {
        let mut compared = 0;
        for pointer in &all {
            let want = expected.pointer(pointer).ok_or("no such place")?;
            match render(&sops_at(path, Some(pointer))) {
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
    })
}

/// Changes one character of the values or the MAC, or drops a line. The metadata of recipients is not authenticated.
fn tamper(text: &str, at: usize) -> Option<String> {
    let places: Vec<_> = text.match_indices("data:").map(|(place, found)| place + found.len()).collect();
    let place = *places.get(at % places.len().max(1))?;
    let flipped = if text[place..].starts_with('A') { "B" } else { "A" };
    Some(format!("{}{flipped}{}", &text[..place], &text[place + 1..]))
}

/// The steps to a scalar of a document, as `--extract` and as a JSON pointer, chosen by `at`.
fn scalar_at(document: &Value, encrypted: &str, at: usize) -> Option<(String, String)> {
    let mut all = Vec::new();
    fixtures::pointers(document, "", &mut all);
    all.retain(|pointer| document.pointer(pointer).is_some_and(|value| !value.is_object() && !value.is_array()));
    // sops counts the comments of a list as its items, and we do not: there the two paths name different places.
    let in_list = |pointer: &str| {
        pointer.match_indices('/').any(|(end, _)| document.pointer(&pointer[..end]).is_some_and(Value::is_array))
    };
    let has_comments = encrypted.contains('#') || encrypted.contains("type:comment");
    all.retain(|pointer| !has_comments || !in_list(pointer));
    let pointer = all.get(at % all.len().max(1))?.clone();
    let mut place = document;
    let mut steps = String::new();
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        match place {
            Value::Array(items) => {
                place = items.get(step.parse::<usize>().ok()?)?;
                steps.push_str(&format!("[{step}]"));
            }
            map => {
                place = map.get(&step)?;
                // sops reads its path as Python would: what JSON would escape it may not know.
                if step.contains(['"', '\\']) || step.chars().any(char::is_control) {
                    return None;
                }
                steps.push_str(&format!("[\"{step}\"]"));
            }
        }
    }
    Some((steps, pointer))
}

/// What became of random documents.
#[derive(Default)]
struct Tally {
    compared: usize,
    equal: usize,
    values: usize,
    extracted: usize,
    edited: usize,
    refused: usize,
    skipped: usize,
    failures: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.compared += other.compared;
        self.equal += other.equal;
        self.values += other.values;
        self.extracted += other.extracted;
        self.edited += other.edited;
        self.refused += other.refused;
        self.skipped += other.skipped;
        self.failures.extend(other.failures);
    }

    /// Takes a file that sops has encrypted, with what it decrypts to, document by document.
    fn file(&mut self, bench: &Bench<'_>, path: &Path, expected: &[Value], at: usize) -> Result {
        let encrypted = std::fs::read_to_string(path)?;
        let before = self.failures.len();
        let renderer = Renderer::new(bench.age, bench.program);
        for document in expected {
            match compare(&renderer, path, document, expected.len() == 1) {
                Ok(compared) => self.values += compared,
                Err(error) => self.failures.push(format!("{error}\n{encrypted}")),
            }
        }
        self.one_key(bench, &renderer, path, &expected[0], at)?;
        self.compared += 1;
        self.equal += usize::from(self.failures.len() == before);
        match at % 4 {
            0 => self.edit(bench, path, expected, at)?,
            _ => self.tampered(bench, path, expected, &encrypted, at)?,
        }
        Ok(())
    }

    /// One value, byte for byte as `--extract` prints it.
    fn one_key(
        &mut self,
        bench: &Bench<'_>,
        renderer: &Renderer<'_>,
        path: &Path,
        document: &Value,
        at: usize,
    ) -> Result {
        let encrypted = std::fs::read_to_string(path)?;
        let Some((steps, pointer)) = scalar_at(document, &encrypted, at) else { return Ok(()) };
        let Ok(value) = renderer.each(|render| render(&sops_at(path, Some(&pointer)))) else { return Ok(()) };
        let Some(printed) = bench.genuine.extract(path, &steps)? else { return Ok(()) };
        let printed = String::from_utf8(printed)?;
        // What is no text is printed as a document, with a line feed; a moment is text to us.
        let is_text = document.pointer(&pointer).is_some_and(Value::is_string);
        let trimmed = printed.strip_suffix('\n').filter(|_| !is_text).unwrap_or(&printed);
        let moment = printed.strip_suffix('\n').is_some_and(|printed| printed == text(&value));
        if trimmed == text(&value) || moment {
            self.extracted += 1;
        } else {
            self.failures.push(format!("{pointer}: {:?} is extracted as {trimmed:?}\n{encrypted}", text(&value)));
        }
        Ok(())
    }

    /// A value that is set anew in the encrypted file is what we read then.
    fn edit(&mut self, bench: &Bench<'_>, path: &Path, expected: &[Value], at: usize) -> Result {
        let encrypted = std::fs::read_to_string(path)?;
        let Some((steps, pointer)) = scalar_at(&expected[0], &encrypted, at) else { return Ok(()) };
        let mut arguments = Command::new(&bench.genuine.program);
        arguments.args(["--config", "/dev/null", "set"]).arg(path).arg(steps).arg("\"edited anew\"");
        let set = output(arguments)?.is_some();
        let renderer = Renderer::new(bench.age, bench.program);
        match renderer.each(|render| render(&sops_at(path, Some(&pointer)))) {
            Ok(value) if set && text(&value) == "edited anew" => self.edited += 1,
            Ok(_) if set => self.failures.push(format!("{pointer}: an edit is not seen")),
            Err(ValueError::NotEncrypted { .. }) | Ok(_) => {}
            Err(error) if set => self.failures.push(format!("{pointer}: after an edit: {error}")),
            Err(_) => {}
        }
        Ok(())
    }

    /// What sops refuses we refuse.
    fn tampered(&mut self, bench: &Bench<'_>, path: &Path, expected: &[Value], encrypted: &str, at: usize) -> Result {
        let Some(changed) = tamper(encrypted, at) else { return Ok(()) };
        std::fs::write(path, changed)?;
        let refused = bench.genuine.run(&["decrypt"], path)?.is_none();
        // Any value will do: the whole file is checked.
        let mut all = Vec::new();
        for document in expected {
            fixtures::pointers(document, "", &mut all);
        }
        let renderer = Renderer::new(bench.age, bench.program);
        let taken =
            renderer.each(|render| all.iter().find(|pointer| render(&sops_at(path, Some(pointer.as_str()))).is_ok()));
        match (refused, taken) {
            (true, None) => self.refused += 1,
            (true, Some(pointer)) => self.failures.push(format!("{pointer}: we took what sops refused\n{encrypted}")),
            // A comment was changed: the MAC does not cover it.
            (false, _) => {}
        }
        Ok(())
    }
}

/// What a worker works with.
struct Bench<'a> {
    genuine: &'a Genuine,
    age: &'a AgeKeys,
    program: &'a SopsProgram,
}

/// How documents are told which of their values to encrypt.
const MODES: [&[&str]; 6] = [
    &[],
    &["--encrypted-suffix", "_enc"],
    &["--unencrypted-suffix", "_enc"],
    &["--encrypted-regex", "^[a-m]"],
    &["--unencrypted-regex", "(?i)^[N-Z].*$"],
    &["--mac-only-encrypted", "--encrypted-suffix", "_enc"],
];

/// Encrypts and compares one document after the other until `count` are taken.
fn work(taken: &AtomicUsize, count: usize) -> Result<Tally> {
    let genuine = Genuine::new()?;
    let (age, program) = (keys(), with_keys(&genuine)?);
    let bench = Bench { genuine: &genuine, age: &age, program: &program };
    let mut runner = TestRunner::default();
    let documents = (documents::any_document(), documents::any_document(), prop::collection::vec(any::<u8>(), 1..2000));
    let inputs = (documents, prop::sample::select(MODES.to_vec()), any::<u64>(), any::<usize>());
    let mut tally = Tally::default();
    loop {
        let number = taken.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return Ok(tally);
        }
        let tree = inputs.new_tree(&mut runner).map_err(|error| error.to_string())?;
        let ((one, two, bytes), mode, comments, at) = tree.current();
        let encrypted = |name: &str, text: &str| -> Result<Option<(PathBuf, Vec<Value>)>> {
            let Some(path) = genuine.encrypt(name, text.as_bytes(), mode)? else { return Ok(None) };
            Ok(genuine.decrypt_json(&path)?.map(|json| (path, vec![json])))
        };
        let file = match number % 8 {
            0 | 6 => encrypted("random.yaml", &documents::yaml(&one, comments)?)?,
            1 => encrypted("random.json", &serde_json::to_string(&one)?)?,
            2 => encrypted("random.env", &documents::dotenv(&one))?,
            3 => encrypted("anchors.yaml", &documents::anchored(&one, comments % 2 == 0)?)?,
            4 => several(&genuine, mode, &one, &two, comments)?,
            // Each place of it is another run of the program.
            5 => encrypted("random.ini", &documents::ini(&one))?.map(|(path, mut expected)| {
                // To sops, the section before the first one is always there; to us, when it has a key.
                if let Some(document) = expected[0].as_object_mut() {
                    document.retain(|name, section| name != "DEFAULT" || *section != serde_json::json!({}));
                }
                (path, expected)
            }),
            _ => {
                let Some(path) = genuine.encrypt("random.bin", &bytes, &[])? else { continue };
                let value = render(&sops_at(&path, None))?;
                tally.compared += 1;
                tally.values += 1;
                tally.equal += usize::from(matches!(value.expose(), Exposed::Binary(found) if found == bytes));
                continue;
            }
        };
        match file {
            Some((path, expected)) => tally.file(&bench, &path, &expected, at)?,
            None => tally.skipped += 1,
        }
    }
}

/// A file of two documents. As JSON, sops shows the first only: each is decrypted alone, too.
fn several(
    genuine: &Genuine,
    mode: &[&str],
    one: &Value,
    two: &Value,
    comments: u64,
) -> Result<Option<(PathBuf, Vec<Value>)>> {
    let (one_text, two_text) = (documents::yaml(one, comments)?, documents::yaml(two, !comments)?);
    let shared =
        one.as_object().zip(two.as_object()).is_none_or(|(one, two)| one.keys().any(|key| two.contains_key(key)));
    if shared {
        return Ok(None);
    }
    let mut expected = Vec::new();
    for text in [&one_text, &two_text] {
        let alone = genuine.encrypt("alone.yaml", text.as_bytes(), mode)?;
        let Some(json) = alone.map(|path| genuine.decrypt_json(&path)).transpose()?.flatten() else { return Ok(None) };
        expected.push(json);
    }
    let text = format!("{one_text}---\n{two_text}");
    Ok(genuine.encrypt("several.yaml", text.as_bytes(), mode)?.map(|path| (path, expected)))
}

/// Adds a line to the report, which the caller of the tests prints.
fn report(line: &str) -> Result {
    use std::io::Write as _;
    let Some(file) = std::env::var_os("KEYWRIGHT_GENUINE_REPORT") else { return Ok(()) };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file)?;
    Ok(writeln!(file, "{line}")?)
}

#[test]
#[ignore = "needs a genuine sops"]
fn genuine_sops_and_we_decrypt_alike() -> Result {
    let count = std::env::var("KEYWRIGHT_GENUINE_DOCUMENTS").ok().and_then(|count| count.parse().ok()).unwrap_or(200);
    let taken = AtomicUsize::new(0);
    let mut tally = Tally::default();
    std::thread::scope(|scope| -> Result {
        // The program takes most of the time.
        let workers: Vec<_> =
            (0..2).map(|_| scope.spawn(|| work(&taken, count).map_err(|error| error.to_string()))).collect();
        for worker in workers {
            tally.add(worker.join().map_err(|_| "a worker panicked")??);
        }
        Ok(())
    })?;
    let Tally { compared, equal, values, extracted, edited, refused, skipped, failures } = tally;
    let report = format!(
        "{compared} documents compared, {equal} equal ({values} values, {extracted} of them by --extract, {edited} \
         edits), {refused} tampered ones refused by both, {skipped} skipped"
    );
    self::report(&report)?;
    if failures.is_empty() && equal == compared && compared > count / 2 {
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
    let program = with_keys(&genuine)?;
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
    let no_keys = program_at(&genuine.program);
    assert!(matches!(
        render_with(&sops("shamir.yaml", None), &AgeKeys::none(), &NoKms, Some(&no_keys)),
        Err(ValueError::NoKey { .. })
    ));
    Ok(())
}
