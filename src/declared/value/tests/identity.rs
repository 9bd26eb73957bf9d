//! Version ids: what changes them, and what does not.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::{Part, Template, VersionId};
use crate::value::generated_whole;

fn known(source: &Source, name: &str) -> Result<VersionId> {
    match identity_of(source, name)? {
        Identity::Known(id) => Ok(id),
        other => Err(format!("{other:?}").into()),
    }
}

#[test]
fn day_to_day_commands_change_what_they_should() -> Result {
    let id = |file: &str, key: &str| known(&sops(file, Some(key)), "app/db");
    for key in ["/db", "/db/password", "/cache/password"] {
        assert_eq!(id("day-one.yaml", key)?, id("day-keys.yaml", key)?, "updatekeys changes nothing");
        assert_ne!(id("day-one.yaml", key)?, id("day-rotate.yaml", key)?, "rotate encrypts afresh");
    }
    assert_eq!(id("day-one.yaml", "/db")?, id("day-set.yaml", "/db")?, "set changes one value");
    assert_ne!(id("day-one.yaml", "/cache")?, id("day-set.yaml", "/cache")?);
    Ok(())
}

#[test]
fn no_key_is_needed_and_ids_are_ours() -> Result {
    for (name, key) in [
        ("types.yaml", None),
        ("types.json", None),
        ("app.env", None),
        ("blob.bin", None),
        ("shamir.yaml", None),
        ("app.ini", None),
        ("several.yaml", Some("/third")),
    ] {
        assert!(known(&sops(name, key), "app/db")?.is_ours(), "{name}");
    }
    Ok(())
}

/// An id that changed by accident would make every secret of every user look changed.
#[test]
fn ids_do_not_change_between_releases() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("db.yaml");
    let leaf = |data: &str, kind: &str| format!("ENC[AES256_GCM,data:{data},iv:aXY=,tag:dGFn,type:{kind}]");
    let text = format!(
        "b: {}\na:\n  y:\n  - {}\n  - ''\n  - null\n  x: {{}}\nsops: {{ age: [{{ recipient: age1x, enc: '' }}], \
         mac: m }}\n",
        leaf("QQ==", "str"),
        leaf("Qg==", "int"),
    );
    std::fs::write(&path, text)?;
    let whole = known(&sops_at(&path, None), "app/db")?;
    assert_eq!(whole.as_str(), "kw1-da6966e1b8b2cf204069ea42a5ecf9e42a6745bdaeff14c5c02ac2afb291");
    let fields = BTreeMap::from([
        ("user".to_owned(), Source::Text(Template::text("payments"))),
        ("password".to_owned(), sops_at(&path, Some("/b"))),
    ]);
    assert_eq!(
        known(&Source::Json(fields), "app/db")?.as_str(),
        "kw1-6f2ea551d3a59c2c1eb68bc95ecea6a5c557f72b4ee62d5bca58b6f1fc2a"
    );
    assert_eq!(
        known(&Source::Text(Template::text("payments")), "app/db")?.as_str(),
        "kw1-8d560cb80b840d1be9d48d8bfc9465668d74b824aa7b53d6828b3922b16a"
    );
    Ok(())
}

#[test]
fn other_sources_have_their_own_kinds_of_identity() -> Result {
    let folder = tempfile::tempdir()?;
    let path = file_at(&folder.path().join("value"));
    let file = Source::File { path: path.clone(), shown: "value".to_owned() };
    let binary = Source::BinaryFile { path, shown: "value".to_owned() };
    let env = Source::Env("KW_A".to_owned());
    let made = Source::Generate(GenerateOptions::default());
    let template = |name: &str| Source::Text(Template::new(vec![Part::SecretArn(SecretName::new(name))]));
    let json = |sources: Vec<Source>| {
        Source::Json(sources.into_iter().enumerate().map(|(place, source)| (place.to_string(), source)).collect())
    };
    let clear = Source::Text(Template::text("a"));
    for (source, identity) in [
        (file, "ByComparison"),
        (binary, "ByComparison"),
        (env.clone(), "ByComparison"),
        (made.clone(), "MadeOnce"),
        (template("new/db"), "KnownAfterApply"),
        (json(vec![clear.clone(), template("new/db")]), "KnownAfterApply"),
        (json(vec![env.clone(), template("new/db")]), "ByComparison"),
        (json(vec![env, template("new/db"), json(vec![made])]), "MadeOnce"),
    ] {
        assert!(format!("{:?}", identity_of(&source, "app/db")?).starts_with(identity), "{source:?}");
    }
    // Where no id stands for the content, a digest does, as far as it is public.
    let digest = |source: &Source| Ok::<_, ValueError>(identity_of(source, "app/db")?.digest().cloned());
    let mixed = |text: &str| {
        json(vec![Source::Text(Template::text(text)), template("new/db"), Source::Generate(GenerateOptions::default())])
    };
    assert!(digest(&mixed("a"))?.is_some());
    assert_ne!(digest(&mixed("a"))?, digest(&mixed("b"))?);
    assert_ne!(digest(&template("new/a"))?, digest(&template("new/b"))?);
    assert_ne!(known(&template("known/a"), "app/db")?, known(&template("known/b"), "app/db")?);
    assert_eq!(identity_of(&Source::Text(Template::text("")), "app/db"), Err(ValueError::Empty));
    let broken = json(vec![Source::Generate(GenerateOptions::default()), sops("missing.yaml", None)]);
    assert!(matches!(identity_of(&broken, "app/db"), Err(ValueError::MissingFile { .. })), "problems are not put off");
    Ok(())
}

/// Up to release 0.2.0 the places of generated parts were not in the id.
#[test]
fn where_generated_parts_stand_is_in_the_id_and_was_not_in_that_of_earlier_releases() -> Result {
    let made = |keys: &[&str]| {
        let user = ("user".to_owned(), Source::Text(Template::text("u")));
        let made = keys.iter().map(|key| ((*key).to_owned(), Source::Generate(GenerateOptions::default())));
        match identity_of(&Source::Json(made.chain([user]).collect()), "prod/json")? {
            Identity::MadeOnce(made) => Ok::<_, Box<dyn std::error::Error>>(made),
            other => Err(format!("{other:?}").into()),
        }
    };
    let (one, renamed, two) = (made(&["password"])?, made(&["pw"])?, made(&["password", "pw"])?);
    assert!(one.id.is_generated() && one.id != renamed.id && one.id != two.id);
    let earlier = one.earlier.ok_or("no earlier id")?;
    assert_eq!(earlier.as_str(), "kw1-g1507604d89db6140026c57504a4e1fe752d18381a3aa96b90f72a61c631");
    assert_eq!(Some(&earlier), renamed.earlier.as_ref());
    assert_ne!(Some(&earlier), two.earlier.as_ref());
    // Of what is generated as a whole there is only one place.
    let long = Source::Generate(GenerateOptions { length: 64, ..GenerateOptions::default() });
    let name = SecretName::new("app/g");
    assert_eq!(identity_of(&long, "app/g")?.digest(), Some(&generated_whole(&name)), "whatever it is made of");
    let Identity::MadeOnce(whole) = identity_of(&Source::Generate(GenerateOptions::default()), "app/g")? else {
        return Err("generated".into());
    };
    assert_eq!(whole.id.as_str(), "kw1-g160edaeeef5ebd53b5159242e199cba8f34267a75d15b5827aba77dfb0d");
    assert_eq!(whole.earlier, None);
    Ok(())
}

/// A tree of fake ciphertext.
#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Null,
    Empty,
    Leaf(u16, &'static str),
    List(Vec<Tree>),
    Map(BTreeMap<String, Tree>),
}

impl Tree {
    fn has_leaf(&self) -> bool {
        match self {
            Self::Leaf(..) => true,
            Self::Null | Self::Empty => false,
            Self::List(items) => items.iter().any(Self::has_leaf),
            Self::Map(entries) => entries.values().any(Self::has_leaf),
        }
    }

    /// As JSON, with the keys of every map forwards or backwards.
    fn json(&self, backwards: bool) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Empty => "\"\"".to_owned(),
            Self::Leaf(data, kind) => format!("\"ENC[AES256_GCM,data:{data:04},iv:aXY=,tag:dGFn,type:{kind}]\""),
            Self::List(items) => {
                format!("[{}]", items.iter().map(|item| item.json(backwards)).collect::<Vec<_>>().join(","))
            }
            Self::Map(entries) => {
                let mut entries: Vec<_> =
                    entries.iter().map(|(key, tree)| format!("{key:?}:{}", tree.json(backwards))).collect();
                if backwards {
                    entries.reverse();
                }
                format!("{{{}}}", entries.join(","))
            }
        }
    }
}

/// A tree that can be a value: something in it is encrypted.
fn any_value() -> impl Strategy<Value = Tree> {
    any_tree().prop_map(|tree| if tree.has_leaf() { tree } else { Tree::List(vec![tree, Tree::Leaf(0, "str")]) })
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        1 => Just(Tree::Null),
        1 => Just(Tree::Empty),
        // Few of them, so that equal ones meet.
        4 => (0_u16..3, prop::sample::select(vec!["str", "int", "float", "bool"]))
            .prop_map(|(data, kind)| Tree::Leaf(data, kind)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Tree::List),
            prop::collection::btree_map("[ab/~]{1,2}", inner, 0..3).prop_map(Tree::Map),
        ]
    })
}

/// The id of the value at `key` in a file with these entries; `None` when it cannot be a value.
fn id(entries: &[(&str, String)], key: &str, name: &str) -> Result<Option<VersionId>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("db.json");
    let entries: Vec<_> = entries.iter().map(|(key, json)| format!("{key:?}:{json}")).collect();
    let sops = r#""sops":{"age":[{"recipient":"age1x","enc":""}],"mac":"m"}"#;
    std::fs::write(&path, format!("{{{},{sops}}}", entries.join(",")))?;
    match identity_of(&sops_at(&path, Some(key)), name) {
        Ok(Identity::Known(id)) => Ok(Some(id)),
        Err(ValueError::NothingEncrypted { .. }) => Ok(None),
        other => Err(format!("{other:?}").into()),
    }
}

fn outcome<T>(result: Result<T>) -> std::result::Result<T, TestCaseError> {
    result.map_err(|error| TestCaseError::fail(error.to_string()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever else is in the file, and in which order, does not count.
    #[test]
    fn other_values_and_the_order_of_keys_do_not_count(
        tree in any_value(),
        other in any_tree(),
        another in any_tree(),
    ) {
        let one = outcome(id(&[("db", tree.json(false)), ("other", other.json(false))], "/db", "app/db"))?;
        let others = [("more", another.json(false)), ("other", another.json(true)), ("db", tree.json(true))];
        let two = outcome(id(&others, "/db", "app/db"))?;
        prop_assert_eq!(one, two);
    }

    /// Two values have one id only if they are the same ciphertext at the same places.
    #[test]
    fn different_ciphertext_types_paths_and_shapes_have_different_ids(one in any_value(), two in any_value()) {
        let id_of = |tree: &Tree| outcome(id(&[("db", tree.json(false))], "/db", "app/db"));
        prop_assert_eq!(one == two, id_of(&one)? == id_of(&two)?);
    }

    /// The place in the file and the name of the secret are part of the id.
    #[test]
    fn another_path_or_name_is_another_id(tree in any_value()) {
        let json = tree.json(false);
        let one = outcome(id(&[("db", json.clone())], "/db", "app/db"))?;
        prop_assert_ne!(&one, &outcome(id(&[("dc", json.clone())], "/dc", "app/db"))?);
        prop_assert_ne!(&one, &outcome(id(&[("db", json)], "/db", "app/dc"))?);
    }

    /// Fields of `json` do not run together, whatever the texts are.
    #[test]
    fn texts_do_not_run_together(
        one in prop::collection::btree_map("[a/]{1,2}", "[a/]{0,2}", 1..3),
        two in prop::collection::btree_map("[a/]{1,2}", "[a/]{0,2}", 1..3),
    ) {
        let json = |map: &BTreeMap<String, String>| {
            let field = |(key, text): (&String, &String)| (key.clone(), Source::Text(Template::text(text.clone())));
            Source::Json(map.iter().map(field).collect())
        };
        prop_assert_eq!(one == two, outcome(known(&json(&one), "n"))? == outcome(known(&json(&two), "n"))?);
    }
}
