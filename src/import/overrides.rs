//! `spec` over several targets: what most of them have, and overrides for what differs.

use std::collections::BTreeSet;

use super::fold::InTarget;
use super::yaml::Yaml;
use crate::manifest::Outline;

/// What an override says.
struct Override {
    unset: Vec<String>,
    fields: Vec<(String, Yaml)>,
}

/// `spec`: what most targets have, and an override for each that differs.
pub(super) fn spec(members: &[InTarget<'_>]) -> Vec<(String, Yaml)> {
    let mut spec: Vec<(String, Yaml)> = Vec::new();
    let mut own: Vec<Override> = members
        .iter()
        .map(|member| Override { unset: member.draft.unset.clone(), fields: member.draft.over.clone() })
        .collect();
    for field in fields(members) {
        let values: Vec<Option<&Yaml>> = members.iter().map(|member| find(&member.draft.spec, &field)).collect();
        if field == "tags" {
            tags(&values, &mut spec, &mut own);
            continue;
        }
        let base = most_common(&values);
        spec.extend(base.map(|base| (field.clone(), base.clone())));
        for (value, Override { unset, fields: over }) in values.iter().zip(&mut own) {
            match value {
                value if *value == base => {}
                // A map would be merged with the one beneath it.
                Some(value @ Yaml::Map(_)) if base.is_some() => {
                    unset.push(field.clone());
                    over.push((field.clone(), (*value).clone()));
                }
                Some(value) => over.push((field.clone(), (*value).clone())),
                None => unset.push(field.clone()),
            }
        }
    }
    let overrides: Vec<(&str, Yaml)> = members
        .iter()
        .zip(own)
        .filter_map(|(member, Override { unset, fields: over })| {
            let unset = (!unset.is_empty())
                .then(|| ("unset".to_owned(), Yaml::List(unset.into_iter().map(Yaml::Text).collect())));
            let fields: Vec<(String, Yaml)> = unset.into_iter().chain(over).collect();
            (!fields.is_empty()).then_some((member.layout.target.name.as_str(), Yaml::Map(fields)))
        })
        .collect();
    if !overrides.is_empty() {
        spec.push(("overrides".to_owned(), Yaml::Map(grouped(members, overrides))));
    }
    spec
}

/// Overrides that say the same are one, where a group stands for exactly their targets.
fn grouped(members: &[InTarget<'_>], overrides: Vec<(&str, Yaml)>) -> Vec<(String, Yaml)> {
    let mut same: Vec<(BTreeSet<&str>, Yaml)> = Vec::new();
    for (target, over) in overrides {
        match same.iter_mut().find(|(_, other)| *other == over) {
            Some((targets, _)) => drop(targets.insert(target)),
            None => same.push((BTreeSet::from([target]), over)),
        }
    }
    let mut grouped = Vec::new();
    for (targets, over) in same {
        let project = members.first().map(|member| member.layout.outline);
        match project.filter(|_| targets.len() > 1).and_then(|project| group(project, &targets, members.len())) {
            Some(group) => grouped.push((group, over)),
            None => grouped.extend(targets.into_iter().map(|target| (target.to_owned(), over.clone()))),
        }
    }
    grouped
}

/// A label, a glob or a selector of labels that fits these targets of the project and no other. All targets that a
/// manifest has are `*`.
fn group(project: &Outline, targets: &BTreeSet<&str>, of: usize) -> Option<String> {
    if targets.len() == of {
        return Some("*".to_owned());
    }
    let first = project.targets.iter().find(|target| targets.contains(target.name.as_str()))?;
    let theirs = || project.targets.iter().filter(|target| targets.contains(target.name.as_str()));
    let labels = || first.labels.iter().filter(|(_, value)| !value.is_empty());
    let one = labels().map(|(key, value)| format!("{key}={value}"));
    let globs = first.name.match_indices('-').flat_map(|(at, _)| {
        let (begin, end) = first.name.split_at(at);
        [format!("{begin}-*"), format!("*{end}")]
    });
    let within = first.labels.keys().filter_map(|key| {
        let values: Option<BTreeSet<&str>> =
            theirs().map(|target| target.labels.get(key).map(String::as_str)).collect();
        let values: Vec<&str> = values?.into_iter().filter(|value| !value.is_empty()).collect();
        Some(format!("{key} in ({})", values.join(", ")))
    });
    let two = labels().flat_map(|(key, value)| {
        let after = labels().filter(move |(other, _)| *other > key);
        after.map(move |(other, second)| format!("{key}={value},{other}={second}"))
    });
    let fits = |text: &String| {
        project.members(text).is_ok_and(|found| found.iter().map(String::as_str).eq(targets.iter().copied()))
    };
    one.chain(globs).chain(within).chain(two).find(fits)
}

/// The fields that any of them has, in the order of manifests.
fn fields(members: &[InTarget<'_>]) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for (field, _) in members.iter().flat_map(|member| &member.draft.spec) {
        if !fields.contains(field) {
            fields.push(field.clone());
        }
    }
    fields
}

/// Tags that all have are in the base, and the others in the overrides: maps are merged by key.
fn tags(values: &[Option<&Yaml>], spec: &mut Vec<(String, Yaml)>, own: &mut [Override]) {
    let of = |value: Option<&Yaml>| match value {
        Some(Yaml::Map(tags)) => tags.clone(),
        _ => Vec::new(),
    };
    let all: Vec<Vec<(String, Yaml)>> = values.iter().map(|value| of(*value)).collect();
    let Some((first, others)) = all.split_first() else { return };
    let shared = |tag: &(String, Yaml)| others.iter().all(|other| other.contains(tag));
    let base: Vec<(String, Yaml)> = first.iter().filter(|tag| shared(tag)).cloned().collect();
    for (tags, Override { unset: _, fields: over }) in all.iter().zip(own) {
        let rest: Vec<(String, Yaml)> = tags.iter().filter(|tag| !base.contains(tag)).cloned().collect();
        if !rest.is_empty() {
            over.push(("tags".to_owned(), Yaml::Map(rest)));
        }
    }
    if !base.is_empty() {
        spec.push(("tags".to_owned(), Yaml::Map(base)));
    }
}

fn find<'a>(fields: &'a [(String, Yaml)], name: &str) -> Option<&'a Yaml> {
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
}

/// What most of them are; of several, the first.
fn most_common<'a>(values: &[Option<&'a Yaml>]) -> Option<&'a Yaml> {
    let mut best = (0, None);
    for value in values {
        let number = values.iter().filter(|other| *other == value).count();
        if number > best.0 {
            best = (number, *value);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::manifest::TargetOutline;

    /// `NAME LABEL=VALUE …`
    fn project(targets: &[&str]) -> Outline {
        let target = |text: &&str| {
            let mut words = text.split(' ');
            let name = words.next().unwrap_or_default().to_owned();
            let labels: BTreeMap<String, String> =
                words.filter_map(|word| word.split_once('=')).map(|(key, value)| (key.into(), value.into())).collect();
            TargetOutline { name, labels, ..TargetOutline::default() }
        };
        Outline { manifests: None, targets: targets.iter().map(target).collect() }
    }

    #[test]
    fn a_group_fits_exactly_its_targets() {
        let fleet = project(&[
            "dev-eu stage=dev geo=eu",
            "dev-us stage=dev geo=us",
            "test-eu stage=test geo=eu",
            "prod-eu stage=prod geo=eu tier=gold",
            "prod-us stage=prod geo=us tier=gold",
            "lab",
        ]);
        let of = |targets: &[&str], all: usize| group(&fleet, &targets.iter().copied().collect(), all);
        assert_eq!(of(&["prod-eu", "prod-us"], 5).as_deref(), Some("stage=prod"));
        assert_eq!(of(&["dev-us", "prod-us"], 5).as_deref(), Some("geo=us"));
        assert_eq!(of(&["dev-eu", "dev-us", "test-eu"], 5).as_deref(), Some("stage in (dev, test)"));
        assert_eq!(of(&["dev-eu", "test-eu"], 5), None, "geo=eu fits prod-eu too");
        assert_eq!(of(&["dev-eu", "lab"], 5), None);
        assert_eq!(of(&["dev-eu", "lab"], 2).as_deref(), Some("*"), "all targets of the manifest");

        let plain = project(&["prod-a", "prod-b", "dev-a", "product"]);
        let of = |targets: &[&str]| group(&plain, &targets.iter().copied().collect(), 9);
        assert_eq!(of(&["prod-a", "prod-b"]).as_deref(), Some("prod-*"));
        assert_eq!(of(&["prod-a", "dev-a"]).as_deref(), Some("*-a"));
        assert_eq!(of(&["prod-b", "dev-a"]), None);

        let two = project(&["a s=1 g=1", "b s=1 g=1", "c s=1 g=2", "d s=2 g=1"]);
        let found = group(&two, &["a", "b"].into_iter().collect(), 4);
        assert_eq!(found.as_deref(), Some("g=1,s=1"));
    }
}
