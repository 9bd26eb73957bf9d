//! What git knows of manifests that are gone: the commit that took them away.
//!
//! `git log -p` is asked over the files with the endings of manifests. It is an extra for a reader: without an answer,
//! a plan says nothing of commits.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;

use super::git;
use super::prepare::PreparedTarget;
use crate::collect::CollectMap as _;
use crate::domain::SecretName;
use crate::plan::{Commit, SecretPlan, Verb};

/// Commits that are looked through, the newest first.
const COMMITS: &str = "--max-count=2000";

/// Begins each commit in the answer; no line of a diff begins with it.
const HEAD: char = '\u{1}';

/// Separates the parts of that line.
const PART: char = '\u{2}';

/// Tells each secret that goes since no manifest names it, which commit took its manifest away.
pub(super) async fn find_commits(root: &Path, targets: &mut [PreparedTarget<'_>]) {
    if !targets.iter_mut().any(|target| leaving(target).next().is_some()) {
        return;
    }
    let Some(log) = log(root).await else { return };
    let commits = read(&log);
    for target in targets {
        // One name with variables in it stands for another secret in each target.
        let names: BTreeSet<SecretName> = leaving(target).map(|plan| plan.name.clone()).collect();
        let mut removed_in = removals(&commits, &names);
        for plan in leaving(target) {
            plan.leaving.removed_in = removed_in.remove(&plan.name);
            if plan.leaving.removed_in.is_some() {
                // It had a manifest of its own, whatever lists there are.
                plan.leaving.left_list = None;
            }
        }
    }
}

/// The planned secrets of a target that no manifest names, for whichever target.
fn leaving<'t>(target: &'t mut PreparedTarget<'_>) -> impl Iterator<Item = &'t mut SecretPlan> {
    let planned = target.planned.as_mut().ok().into_iter();
    planned.flat_map(|planned| &mut planned.target.plan.secrets).filter(|plan| {
        matches!(plan.verb, Verb::Delete | Verb::Release)
            && plan.origin.is_none()
            && plan.leaving.other_targets.is_none()
    })
}

/// The history of the manifests' files below a folder, with their changed lines.
async fn log(root: &Path) -> Option<String> {
    let what = ["log", "--topo-order", COMMITS, "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"];
    let how = ["--unified=0", "--patch", "--format=%x01%h%x02%cI%x02%s", "--", "*.yaml", "*.yml"];
    git::ask(root, &[&what[..], &how[..]].concat()).await
}

/// A name in a line of a manifest: `name: app/db`, quoted or not, in a block or between braces, as an anchor or not.
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let key = r#"(?:^|[\s{,])["']?name["']?:\s*(?:&\S+\s+)?"#;
    let name = r#"(?:"([^"]*)"|'([^']*)'|((?:\$\{[^}]*\}|[^\s,}"'#])+))"#;
    Regex::new(&format!("{key}{name}")).ok()
});

/// A commit of the answer.
struct Entry<'l> {
    /// Its line: id, date and subject.
    head: &'l str,
    /// The names that its lines have or had, each with 1 for one that is added and -1 for one that is removed.
    names: Vec<(i64, &'l str)>,
}

/// Takes git's answer apart, the newest commit first.
fn read(log: &str) -> Vec<Entry<'_>> {
    let entry = |block| {
        let (head, diff) = str::split_once(block, '\n').unwrap_or((block, ""));
        Entry { head, names: diff.lines().filter_map(changed_name).collect() }
    };
    log.split(HEAD).skip(1).map(entry).collect()
}

/// The name in a changed line of a diff, with its sign.
fn changed_name(line: &str) -> Option<(i64, &str)> {
    if line.starts_with("---") || line.starts_with("+++") {
        return None;
    }
    let sign = match line.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let written = NAME.as_ref()?.captures(line.get(1..)?)?;
    let name = (1..=3).find_map(|group| written.get(group))?;
    Some((sign, name.as_str()))
}

/// For each name, the newest commit that touched its manifest, when that took it away. One that brought it, moved it
/// between files or put variables into its name tells nothing: then the manifest is gone from the working tree alone,
/// declares it for others, or gives another name by another variable.
fn removals(commits: &[Entry<'_>], names: &BTreeSet<SecretName>) -> BTreeMap<SecretName, Commit> {
    let mut found: BTreeMap<SecretName, Option<Commit>> = BTreeMap::new();
    for entry in commits {
        for (name, net) in net_changes(entry, names) {
            if net != 0 && !found.contains_key(name) {
                found.insert(name.clone(), (net < 0).then(|| commit(entry.head)).flatten());
            }
        }
    }
    found.into_iter().filter_map(|(name, commit)| Some((name, commit?))).collect_map()
}

fn commit(head: &str) -> Option<Commit> {
    let mut parts = head.splitn(3, PART);
    let (id, date, subject) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Commit { id: id.to_owned(), date: date.parse::<Timestamp>().ok(), subject: subject.to_owned() })
}

/// How many more lines of a commit name a secret than no longer do. A line that comes counts for every name that it may
/// stand for, one that goes only where it can be no other's: in doubt, no commit took a manifest away.
fn net_changes<'n>(entry: &Entry<'_>, names: &'n BTreeSet<SecretName>) -> BTreeMap<&'n SecretName, i64> {
    let mut texts: BTreeMap<&str, i64> = BTreeMap::new();
    for (sign, written) in &entry.names {
        *texts.entry(written).or_default() += sign;
    }
    let mut net = BTreeMap::new();
    for (written, lines) in texts {
        let meant: Vec<&SecretName> = if lines > 0 && !names.contains(written) {
            names.iter().filter(|name| may_become(written, name.as_str())).collect()
        } else {
            the_only_one(written, names).into_iter().collect()
        };
        for name in meant {
            *net.entry(name).or_default() += lines;
        }
    }
    net
}

/// The only one of some names that a written one with `${...}` in it may stand for.
fn the_only_one<'n>(written: &str, names: &'n BTreeSet<SecretName>) -> Option<&'n SecretName> {
    if let Some(name) = names.get(written) {
        return Some(name);
    }
    if !written.contains("${") {
        return None;
    }
    let mut fitting = names.iter().filter(|name| fits(written, name.as_str()));
    fitting.next().filter(|_| fitting.next().is_none())
}

/// Whether a name is what a written one may become: by its variables, as an alias of YAML, or on the lines below.
fn may_become(written: &str, name: &str) -> bool {
    written.starts_with(['*', '>', '|']) || (written.contains("${") && pieces_fit(written, name, 0))
}

/// Whether a name is what a template becomes, as far as a reader can tell: there must be some text behind the last
/// variable, or it would fit too much.
fn fits(template: &str, name: &str) -> bool {
    !template.ends_with('}') && pieces_fit(template, name, 1)
}

/// Whether a name is the text around the variables of a template with no fewer bytes than these in place of each.
fn pieces_fit(template: &str, name: &str, fewest: usize) -> bool {
    let mut literals = template.split("${").enumerate().map(|(at, part)| match part.split_once('}') {
        Some((_, behind)) if at > 0 => behind,
        _ => part,
    });
    let Some(mut rest) = literals.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let literals: Vec<&str> = literals.collect();
    let Some((last, between)) = literals.split_last() else { return rest.is_empty() };
    for literal in between {
        let Some(at) = rest.get(fewest..).and_then(|rest| rest.find(literal)) else { return false };
        rest = &rest[fewest + at + literal.len()..];
    }
    rest.len() >= last.len() + fewest && rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(log: &str, names: &[&str]) -> Vec<(String, String, String)> {
        let names = names.iter().map(|name| SecretName::new(*name)).collect();
        let found = removals(&read(log), &names).into_iter();
        found.map(|(name, commit)| (name.to_string(), commit.id, commit.subject)).collect()
    }

    fn block(id: &str, subject: &str, diff: &str) -> String {
        format!("{HEAD}{id}{PART}2026-11-20T10:00:00+01:00{PART}{subject}\n\n--- a/s.yaml\n+++ b/s.yaml\n{diff}\n")
    }

    #[test]
    fn the_newest_commit_that_took_a_name_away_is_told() {
        let log = block("c3", "Unrelated", "+metadata: { name: app/other }")
            + &block("c2", "Drop \u{1b}[2J it", "-metadata: { name: app/db, targets: [a] }")
            + &block("c1", "Add it", "+metadata: { name: app/db }");
        let expected = ("app/db".to_owned(), "c2".to_owned(), "Drop \u{1b}[2J it".to_owned());
        assert_eq!(found(&log, &["app/db"]), [expected]);
    }

    #[test]
    fn a_name_that_the_newest_commit_has_is_not_told() {
        let removed = block("c1", "Drop", "-  name: app/db");
        assert_eq!(found(&(block("c2", "Add again", "+  name: 'app/db'") + &removed), &["app/db"]), []);
        let moved = block("c2", "Move", "-  name: app/db\n+  name: \"app/db\"");
        assert_eq!(found(&(moved + &removed), &["app/db"]).len(), 1, "a move within a commit is none");
    }

    #[test]
    fn a_template_stands_for_the_one_name_that_it_fits() {
        let log = block("c1", "Drop", "-metadata: { name: \"${env}/app/db\" }");
        assert_eq!(found(&log, &["prod/app/db"]).len(), 1);
        assert_eq!(found(&log, &["prod/app/db", "dev/app/db"]), [], "two of one target's names may be meant");
        assert_eq!(found(&log, &["app/db"]), []);
        assert!(fits("${a}/x-${b}/y", "p/x-q/y") && !fits("${a}/${b}", "p/q") && !fits("${a}/y", "/y"));
    }

    #[test]
    fn a_name_that_became_a_template_did_not_leave() {
        let added = block("c1", "Add it", "+metadata: { name: app/c }");
        for written in ["\"app/${x}\"", "${all}", "app/c${nothing}", "*name", ">-"] {
            let folded = block("c2", "Use a variable", &format!("-  name: app/c\n+  name: {written}"));
            assert_eq!(found(&(folded + &added), &["app/c", "app/d"]), [], "{written}");
        }
        let other = block("c2", "Another's", "-  name: app/c\n+  name: \"other/${x}\"");
        assert_eq!(found(&(other + &added), &["app/c"]).len(), 1);
        let quoted = block("c2", "Quote", "-  name: app/c\n+  \"name\": \"app/c\"");
        assert_eq!(found(&(quoted + &added), &["app/c"]), []);
        let anchored = block("c2", "Anchor", "-  name: app/c\n+  name: &c app/c");
        assert_eq!(found(&(anchored + &added), &["app/c"]), []);
    }

    #[test]
    fn a_template_that_only_moves_hides_no_older_commit() {
        let moved = block("c3", "Quote", "-  name: app/${each}\n+  name: \"app/${each}\"");
        let removed = block("c2", "Drop", "-  name: app/c");
        assert_eq!(found(&(moved + &removed), &["app/c"]).len(), 1);
    }
}
