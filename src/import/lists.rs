//! Like secrets as one manifest with a list.
//!
//! Manifests are like when they have the same targets, their names differ in one segment between slashes or in one
//! part of a segment, and everything else is the same or differs by just that text, which then stands as a word of its
//! own. There must be three of them: two are compared at a glance. A name of which nothing would be left but variables
//! stays, since nobody would find it again.

use std::collections::HashMap;
use std::path::PathBuf;

use super::SHARED_BY_AT_LEAST;
use super::manifest::Manifest;
use super::yaml::Yaml;
use crate::sort_few::SortFew as _;

/// What stands for an item's text.
pub(super) const EACH: &str = "${each}";

/// Most items of one list: what a reviewer still scrolls through.
const MAX_ITEMS: usize = 500;

/// What separates the parts of a segment.
const SEPARATORS: [char; 6] = ['-', '_', '.', '+', '=', '@'];

/// A text of a name that may differ from secret to secret.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cut {
    /// The text.
    text: String,
    /// The name with an item in its place.
    name: String,
    /// Whether it is all of a segment.
    whole: bool,
    /// Which segment it is in, counted from the end.
    from_end: usize,
}

/// Manifests that may become one list.
struct Candidate {
    /// The list.
    list: Manifest,
    whole: bool,
    members: Vec<(usize, String)>,
}

/// Folds like manifests into lists. `beneath` tells the folder whose Defaults lie beneath a manifest, by the name that
/// its file is chosen by: a list must not come to lie on others.
pub(super) fn fold(manifests: Vec<Manifest>, beneath: &dyn Fn(&str) -> PathBuf) -> Vec<Manifest> {
    let mut candidates = candidates(&manifests, beneath);
    // What says the most with one list comes first, and whole segments before parts.
    candidates.sort_few_by(|a, b| {
        let rank = |candidate: &Candidate| (std::cmp::Reverse(candidate.members.len()), !candidate.whole);
        rank(a)
            .cmp(&rank(b))
            .then_with(|| a.list.name.cmp(&b.list.name))
            .then_with(|| a.list.targets.cmp(&b.list.targets))
    });
    let mut left: Vec<Option<Manifest>> = manifests.into_iter().map(Some).collect();
    let mut folded = Vec::new();
    for Candidate { list, whole: _, mut members } in candidates {
        members.retain(|(at, _)| left.get(*at).is_some_and(Option::is_some));
        if members.len() < SHARED_BY_AT_LEAST {
            continue;
        }
        members.sort_few_by(|(_, a), (_, b)| a.cmp(b));
        for members in members.chunks(MAX_ITEMS) {
            let mut list = Manifest { items: Vec::new(), secrets: Vec::new(), notes: Vec::new(), ..list.clone() };
            for (at, text) in members {
                let Some(manifest) = left.get_mut(*at).and_then(Option::take) else { continue };
                list.items.push(text.clone());
                list.notes.extend(manifest.notes);
                list.secrets.extend(manifest.secrets);
            }
            folded.push(list);
        }
    }
    left.into_iter().flatten().chain(folded).collect()
}

fn candidates(manifests: &[Manifest], beneath: &dyn Fn(&str) -> PathBuf) -> Vec<Candidate> {
    let mut by_name: HashMap<String, Vec<(usize, Cut)>> = HashMap::new();
    for (at, manifest) in manifests.iter().enumerate() {
        for cut in cuts(&manifest.name) {
            by_name.entry(cut.name.clone()).or_default().push((at, cut));
        }
    }
    let mut candidates = Vec::new();
    for alike in by_name.into_values().filter(|alike| alike.len() >= SHARED_BY_AT_LEAST) {
        let mut same: HashMap<String, Candidate> = HashMap::new();
        for (at, cut) in alike {
            let Some(manifest) = manifests.get(at) else { continue };
            let list = with_item(manifest, &cut);
            if beneath(&list.path_name) != beneath(&manifest.path_name) {
                continue;
            }
            let key = format!("{}{:?}", list.text(), list.path_name);
            let candidate =
                same.entry(key).or_insert_with(|| Candidate { list, whole: cut.whole, members: Vec::new() });
            candidate.members.push((at, cut.text));
        }
        candidates.extend(same.into_values().filter(|candidate| candidate.members.len() >= SHARED_BY_AT_LEAST));
    }
    candidates
}

/// The texts of a name that an item may stand for.
fn cuts(name: &str) -> Vec<Cut> {
    let segments: Vec<&str> = name.split('/').collect();
    let is_literal = |segment: &str| !segment.is_empty() && !segment.contains('$');
    let mut cuts = Vec::new();
    for (at, segment) in segments.iter().enumerate().filter(|(_, segment)| is_literal(segment)) {
        let from_end = segments.len() - 1 - at;
        let with = |segment: &str| {
            let mut segments = segments.clone();
            segments[at] = segment;
            segments.join("/")
        };
        let others = segments.iter().enumerate().any(|(other, segment)| other != at && is_literal(segment));
        if others {
            cuts.push(Cut { text: (*segment).to_owned(), name: with(EACH), whole: true, from_end });
        }
        let mut start = 0;
        for part in segment.split(SEPARATORS) {
            let end = start + part.len();
            if !part.is_empty() && part.len() < segment.len() {
                let segment = format!("{}{EACH}{}", &segment[..start], &segment[end..]);
                cuts.push(Cut { text: part.to_owned(), name: with(&segment), whole: false, from_end });
            }
            start = end + 1;
        }
    }
    cuts
}

/// A manifest with an item in the place of a text.
fn with_item(manifest: &Manifest, cut: &Cut) -> Manifest {
    let mut notes = manifest.notes.clone();
    for note in &mut notes {
        note.changed = None;
    }
    let mut spec = manifest.spec.clone();
    for (_, value) in &mut spec {
        replace_in(value, &cut.text);
    }
    Manifest {
        path_name: path_name(&manifest.path_name, cut),
        notes,
        items: Vec::new(),
        name: cut.name.clone(),
        targets: manifest.targets.clone(),
        metadata: manifest.metadata.clone(),
        spec,
        secrets: Vec::new(),
    }
}

/// The name by which a list's file is chosen: without what differs.
fn path_name(name: &str, cut: &Cut) -> String {
    let mut segments: Vec<&str> = name.split('/').collect();
    let Some(at) = segments.len().checked_sub(cut.from_end + 1) else { return name.to_owned() };
    if cut.from_end == 0 {
        segments[at] = "each";
        return segments.join("/");
    }
    let cut_segment = cut.name.rsplit('/').nth(cut.from_end).unwrap_or_default().replace(EACH, "");
    let shorter = cut_segment.trim_matches(SEPARATORS);
    if shorter.is_empty() {
        segments.remove(at);
    } else {
        segments[at] = shorter;
    }
    segments.join("/")
}

fn replace_in(value: &mut Yaml, text: &str) {
    match value {
        Yaml::Null | Yaml::Raw(_) => {}
        Yaml::List(items) => items.iter_mut().for_each(|item| replace_in(item, text)),
        // Variables are filled into values alone.
        Yaml::Map(entries) => entries.iter_mut().for_each(|(_, value)| replace_in(value, text)),
        Yaml::Text(held) => *held = with_each(held, text),
    }
}

/// A text with an item in the place of another text, wherever that stands as a word of its own and in no variable.
fn with_each(held: &str, text: &str) -> String {
    let mut out = String::with_capacity(held.len());
    let mut rest = held;
    while !rest.is_empty() {
        let before = out.chars().next_back();
        if let Some(inner) = rest.strip_prefix("${") {
            let end = inner.find('}').map_or(rest.len(), |end| end + "${}".len());
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        } else if let Some(after) = rest.strip_prefix(text)
            // `$` before a variable would escape it.
            && !before.is_some_and(|c| c.is_alphanumeric() || c == '$')
            && !after.starts_with(char::is_alphanumeric)
        {
            out.push_str(EACH);
            rest = after;
        } else {
            let next = rest.chars().next().map_or(rest.len(), char::len_utf8);
            out.push_str(&rest[..next]);
            rest = &rest[next..];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::manifest::Note;
    use super::*;

    fn manifest(name: &str, description: &str) -> Manifest {
        Manifest {
            path_name: name.to_owned(),
            notes: vec![Note {
                text: "Not managed.".to_owned(),
                changed: Some(format!("2026-01-0{}", name.len() % 9)),
            }],
            items: Vec::new(),
            name: name.to_owned(),
            targets: vec!["dev".to_owned()],
            metadata: Vec::new(),
            spec: vec![("description".to_owned(), Yaml::Text(description.to_owned()))],
            secrets: Vec::new(),
        }
    }

    /// The names of what comes of them, each with its description and its items.
    fn folded(secrets: &[(&str, &str)]) -> Vec<String> {
        let manifests = secrets.iter().map(|(name, description)| manifest(name, description)).collect();
        shown(&fold(manifests, &|_| PathBuf::new()))
    }

    fn shown(manifests: &[Manifest]) -> Vec<String> {
        let shown = |manifest: &Manifest| {
            let Some((_, Yaml::Text(description))) = manifest.spec.first() else { return manifest.name.clone() };
            format!("{} ({description}) {}", manifest.name, manifest.items.join(" "))
        };
        manifests.iter().map(shown).collect()
    }

    #[test]
    fn three_that_differ_by_one_segment_are_a_list() {
        let secrets = [("app/b/db", "Database of b"), ("app/a/db", "Database of a"), ("app/c/db", "Database of c")];
        assert_eq!(folded(&secrets), ["app/${each}/db (Database of ${each}) a b c"]);
        assert_eq!(folded(&secrets[..2]).len(), 2, "two are no pattern");
    }

    #[test]
    fn what_differs_by_more_is_no_list() {
        let secrets = [("app/a/db", "One"), ("app/b/db", "Two"), ("app/c/db", "Three"), ("app/d/db", "One")];
        assert_eq!(folded(&secrets).len(), 4);
        let of_other_targets = Manifest { targets: vec!["prod".to_owned()], ..manifest("app/c/db", "x") };
        let manifests = vec![manifest("app/a/db", "x"), manifest("app/b/db", "x"), of_other_targets];
        assert_eq!(fold(manifests, &|_| PathBuf::new()).len(), 3);
        let protected = Manifest { metadata: vec![("protect".to_owned(), Yaml::Null)], ..manifest("app/c/db", "x") };
        let manifests = vec![manifest("app/a/db", "x"), manifest("app/b/db", "x"), protected];
        assert_eq!(fold(manifests, &|_| PathBuf::new()).len(), 3);
    }

    #[test]
    fn a_part_of_a_segment_may_differ_and_a_whole_one_is_preferred() {
        let plain = [("app/node-1", ""), ("app/node-2", ""), ("app/node-3", "")];
        assert_eq!(folded(&plain), ["app/${each} () node-1 node-2 node-3"]);
        let told = [("app/node-1", "Node 1"), ("app/node-2", "Node 2"), ("app/node-3", "Node 3")];
        assert_eq!(folded(&told), ["app/node-${each} (Node ${each}) 1 2 3"]);
    }

    #[test]
    fn the_longest_list_is_made_first() {
        let secrets =
            [("t/a/db", ""), ("t/b/db", ""), ("t/c/db", ""), ("t/d/db", ""), ("t/a/key", ""), ("t/a/log", "")];
        assert_eq!(folded(&secrets), ["t/a/key () ", "t/a/log () ", "t/${each}/db () a b c d"]);
    }

    #[test]
    fn a_name_keeps_something_to_be_found_by() {
        let secrets = [("${stage}/a", ""), ("${stage}/b", ""), ("${stage}/c", ""), ("a", ""), ("b", ""), ("c", "")];
        assert_eq!(folded(&secrets).len(), 6);
    }

    #[test]
    fn only_words_outside_of_variables_are_replaced() {
        for (held, text, out) in [
            ("role/app-a", "a", "role/app-${each}"),
            ("banana a", "a", "banana ${each}"),
            ("${a}-a-$${a}", "a", "${a}-${each}-$${a}"),
            ("$a a$", "a", "$a ${each}$"),
            ("éa a", "a", "éa ${each}"),
            ("${open a", "a", "${open a"),
            ("aa", "a", "aa"),
            ("a/a", "a", "${each}/${each}"),
        ] {
            assert_eq!(with_each(held, text), out);
        }
    }

    #[test]
    fn a_list_lies_on_the_defaults_that_its_secrets_lay_on() {
        let secrets = || ["a", "b", "c"].map(|tenant| manifest(&format!("t/{tenant}/db"), "")).to_vec();
        let of_one = |path: &str| PathBuf::from(if path.starts_with("t/a/") { "t/a" } else { "" });
        assert_eq!(fold(secrets(), &of_one).len(), 3);
        assert_eq!(fold(secrets(), &|_| PathBuf::from("t"))[0].path_name, "t/db");
    }

    #[test]
    fn a_long_list_is_several() {
        let manifests = (0..1_100).map(|number| manifest(&format!("app/k{number:04}/db"), "")).collect();
        let sizes: Vec<usize> = fold(manifests, &|_| PathBuf::new()).iter().map(|list| list.items.len()).collect();
        assert_eq!(sizes, [500, 500, 100]);
    }

    #[test]
    fn days_of_a_list_are_a_span() {
        let dated = |name: &str, day: &str| Manifest {
            notes: vec![Note { text: "Not managed.".to_owned(), changed: Some(day.to_owned()) }],
            ..manifest(name, "")
        };
        let manifests = vec![dated("t/a/x", "2026-02-01"), dated("t/b/x", "2026-01-01"), dated("t/c/x", "2026-03-01")];
        let text = fold(manifests, &|_| PathBuf::new())[0].text();
        assert!(text.starts_with("# Not managed. Last changed 2026-01-01 to 2026-03-01.\napiVersion"), "{text}");
        assert!(text.contains("forEach:\n  - a\n  - b\n  - c\nmetadata:\n  name: t/${each}/x\n"), "{text}");
    }
}
