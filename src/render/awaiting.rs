//! Secrets that wait for a value, over all targets: a list to work through, by whom they wait for.

use std::collections::BTreeMap;

use serde::Serialize;

use super::escape::{self, Escaped, Format, Markdown, Markup, Terminal};
use super::paint::Paint;
use super::{escaped, words};
use crate::collect::CollectMap as _;
use crate::domain::TagKey;
use crate::plan::AwaitingValue;

/// Names of one group and target that are listed, unless all are asked for; the JSON has them all.
const LISTED: usize = 5;

/// What can be done.
const HELP: &str = "put each by hand, for example with `aws secretsmanager put-secret-value`; \
                    `valueExpected: false` in a manifest says that a secret stays empty";

/// What is waited for of one target: its name, and its secrets.
pub type OfTarget<'a> = (&'a str, Vec<&'a AwaitingValue>);

/// The secrets of one group.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AwaitingDocument {
    /// The key of the tag that says whom they wait for; absent where no secret of the group has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Its value: whom they wait for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The names of the secrets, by target.
    pub secrets: BTreeMap<String, Vec<String>>,
}

/// A group: whom its secrets wait for, and their names by target, in the order of the targets.
struct Group<'a> {
    owner: Option<&'a (TagKey, String)>,
    targets: Vec<(&'a str, Vec<&'a str>)>,
}

impl Group<'_> {
    /// `owner=payments`, or that nobody is named.
    fn label(&self) -> String {
        self.owner.map_or_else(|| "nobody named".to_owned(), |(key, text)| format!("{key}={text}"))
    }

    /// Its secrets, each target's behind its name where there are several targets.
    fn names<F: Format>(&self, full: bool, several: bool, shown: &dyn Fn(&str) -> Escaped<F>) -> Escaped<F> {
        let most = if full { usize::MAX } else { LISTED };
        let of_target = self.targets.iter().map(|(target, names)| -> Escaped<F> {
            let target = several.then(|| -> Escaped<F> { escaped!("{}: ", shown(target)) });
            escaped!("{}{}", target, words::first_few(names.iter().map(|name| shown(name)), most))
        });
        Escaped::join(of_target, "; ")
    }
}

/// The groups, by tag and owner; secrets without an owner tag come last.
fn groups<'a>(targets: &[OfTarget<'a>]) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<_, Group<'a>> = BTreeMap::new();
    for (target, awaiting) in targets {
        for one in awaiting {
            let owner = one.owner.as_ref();
            let group = groups.entry((owner.is_none(), owner)).or_insert(Group { owner, targets: Vec::new() });
            match group.targets.last_mut() {
                Some((last, names)) if last == target => names.push(one.secret.as_str()),
                _ => group.targets.push((target, vec![one.secret.as_str()])),
            }
        }
    }
    groups.into_values().collect()
}

fn number(targets: &[OfTarget<'_>]) -> usize {
    targets.iter().map(|(_, awaiting)| awaiting.len()).sum()
}

/// `3 secrets wait for a value from people`.
pub(super) fn heading<F: Format>(number: usize) -> Escaped<F> {
    escaped!("{} {} for a value from people", words::count(number, "secret"), waits(number))
}

fn waits(number: usize) -> &'static str {
    if number == 1 { "waits" } else { "wait" }
}

/// `3 wait for a value`, beside other counts; none where none does.
pub(super) fn counted<F: Format>(number: usize) -> Option<Escaped<F>> {
    (number > 0).then(|| escaped!("{} {} for a value", number, waits(number)))
}

/// The list on a terminal, with an empty line before it; nothing where nothing is waited for.
pub fn text(paint: Paint, targets: &[OfTarget<'_>], several: bool, full: bool) -> Escaped<Terminal> {
    let number = number(targets);
    if number == 0 {
        return Escaped::default();
    }
    let mut out = escaped!("\n{}:\n", paint.warning(heading::<Terminal>(number)));
    for group in groups(targets) {
        let names = group.names(full, several, &escape::line);
        let line: Escaped<Terminal> = escaped!("  {}  {}", paint.strong(escape::line(&group.label())), names);
        out.push(&escaped!("{}\n", paint.line(&line, 4)));
    }
    let help: Escaped<Terminal> = escaped!("  {}", paint.faint(HELP));
    out.push(&escaped!("{}\n", paint.line(&help, 2)));
    out
}

/// The list as Markdown: a heading, and an item for each group.
pub(super) fn markdown(targets: &[OfTarget<'_>], several: bool) -> Vec<Escaped<Markdown>> {
    let number = number(targets);
    if number == 0 {
        return Vec::new();
    }
    let heading = escaped!("\n#### {}\n\n", heading::<Markdown>(number));
    let item = |group: &Group<'_>| -> Escaped<Markdown> {
        escaped!("- {}: {}\n", escape::code(&group.label()), group.names(false, several, &escape::code))
    };
    std::iter::once(heading).chain(groups(targets).iter().map(item)).collect()
}

/// The list as a section of a page.
pub(super) fn markup(targets: &[OfTarget<'_>], several: bool) -> Escaped<Markup> {
    let number = number(targets);
    if number == 0 {
        return Escaped::default();
    }
    let item = |group: &Group<'_>| -> Escaped<Markup> {
        let label = escape::markup(&group.label());
        escaped!(
            "<li class=\"warning\"><span><b>{}</b>: {}</span></li>\n",
            label,
            group.names(true, several, &escape::markup)
        )
    };
    let items: Escaped<Markup> = groups(targets).iter().map(item).collect();
    let heading = heading::<Markup>(number);
    escaped!("<section>\n<h2 id=\"awaiting\">{}</h2>\n<ul class=\"findings\">\n{}</ul>\n</section>\n", heading, items)
}

/// The list as the documents have it.
pub fn documents(targets: &[OfTarget<'_>]) -> Vec<AwaitingDocument> {
    let document = |group: Group<'_>| {
        let own =
            |(target, names): (&str, Vec<&str>)| (target.to_owned(), names.into_iter().map(str::to_owned).collect());
        AwaitingDocument {
            tag: group.owner.map(|(key, _)| key.to_string()),
            owner: group.owner.map(|(_, text)| text.clone()),
            secrets: group.targets.into_iter().map(own).collect_map(),
        }
    };
    groups(targets).into_iter().map(document).collect()
}
