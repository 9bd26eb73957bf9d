//! Links: each leads to a file of the repository, and to a heading in it where it names one; and the table of contents
//! has every page of `docs/`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use crate::blocks::prose;
use crate::pages::documents;
use crate::stage::REPOSITORY;

/// `[text](target)`, and pictures.
static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\]\(([^()\s]+)\)").expect("a pattern"));

static SPAN: LazyLock<Regex> = LazyLock::new(|| Regex::new("`[^`]*`").expect("a pattern"));

/// The targets of a page's links.
fn targets(text: &str) -> Vec<String> {
    // A link may go on in the next line, and what stands between backticks is none.
    let prose = prose(text).join(" ");
    let plain = SPAN.replace_all(&prose, "code");
    LINK.captures_iter(&plain).map(|found| found[1].to_owned()).collect()
}

/// The anchors of a page: its headings as the hosting sites and mdBook name them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let headings = prose(text).into_iter().filter_map(|line| line.strip_prefix('#'));
    let named = headings.map(|heading| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
        let slug: String = kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect();
        let seen = times.entry(slug.clone()).or_default();
        *seen += 1;
        if *seen == 1 { slug } else { format!("{slug}-{}", *seen - 1) }
    });
    named.collect()
}

/// A path without `..`; none where it leads out of the repository.
fn resolve(page: &str, target: &str) -> Option<String> {
    let mut path = PathBuf::from(page);
    path.pop();
    for component in Path::new(target).components() {
        match component {
            Component::ParentDir => path.pop().then_some(())?,
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path.to_string_lossy().into_owned())
}

/// In README, CONTRIBUTING, `docs/` and `examples/`.
pub(crate) fn every_link_leads_somewhere() -> Result<(), String> {
    let documents: BTreeMap<String, String> = documents().into_iter().collect();
    let mut wrong = Vec::new();
    let mut followed = 0;
    for (page, text) in &documents {
        for target in targets(text) {
            if target.starts_with("https://") {
                continue;
            }
            followed += 1;
            let (file, anchor) = target.split_once('#').map_or((target.as_str(), None), |(file, at)| (file, Some(at)));
            let path = if file.is_empty() { Some(page.clone()) } else { resolve(page, file) };
            let Some(path) = path.filter(|path| Path::new(REPOSITORY).join(path).exists()) else {
                wrong.push(format!("{page}: {target}: there is no such file"));
                continue;
            };
            let Some(anchor) = anchor else { continue };
            if !documents.get(&path).is_some_and(|text| anchors(text).contains(anchor)) {
                wrong.push(format!("{page}: {target}: there is no such heading"));
            }
        }
    }
    if followed < 200 {
        return Err(format!("only {followed} links were found"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// Each once.
pub(crate) fn every_page_is_in_the_table_of_contents() -> Result<(), String> {
    let documents = documents();
    let (_, summary) = documents.iter().find(|(name, _)| name == "docs/SUMMARY.md").ok_or("docs/SUMMARY.md")?;
    let listed: Vec<String> = targets(summary).iter().filter_map(|target| resolve("docs/SUMMARY.md", target)).collect();
    let pages = documents.iter().filter(|(name, _)| name.starts_with("docs/") && name != "docs/SUMMARY.md");
    let wrong = pages.filter_map(|(name, _)| {
        let times = listed.iter().filter(|listed| *listed == name).count();
        (times != 1).then(|| format!("{name}: {times} times"))
    });
    let wrong: Vec<String> = wrong.collect();
    if wrong.is_empty() { Ok(()) } else { Err(format!("docs/SUMMARY.md names each page once:\n{}", wrong.join("\n"))) }
}
