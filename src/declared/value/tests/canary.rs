//! Nothing that can be printed shows a marked plaintext, key, or line of a file.

use std::collections::BTreeMap;

use super::*;
use crate::domain::Template;

const MARK: &str = "CANARY";

#[test]
fn what_can_be_printed_shows_nothing() -> Result {
    let key = std::fs::read_to_string(fixture("throwaway-key.txt"))?;
    let secret = key.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).ok_or("no key")?;
    let (files, age) = (SopsFiles::new(), keys());
    let decryptor = Decryptor::new(&files, &age, &NoKms, None);
    let allowed = globs(&["*"])?;
    let passwords = SamePassword::default();
    let env = EnvAccess::new(&environment, &allowed);
    let context = RenderContext { decryptor: &decryptor, arns: &arn, env, passwords: &passwords, kept: None };
    let sources = [
        Source::Text(Template::text(MARK)),
        Source::Env("KW_X".to_owned()),
        Source::Generate(GenerateOptions::default()),
        Source::Json(BTreeMap::from([("a".to_owned(), Source::Text(Template::text(MARK)))])),
        sops("types.yaml", None),
    ];
    let mut printed = Vec::new();
    for source in &sources {
        let value = run(source.render(&context))?;
        let identity = identity_of(source, "app/db")?;
        printed.push(format!("{value:?} {value:#?} {source:?} {source:#?} {identity:?}"));
    }
    printed.push(format!("{age:?} {files:?} {decryptor:?}"));
    for text in printed {
        for hidden in [MARK, secret, "quoted", "5432", "payments", "one line"] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
    }
    Ok(())
}

/// Errors that are provoked with marked text everywhere that a person can put it.
#[test]
fn errors_show_nothing() -> Result {
    let folder = tempfile::tempdir()?;
    let original = std::fs::read_to_string(fixture("types.yaml"))?;
    let write = |name: &str, text: &str| -> Result<Source> {
        let path = folder.path().join(name);
        std::fs::write(&path, text)?;
        Ok(sops_at(&path, None))
    };
    let sources = [
        write("added.yaml", &format!("added: {MARK}\n{original}"))?,
        write("number.yaml", &format!("added_unencrypted: {MARK}\n{original}"))?,
        write("mac.yaml", &original.replace("    mac: ENC", &format!("    mac: {MARK}")))?,
        write("date.yaml", &original.replace("lastmodified: \"2", &format!("lastmodified: \"{MARK}")))?,
        write("enc.yaml", &original.replace("BEGIN AGE", MARK))?,
        write("mode.yaml", &original.replace("unencrypted_suffix: ", &format!("encrypted_regex: ({MARK}")))?,
        write("data.yaml", &original.replace("data:", &format!("data:{MARK}")))?,
    ];
    for source in &sources {
        let Err(error) = render(source) else { return Err(format!("{source:?} gave a value").into()) };
        let identity = identity_of(source, "app/db");
        let shown = format!("{error} {error:?} {:?} {identity:?}", error.hint());
        assert!(!shown.contains(MARK), "{source:?}: {shown}");
    }
    let keys = AgeKeys::look_up(
        &|name| (name == "SOPS_AGE_KEY").then(|| OsString::from(format!("AGE-SECRET-KEY-{MARK}"))),
        None,
    );
    let Err(error) = render_with(&sops("types.yaml", None), &keys, &NoKms, None) else { return Err("no error".into()) };
    let shown = format!("{error} {error:?} {:?}", error.hint());
    assert!(shown.contains("line 1 is not an age key") && !shown.contains(MARK), "{shown}");
    Ok(())
}
