//! Groups of targets: wherever a target is named, a glob over names or a selector of labels stands for several.
//!
//! `prod-*` is a glob; `stage=prod,tier!=gold`, `region in (eu-west-1, eu-central-1)`, `!legacy` are kubectl's label
//! selectors. A single word is a name. Whoever names a group that fits no target has misspelt it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use globset::{GlobBuilder, GlobMatcher};

use super::check::target_fields::is_label;
use super::codes;
use super::diagnostic::{Problem, listed, nearest};
use super::source::Span;

/// Most requirements of one selector, and most values of one requirement.
const MAX_REQUIREMENTS: usize = 100;

/// A target as groups see it.
#[derive(Clone, Copy)]
pub(crate) struct Labelled<'a> {
    pub(crate) name: &'a str,
    pub(crate) labels: &'a BTreeMap<String, String>,
}

/// What a text that names targets stands for.
enum Group {
    Name,
    Glob(GlobMatcher),
    Labels(Vec<Requirement>),
}

/// A requirement of a selector.
#[derive(Debug, PartialEq, Eq)]
enum Requirement {
    /// The label has one of these values.
    In(String, BTreeSet<String>),
    /// It has none of these values, or is not there.
    NotIn(String, BTreeSet<String>),
    Exists(String),
    NotExists(String),
}

impl Requirement {
    fn key(&self) -> &str {
        match self {
            Self::In(key, _) | Self::NotIn(key, _) | Self::Exists(key) | Self::NotExists(key) => key,
        }
    }

    fn is_met(&self, labels: &BTreeMap<String, String>) -> bool {
        match self {
            Self::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Self::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
            Self::Exists(key) => labels.contains_key(key),
            Self::NotExists(key) => !labels.contains_key(key),
        }
    }
}

impl Group {
    fn parse(text: &str) -> Result<Self, String> {
        // No label has a character of a glob. Variables are not filled in where targets are chosen.
        if !text.contains("${") && text.contains(['*', '?', '[', '{']) {
            let glob = GlobBuilder::new(text).literal_separator(false).build();
            return glob.map(|glob| Self::Glob(glob.compile_matcher())).map_err(|error| error.kind().to_string());
        }
        if text.contains(['=', '!', '(', ',', ' ']) {
            return requirements(text).map(Self::Labels);
        }
        Ok(Self::Name)
    }
}

/// The targets of a project by the groups that name them, each looked up once.
#[derive(Default)]
pub(crate) struct Groups {
    known: RefCell<HashMap<String, Found>>,
}

type Found = Result<Rc<BTreeSet<String>>, Wrong>;

/// What is wrong with a text that names targets.
#[derive(Clone, Debug)]
struct Wrong {
    what: WrongKind,
    message: String,
    label: String,
    help: String,
}

#[derive(Clone, Copy, Debug)]
enum WrongKind {
    Pattern,
    Unknown,
}

impl Groups {
    /// The names of the targets that a text stands for, or what is wrong with it.
    pub(crate) fn members<'a>(
        &self,
        text: &str,
        span: Span,
        targets: impl FnOnce() -> Vec<Labelled<'a>>,
    ) -> Result<Rc<BTreeSet<String>>, Box<Problem>> {
        let known = self.known.borrow().get(text).cloned();
        let found = known.unwrap_or_else(|| {
            let found = members(text, &targets());
            self.known.borrow_mut().insert(text.to_owned(), found.clone());
            found
        });
        found.map_err(|Wrong { what, message, label, help }| {
            let code = match what {
                WrongKind::Pattern => &codes::TARGET_GROUP,
                WrongKind::Unknown => &codes::UNKNOWN_TARGET,
            };
            Box::new(Problem::new(code, span, message).label(label).help(help))
        })
    }
}

fn members(text: &str, targets: &[Labelled<'_>]) -> Found {
    let group = Group::parse(text).map_err(|reason| Wrong {
        what: WrongKind::Pattern,
        message: format!("`{text}` names no targets"),
        label: reason,
        help: "targets are named by name, by a glob such as prod-*, or by labels as in stage=prod,tier!=gold"
            .to_owned(),
    })?;
    let fits = |target: &&Labelled<'_>| match &group {
        Group::Name => target.name == text,
        Group::Glob(glob) => glob.is_match(target.name),
        Group::Labels(requirements) => requirements.iter().all(|requirement| requirement.is_met(target.labels)),
    };
    let members: BTreeSet<String> = targets.iter().filter(fits).map(|target| target.name.to_owned()).collect();
    if members.is_empty() {
        return Err(match &group {
            Group::Name => unknown_name(text, targets),
            Group::Glob(_) => unknown_glob(text, targets),
            Group::Labels(requirements) => unknown_labels(text, requirements, targets),
        });
    }
    Ok(Rc::new(members))
}

fn names<'a>(targets: &[Labelled<'a>]) -> impl Iterator<Item = &'a str> {
    targets.iter().map(|target| target.name)
}

fn unknown(message: String, near: Option<String>, otherwise: &str, help: String) -> Wrong {
    let label = near.map_or_else(|| otherwise.to_owned(), |near| format!("did you mean `{near}`?"));
    Wrong { what: WrongKind::Unknown, message, label, help }
}

fn unknown_name(name: &str, targets: &[Labelled<'_>]) -> Wrong {
    let near = nearest(name, names(targets)).map(str::to_owned);
    let of_label = targets.iter().any(|target| target.labels.contains_key(name));
    let help = if of_label {
        format!("`{name}` is a label's key: a selector has its value too, as in {name}=…")
    } else {
        format!("the project's targets are {}", listed(names(targets)))
    };
    unknown(format!("unknown target `{name}`"), near, "not a target of this project", help)
}

fn unknown_glob(glob: &str, targets: &[Labelled<'_>]) -> Wrong {
    let mut alike = BTreeSet::new();
    for name in names(targets) {
        for (at, _) in name.match_indices('-') {
            alike.extend(name.get(..=at).map(|begin| format!("{begin}*")));
            alike.extend(name.get(at..).map(|end| format!("*{end}")));
        }
    }
    let near = nearest(glob, alike.iter().map(String::as_str)).map(str::to_owned);
    let help = format!("the project's targets are {}", listed(names(targets)));
    unknown(format!("no target's name fits `{glob}`"), near, "fits no target of this project", help)
}

fn unknown_labels(text: &str, requirements: &[Requirement], targets: &[Labelled<'_>]) -> Wrong {
    let message = format!("no target has the labels `{text}`");
    let keys: BTreeSet<&str> = targets.iter().flat_map(|target| target.labels.keys()).map(String::as_str).collect();
    let unmet = requirements.iter().find(|one| !targets.iter().any(|target| one.is_met(target.labels)));
    let Some(unmet) = unmet else {
        let help = "each of its requirements fits a target, and none fits all of them".to_owned();
        return unknown(message, None, "fits no target of this project", help);
    };
    let key = unmet.key();
    if !keys.contains(key) {
        let help = if keys.is_empty() {
            "no target of this project has labels".to_owned()
        } else {
            format!("the targets have the labels {}", listed(keys.iter().copied()))
        };
        let near = nearest(key, keys.iter().copied()).map(|near| text.replacen(key, near, 1));
        return unknown(message, near, &format!("no target has a label `{key}`"), help);
    }
    let values: BTreeSet<&str> =
        targets.iter().filter_map(|target| target.labels.get(key)).map(String::as_str).collect();
    let near = match unmet {
        Requirement::In(_, wanted) => wanted.iter().find_map(|wanted| {
            nearest(wanted, values.iter().copied()).map(|near| text.replacen(wanted.as_str(), near, 1))
        }),
        _ => None,
    };
    let help = format!("the label `{key}` has the values {}", listed(values.iter().copied()));
    unknown(message, near, &format!("no target's `{key}` is that"), help)
}

/// Reads a selector (Kubernetes, "Labels and Selectors"): requirements with commas between, all of which hold.
fn requirements(text: &str) -> Result<Vec<Requirement>, String> {
    let mut requirements = Vec::new();
    for part in split(text)? {
        requirements.push(requirement(part.trim())?);
        if requirements.len() > MAX_REQUIREMENTS {
            return Err(format!("a selector has at most {MAX_REQUIREMENTS} requirements"));
        }
    }
    Ok(requirements)
}

/// The parts between commas that stand in no parentheses.
fn split(text: &str) -> Result<Vec<&str>, String> {
    let (mut parts, mut start, mut inside) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        match c {
            '(' if inside => return Err("a `(` within parentheses".to_owned()),
            '(' => inside = true,
            ')' if !inside => return Err("a `)` without `(`".to_owned()),
            ')' => inside = false,
            ',' if !inside => {
                parts.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    if inside {
        return Err("a `(` is never closed".to_owned());
    }
    parts.extend(text.get(start..));
    Ok(parts)
}

fn requirement(part: &str) -> Result<Requirement, String> {
    let label = |text: &str| {
        let text = text.trim();
        let said =
            if text.is_empty() { "a label's key is missing".to_owned() } else { format!("`{text}` is no label") };
        if is_label(text) { Ok(text.to_owned()) } else { Err(said) }
    };
    let value = |text: &str| if text.trim().is_empty() { Ok(String::new()) } else { label(text) };
    let one = |text: &str| value(text).map(|value| BTreeSet::from([value]));
    if let Some(rest) = part.strip_suffix(')') {
        let (head, values) = rest.split_once('(').ok_or("a `)` without `(`")?;
        if values.split(',').nth(MAX_REQUIREMENTS).is_some() {
            return Err(format!("`in` and `notin` take at most {MAX_REQUIREMENTS} values"));
        }
        let values = values.split(',').map(value).collect::<Result<BTreeSet<_>, _>>()?;
        let mut words = head.split_whitespace();
        let (key, operator) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let key = label(key)?;
        return match (operator, words.next()) {
            ("in", None) => Ok(Requirement::In(key, values)),
            ("notin", None) => Ok(Requirement::NotIn(key, values)),
            _ => Err("before parentheses stands `in` or `notin`".to_owned()),
        };
    }
    if let Some((key, values)) = part.split_once("!=") {
        return Ok(Requirement::NotIn(label(key)?, one(values)?));
    }
    if let Some((key, values)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Ok(Requirement::In(label(key)?, one(values)?));
    }
    match part.strip_prefix('!') {
        Some(key) => Ok(Requirement::NotExists(label(key)?)),
        None => Ok(Requirement::Exists(label(part)?)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn fits(selector: &str, labels: &[(&str, &str)]) -> bool {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        requirements(selector).unwrap().iter().all(|requirement| requirement.is_met(&labels))
    }

    #[test]
    fn selectors_mean_what_kubectl_means() {
        let prod = [("stage", "prod"), ("tier", "gold")];
        for selector in [
            "stage=prod",
            "stage==prod",
            "stage = prod , tier != silver",
            "stage in (dev, prod)",
            "stage notin (dev)",
            "stage,tier",
            "!legacy,stage",
            "team!=x",
            "team notin (x, y)",
        ] {
            assert!(fits(selector, &prod), "{selector}");
        }
        for selector in ["stage=dev", "stage!=prod", "stage in (dev)", "team", "!stage", "team=x", "team in (x)"] {
            assert!(!fits(&format!("{selector},stage"), &prod), "{selector}");
        }
    }

    #[test]
    fn wrong_selectors_are_told() {
        for selector in ["=a", "a=b=c", "a in b)", "a in (b", "a (b)", "a,,b", "a b", "a=ü", "(", ","] {
            assert!(requirements(selector).is_err(), "{selector}");
        }
    }

    #[test]
    fn a_selector_means_all_of_its_values_or_is_refused() {
        let values = |number: usize| (0..number).map(|at| format!("v{at}")).collect::<Vec<_>>().join(", ");
        assert!(fits(&format!("stage in ({})", values(100)), &[("stage", "v99")]));
        for operator in ["in", "notin"] {
            let wrong = requirements(&format!("stage {operator} ({})", values(101))).unwrap_err();
            assert_eq!(wrong, "`in` and `notin` take at most 100 values");
        }
    }

    #[test]
    fn what_a_text_is_shows_in_its_characters() {
        let kind = |text| match Group::parse(text) {
            Ok(Group::Name) => "name",
            Ok(Group::Glob(_)) => "glob",
            Ok(Group::Labels(_)) => "labels",
            Err(_) => "wrong",
        };
        assert_eq!(
            ["prod", "prod-*", "{a,b}-x", "[!p]*", "a=b", "!a", "a,b", "a[", ""].map(kind),
            ["name", "glob", "glob", "glob", "labels", "labels", "labels", "wrong", "name"]
        );
    }
}
