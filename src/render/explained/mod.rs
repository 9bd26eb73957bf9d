//! What each code means: cause, an example that breaks it, and what mends it. Codes are those of mistakes in manifests
//! (`manifest/codes.rs`), classes of drift (`drift/class.rs`) and findings of an inventory (`desired/audit.rs`).
//!
//! The texts are Markdown files beside this one, one a topic, compiled in: whoever adds a code adds its section, and a
//! test misses it otherwise. `tests/codes.rs` validates every example, wrong and right, and makes `docs/codes.md`.
//! A section is `## CODE`, the cause, perhaps an example in a fence, a paragraph that begins with `Cure: `, and the
//! example mended. An example is files, each below a line `# FILE`, or keys of the project's `spec` below
//! `# in the spec of keywright.yaml`, or a part of a Secret document that begins with `metadata` or `spec`.

use std::fmt::Write as _;
use std::sync::LazyLock;

use super::escape::{self, Escaped, Terminal};
use super::escaped;
use super::paint::Paint;
use crate::desired::AuditKind;
use crate::drift::Class;
use crate::manifest::{Severity, codes, nearest};

/// The topics, in the order in which they are listed.
const TOPICS: [&str; 9] = [
    include_str!("files.md"),
    include_str!("yaml.md"),
    include_str!("structure.md"),
    include_str!("variables.md"),
    include_str!("project.md"),
    include_str!("secret.md"),
    include_str!("policy.md"),
    include_str!("value.md"),
    include_str!("drift.md"),
];

/// Columns of a page.
const WIDTH: usize = 100;

/// The page of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The code.
    pub id: &'static str,
    /// The heading of its topic.
    pub topic: &'static str,
    /// Why it is told.
    pub cause: &'static str,
    /// What it is told of.
    pub wrong: Option<&'static str>,
    /// What mends it.
    pub cure: &'static str,
    /// The example, mended.
    pub right: Option<&'static str>,
}

static PAGES: LazyLock<Vec<Page>> = LazyLock::new(|| TOPICS.iter().flat_map(|topic| pages_of(topic)).collect());

fn pages_of(topic: &'static str) -> Vec<Page> {
    let (heading, sections) = topic.split_once("\n## ").unwrap_or((topic, ""));
    let heading = heading.trim_start_matches("# ").trim();
    sections.split("\n## ").filter_map(|section| page_of(heading, section)).collect()
}

fn page_of(topic: &'static str, section: &'static str) -> Option<Page> {
    let (id, body) = section.split_once('\n')?;
    let (before, after) = body.split_once("\nCure: ")?;
    let (cause, wrong) = with_example(before);
    let (cure, right) = with_example(after);
    Some(Page { id, topic, cause, wrong, cure, right })
}

/// A paragraph, and what stands in the fence below it.
fn with_example(text: &'static str) -> (&'static str, Option<&'static str>) {
    match text.split_once("```yaml\n") {
        Some((paragraph, rest)) => (paragraph.trim(), rest.split_once("```").map(|(example, _)| example)),
        None => (text.trim(), None),
    }
}

/// Every page, by topic.
pub fn pages() -> &'static [Page] {
    &PAGES
}

/// The page of a code.
pub fn page(id: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.id == id)
}

/// The code whose name is most like this one.
pub fn near(id: &str) -> Option<&'static str> {
    nearest(id, PAGES.iter().map(|page| page.id))
}

/// What tells of a code, each with what it means there, in one line.
pub fn told_by(id: &str) -> Vec<(&'static str, &'static str)> {
    let of_manifests = codes::ALL.iter().find(|code| code.id == id).map(|code| match code.severity {
        Severity::Error => ("an error in manifests", code.summary),
        Severity::Warning => ("a warning in manifests", code.summary),
    });
    let drift = Class::ALL.into_iter().find(|class| class.word() == id);
    let finding = AuditKind::ALL.into_iter().find(|kind| kind.word() == id);
    let drift = drift.map(|class| ("a class of drift", class.meaning()));
    let finding = finding.map(|kind| ("a finding of an inventory", kind.meaning()));
    of_manifests.into_iter().chain(drift).chain(finding).collect()
}

/// The page of a code, for a terminal.
pub fn text(paint: Paint, page: &Page) -> Escaped<Terminal> {
    let Page { id, topic: _, cause, wrong, cure, right } = page;
    let mut out: Escaped<Terminal> = escaped!("{}\n\n", paint.strong(escape::line(id)));
    for (what, meaning) in told_by(id) {
        out.push(&escape::block(&wrapped(&format!("{meaning} ({what})"))));
    }
    out.push(&escape::block(&format!("\n{}", wrapped(cause))));
    out.push(&example(*wrong));
    out.push(&escaped!("\n  {}\n", paint.strong("What mends it")));
    out.push(&escape::block(&wrapped(&capitalised(cure))));
    out.push(&example(*right));
    out
}

/// An example, indented below an empty line.
fn example(text: Option<&str>) -> Escaped<Terminal> {
    let lines: String = text.unwrap_or_default().lines().map(|line| format!("    {line}\n")).collect();
    if lines.is_empty() { Escaped::default() } else { escaped!("\n{}", escape::block(&lines)) }
}

/// A paragraph, indented and broken at [`WIDTH`].
fn wrapped(paragraph: &str) -> String {
    let mut out = String::new();
    let mut line = String::from(" ");
    for word in paragraph.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            out.push_str(&line);
            out.push('\n');
            line = String::from(" ");
        }
        line.push(' ');
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
    out
}

/// All codes with what they mean, by topic.
pub fn list(paint: Paint) -> Escaped<Terminal> {
    let mut out = Escaped::default();
    let mut topic = "";
    for page in pages() {
        if page.topic != topic {
            out.push(&escaped!(
                "{}{}\n",
                if topic.is_empty() { "" } else { "\n" },
                paint.strong(escape::line(page.topic))
            ));
            topic = page.topic;
        }
        let meaning = told_by(page.id).first().map_or("", |(_, meaning)| *meaning);
        out.push(&escaped!("  {}  {}\n", escape::padded(escape::line(page.id), 26), escape::line(meaning)));
    }
    out
}

/// The cause and what mends it, without examples: for reports whose readers have the place before them.
pub fn plain(id: &str) -> String {
    page(id).map_or_else(String::new, |page| {
        format!("{}\n\n{}\n\nWith examples: keywright explain {id}", page.cause, capitalised(page.cure))
    })
}

/// The page in Markdown, without a heading.
pub fn markdown(page: &Page) -> String {
    let mut out = format!("{}\n", page.cause);
    let example = |out: &mut String, text: Option<&str>| {
        if let Some(text) = text {
            // Writing to a String cannot fail.
            let _ = write!(out, "\n```yaml\n{text}```\n");
        }
    };
    example(&mut out, page.wrong);
    let _ = write!(out, "\n**What mends it:** {}\n", page.cure);
    example(&mut out, page.right);
    out
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// `docs/codes.md`.
pub fn document() -> String {
    let mut out = String::from(
        "# Codes\n\nWhat `validate` calls mistakes, `drift` differences and `inventory` findings: why each is told, \
         and what mends it. `keywright explain CODE` prints the same. This page is made from the code: \
         `KEYWRIGHT_BLESS=1 cargo test --test codes` writes it.\n",
    );
    let mut topic = "";
    for page in pages() {
        if page.topic != topic {
            let _ = write!(out, "\n## {}\n", page.topic);
            topic = page.topic;
        }
        let _ = write!(out, "\n### {}\n\n", page.id);
        for (what, meaning) in told_by(page.id) {
            let _ = writeln!(out, "*{meaning}* ({what})\n");
        }
        out.push_str(&markdown(page));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_page_and_every_page_a_code() {
        let known = codes::ALL.iter().map(|code| code.id);
        let known = known.chain(Class::ALL.map(Class::word)).chain(AuditKind::ALL.map(AuditKind::word));
        for id in known {
            assert_eq!(pages().iter().filter(|page| page.id == id).count(), 1, "{id}");
        }
        for page in pages() {
            assert!(!told_by(page.id).is_empty(), "{} is no code", page.id);
            assert!(!page.cause.is_empty() && !page.cure.is_empty(), "{}", page.id);
            assert_eq!(page.wrong.is_some(), page.right.is_some(), "{}", page.id);
        }
        let sections: usize = TOPICS.iter().map(|topic| topic.matches("\n## ").count()).sum();
        assert_eq!(pages().len(), sections, "a section without a cure");
    }

    #[test]
    fn a_name_that_is_near_is_found() {
        assert_eq!(near("unknown-feild"), Some("unknown-field"));
        assert_eq!(near("something-else-entirely"), None);
    }
}
