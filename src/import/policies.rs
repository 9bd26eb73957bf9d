//! Policies that several manifests have, as files.
//!
//! A plain file is taken as it stands. Where a policy has the target's account or region in it, the file is a template
//! with these as parameters. What has other variables stays in its manifest.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::SHARED_BY_AT_LEAST;
use super::layout::ImportedFile;
use super::manifest::Manifest;
use super::yaml::Yaml;
use crate::render::escape;

/// The variables that a template may get, with their parameters.
const PARAMETERS: [(&str, &str); 2] = [("${target.account}", "account"), ("${target.region}", "region")];

/// A policy as a file.
struct PolicyFile {
    /// What it says.
    text: String,
    /// The parameters that it is a template of, with what they are; of a plain file, none.
    with: Vec<(String, Yaml)>,
}

/// Puts policies that several manifests have into files, and their names into the manifests. `free` gives a path for a
/// file by its stem; `path` the path of a manifest's file, both below the project's folder.
pub(super) fn share(
    manifests: &mut [Manifest],
    folder: &str,
    path: &dyn Fn(&Manifest) -> String,
    free: &mut dyn FnMut(&str) -> String,
) -> Vec<ImportedFile> {
    let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, manifest) in manifests.iter_mut().enumerate() {
        for policy in policies(manifest) {
            found.entry(policy.to_text()).or_default().push(at);
        }
    }
    let mut files: BTreeMap<String, (String, Vec<(String, Yaml)>)> = BTreeMap::new();
    let mut made = Vec::new();
    for (key, places) in found {
        let mut owners: Vec<&Manifest> = places.iter().filter_map(|at| manifests.get(*at)).collect();
        owners.dedup_by(|a, b| std::ptr::eq(*a, *b));
        let secrets: usize = owners.iter().map(|manifest| manifest.names()).sum();
        if places.len() < 2 || secrets < SHARED_BY_AT_LEAST {
            continue;
        }
        let stem = format!("{folder}/policies/{}", file_name(&owners));
        let of_key = |policy: &&mut Yaml| policy.to_text() == key;
        let first = places.first().and_then(|at| manifests.get_mut(*at));
        let policy = first.and_then(|first| policies(first).into_iter().find(of_key).map(|policy| policy.clone()));
        let Some(PolicyFile { text, with }) = policy.and_then(|policy| policy_file(&policy)) else { continue };
        let path = free(&stem);
        files.insert(key, (path.clone(), with));
        made.push(ImportedFile { path, text, secrets: Vec::new(), manifests: 0 });
    }
    for manifest in manifests {
        let up = "../".repeat(path(manifest).matches('/').count() - folder.matches('/').count() - 1);
        for policy in policies(manifest) {
            let Some((path, with)) = files.get(&policy.to_text()) else { continue };
            let named = format!("{up}{}", path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/'));
            *policy = named_file(&named, with);
        }
    }
    made
}

fn named_file(named: &str, with: &[(String, Yaml)]) -> Yaml {
    let kind = if with.is_empty() { "file" } else { "template" };
    let mut entries = vec![(kind.to_owned(), Yaml::literal(named))];
    if !with.is_empty() {
        entries.push(("with".to_owned(), Yaml::Map(with.to_vec())));
    }
    Yaml::Map(entries)
}

/// The policies of a manifest: its own, and those of its overrides.
fn policies(manifest: &mut Manifest) -> Vec<&mut Yaml> {
    let mut policies = Vec::new();
    for (field, value) in &mut manifest.spec {
        match (field.as_str(), value) {
            ("policy", value @ Yaml::Map(_)) => policies.push(value),
            ("overrides", Yaml::Map(overrides)) => {
                let fields = overrides.iter_mut().filter_map(|(_, over)| match over {
                    Yaml::Map(fields) => Some(fields),
                    _ => None,
                });
                let own = fields.flatten().filter(|(field, value)| field == "policy" && matches!(value, Yaml::Map(_)));
                policies.extend(own.map(|(_, value)| value));
            }
            _ => {}
        }
    }
    policies
}

/// The folders that the names of all manifests begin with.
fn file_name(manifests: &[&Manifest]) -> String {
    let folders = |manifest: &Manifest| -> Vec<String> {
        let (folder, _) = manifest.path_name.rsplit_once('/').unwrap_or_default();
        folder.split('/').map(str::to_owned).collect()
    };
    let mut common = manifests.first().map_or_else(Vec::new, |first| folders(first));
    for manifest in manifests {
        let same = common.iter().zip(folders(manifest)).take_while(|(a, b)| *a == b).count();
        common.truncate(same);
    }
    let safe = |c: char| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '-' };
    let name: String = common.join("-").chars().map(safe).take(60).collect();
    if name.is_empty() { "shared".to_owned() } else { name }
}

/// A policy as a file; none where it has variables that no file can have.
fn policy_file(policy: &Yaml) -> Option<PolicyFile> {
    let mut used = Vec::new();
    let document = to_json(policy, &mut used)?;
    let with: Vec<(String, Yaml)> = PARAMETERS
        .iter()
        .filter(|(_, parameter)| used.contains(parameter))
        .map(|(variable, parameter)| ((*parameter).to_owned(), Yaml::Text((*variable).to_owned())))
        .collect();
    let document = match document {
        Value::Object(fields) if !with.is_empty() => {
            let names: Vec<&str> = with.iter().map(|(name, _)| name.as_str()).collect();
            let mut template = Map::new();
            template.insert("x-parameters".to_owned(), json!(names));
            template.extend(fields);
            Value::Object(template)
        }
        document => document,
    };
    Some(PolicyFile { text: escape::json(&document).into_owned(), with })
}

/// YAML that was JSON as JSON, with marks in the place of its variables.
fn to_json(value: &Yaml, used: &mut Vec<&'static str>) -> Option<Value> {
    Some(match value {
        Yaml::Null => Value::Null,
        Yaml::Raw(text) => serde_json::from_str(text).ok()?,
        Yaml::Text(text) => Value::String(with_marks(text, used)?),
        Yaml::List(items) => Value::Array(items.iter().map(|item| to_json(item, used)).collect::<Option<_>>()?),
        Yaml::Map(entries) => {
            let mut members = Map::new();
            for (key, value) in entries {
                is_unmarked(key).then_some(())?;
                members.insert(key.clone(), to_json(value, used)?);
            }
            Value::Object(members)
        }
    })
}

/// Whether nothing in a text would be taken for a parameter of a template.
fn is_unmarked(text: &str) -> bool {
    !text.contains("<<")
}

/// A text with the marks of parameters in the place of variables, and without its escapes; none where it has other
/// variables.
fn with_marks(text: &str, used: &mut Vec<&'static str>) -> Option<String> {
    is_unmarked(text).then_some(())?;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, variable) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = &variable["${".len()..];
            continue;
        }
        let (name, parameter) = PARAMETERS.iter().find(|(name, _)| variable.starts_with(name))?;
        used.push(parameter);
        out.push_str(before);
        out.push_str(&format!("<<{parameter}>>"));
        rest = &variable[name.len()..];
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(name: &str, policy: &Value, overrides: bool) -> Manifest {
        let policy = Yaml::json(policy);
        let spec = if overrides {
            let over = Yaml::Map(vec![("policy".to_owned(), policy)]);
            ("overrides".to_owned(), Yaml::Map(vec![("dev".to_owned(), over)]))
        } else {
            ("policy".to_owned(), policy)
        };
        Manifest {
            path_name: name.to_owned(),
            notes: Vec::new(),
            items: Vec::new(),
            name: name.to_owned(),
            targets: vec!["dev".to_owned()],
            metadata: Vec::new(),
            spec: vec![spec],
            secrets: Vec::new(),
        }
    }

    fn shared(manifests: &mut [Manifest]) -> Vec<(String, String)> {
        let path = |manifest: &Manifest| format!("secrets/{}.yaml", manifest.path_name);
        let mut free = |stem: &str| format!("{stem}.json");
        let files = share(manifests, "secrets", &path, &mut free);
        files.into_iter().map(|ImportedFile { path, text, .. }| (path, text)).collect()
    }

    #[test]
    fn a_policy_of_three_secrets_is_a_file() {
        let policy = json!({ "Version": "2012-10-17", "Statement": { "Resource": "${aws:username}", "N": 1 } });
        let other = json!({ "Version": "2012-10-17" });
        let mut manifests = vec![
            manifest("app/a/x", &policy, false),
            manifest("app/b", &policy, true),
            manifest("app/c", &policy, false),
            manifest("app/d", &other, false),
        ];
        let files = shared(&mut manifests);
        let text = "{
  \"Version\": \"2012-10-17\",
  \"Statement\": {
    \"Resource\": \"${aws:username}\",
    \"N\": 1
  }
}
";
        assert_eq!(files, [("secrets/policies/app.json".to_owned(), text.to_owned())]);
        assert!(manifests[0].text().contains("  policy:\n    file: ../../policies/app.json\n"));
        assert!(manifests[1].text().contains("      policy:\n        file: ../policies/app.json\n"));
        assert!(manifests[3].text().contains("  policy:\n    Version:"));
        let mut two = vec![manifest("app/a", &policy, false), manifest("app/b", &policy, false)];
        assert!(shared(&mut two).is_empty(), "two secrets are no pattern");
        two[0].items = vec!["x".to_owned(), "y".to_owned()];
        assert_eq!(shared(&mut two).len(), 1, "a list of two and another one are three");
    }

    #[test]
    fn the_target_is_a_parameter_and_other_variables_stay() {
        let mut policy = Yaml::json(&json!({ "A": "arn:X::X:role/a", "B": "X", "C": "$${x}" }));
        let Yaml::Map(entries) = &mut policy else { return };
        entries[0].1 = Yaml::Text("arn:${target.region}::${target.account}:role/a".to_owned());
        entries[1].1 = Yaml::Text("${target.account}".to_owned());
        let file = policy_file(&policy);
        let text = "{
  \"x-parameters\": [
    \"account\",
    \"region\"
  ],
  \"A\": \"arn:<<region>>::<<account>>:role/a\",
  \"B\": \"<<account>>\",
  \"C\": \"$${x}\"
}
";
        assert_eq!(file.as_ref().map(|file| file.text.as_str()), Some(text));
        let named = named_file("p.json", &file.map(|file| file.with).unwrap_or_default());
        assert_eq!(
            named.to_text(),
            "template: p.json\nwith:\n  account: ${target.account}\n  region: ${target.region}\n"
        );
        for text in ["${each}", "a <<b>>", "${target.name}"] {
            let policy = Yaml::Map(vec![("A".to_owned(), Yaml::Text(text.to_owned()))]);
            assert!(policy_file(&policy).is_none(), "{text}");
        }
    }
}
