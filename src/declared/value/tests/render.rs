//! The sources that are not SOPS files, and the ones that are made of others.

use std::collections::BTreeMap;

use super::*;
use crate::domain::{Part, Template};

fn text_source(text: &str) -> Source {
    Source::Text(Template::text(text))
}

fn json(fields: impl IntoIterator<Item = (&'static str, Source)>) -> Source {
    Source::Json(fields.into_iter().map(|(key, source)| (key.to_owned(), source)).collect::<BTreeMap<_, _>>())
}

fn file_source(path: &Path) -> Source {
    Source::File { path: file_at(path), shown: "value.txt".to_owned() }
}

fn template(secret: &str) -> Source {
    Source::Text(Template::new(vec![Part::Text("for ".to_owned()), Part::SecretArn(SecretName::new(secret))]))
}

#[test]
fn every_source_gives_its_value() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("value.txt");
    std::fs::write(&path, "two\nlines\n")?;
    assert_eq!(text(&render(&Source::Env("KW_PASSWORD".to_owned()))?), "CANARY-of-KW_PASSWORD");
    assert_eq!(text(&render(&file_source(&path))?), "two\nlines\n", "byte for byte");
    assert_eq!(text(&render(&text_source("payments"))?), "payments");
    assert!(text(&render(&template("known/db"))?).starts_with("for arn:aws:secretsmanager:"));
    assert_eq!(text(&render(&Source::Generate(GenerateOptions::default()))?), "CANARY-generated");
    std::fs::write(&path, [0xff, 0x00])?;
    assert_eq!(render(&file_source(&path)), Err(ValueError::NotText { file: "value.txt".to_owned() }));
    let binary = Source::BinaryFile { path: file_at(&path), shown: "value.txt".to_owned() };
    assert!(matches!(render(&binary)?.expose(), Exposed::Binary(&[0xff, 0x00])));
    Ok(())
}

#[test]
fn json_composes_with_sorted_keys() -> Result {
    let source = json([
        ("username", text_source("pay\"ments")),
        ("password", sops("types.yaml", Some("/certificate"))),
        ("port", sops("types.yaml", Some("/db/port"))),
        ("hosts", sops("types.yaml", Some("/hosts"))),
        ("inner", json([("generated", Source::Generate(GenerateOptions::default())), ("none", text_source(""))])),
        ("env", Source::Env("KW_A".to_owned())),
    ]);
    let rendered = render(&source)?;
    let text = text(&rendered);
    assert!(
        text.starts_with(r#"{"env":"CANARY-of-KW_A","hosts":["a.example","b.example",3,null,"",["nested""#),
        "{text}"
    );
    assert!(text.contains(r#""inner":{"generated":"CANARY-generated","none":""},"password":"-----BEGIN"#), "{text}");
    assert!(text.ends_with(r#""port":5432,"username":"pay\"ments"}"#), "{text}");
    Ok(())
}

#[test]
fn what_cannot_be_a_value_is_refused() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("value.txt");
    std::fs::write(&path, "")?;
    assert_eq!(render(&file_source(&path)), Err(ValueError::Empty));
    std::fs::write(&path, vec![b'a'; MAX_VALUE_BYTES])?;
    assert_eq!(render(&file_source(&path))?.len(), MAX_VALUE_BYTES);
    std::fs::write(&path, vec![b'a'; MAX_VALUE_BYTES + 1])?;
    assert_eq!(render(&file_source(&path)), Err(ValueError::TooLarge));
    assert_eq!(render(&text_source("")), Err(ValueError::Empty));
    assert_eq!(
        render(&Source::Env("AWS_SECRET_ACCESS_KEY".to_owned())),
        Err(ValueError::EnvNever { name: "AWS_SECRET_ACCESS_KEY".to_owned() })
    );
    assert_eq!(render(&Source::Env("HOME".to_owned())), Err(ValueError::EnvNotAllowed { name: "HOME".to_owned() }));
    assert_eq!(render(&template("new/db")), Err(ValueError::ArnUnknown { secret: "new/db".to_owned() }));
    assert_eq!(
        render(&json([("a", sops("blob.bin", None))])),
        Err(ValueError::BinaryInJson { file: "blob.bin".to_owned() })
    );
    Ok(())
}

#[test]
fn passwords_are_asked_for_with_every_option() -> Result {
    let options = GenerateOptions {
        length: 64,
        exclude_characters: "\"@/".to_owned(),
        exclude_numbers: true,
        exclude_punctuation: true,
        exclude_uppercase: true,
        exclude_lowercase: true,
        include_space: true,
        require_each_included_type: false,
    };
    let (files, age, passwords) = (SopsFiles::new(), AgeKeys::none(), SamePassword::default());
    let decryptor = Decryptor::new(&files, &age, &NoKms, None);
    let allowed = GlobSet::empty();
    let env = EnvAccess::new(&environment, &allowed);
    let context = RenderContext { decryptor: &decryptor, arns: &arn, env, passwords: &passwords, kept: None };
    run(Source::Generate(options.clone()).render(&context))?;
    assert_eq!(passwords.0.into_inner().map_err(|_| "poisoned")?, [options]);
    Ok(())
}

/// `apply` runs on several threads.
#[test]
fn rendering_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let (files, age, passwords) = (SopsFiles::new(), AgeKeys::none(), SamePassword::default());
    let decryptor = Decryptor::new(&files, &age, &NoKms, None);
    let allowed = GlobSet::empty();
    let env = EnvAccess::new(&environment, &allowed);
    let context = RenderContext { decryptor: &decryptor, arns: &arn, env, passwords: &passwords, kept: None };
    let source = text_source("a");
    is_send(&source.render(&context));
}
