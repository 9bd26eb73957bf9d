//! The comment of a plan, as it is, cut to its size, and with text in it that would like to break out.

use super::super::graph::HOSTILE;
use super::super::sample_plans::Sample;
use super::*;
use crate::plan::Verb;

/// What Markdown reads as text and HTML: everything but code blocks and code spans, by the rules of CommonMark.
fn outside_code(text: &str) -> String {
    let mut out = String::new();
    let mut fence: Option<usize> = None;
    for line in text.lines() {
        let ticks = line.bytes().take_while(|&byte| byte == b'`').count();
        match fence {
            Some(length) => {
                // Up to three spaces may stand before the end of a block.
                let end = line.trim_start_matches(' ');
                let indent = line.len() - end.len();
                if indent <= 3 && end.len() >= length && end.bytes().all(|byte| byte == b'`') {
                    fence = None;
                }
            }
            None if ticks >= 3 && !line[ticks..].contains('`') => fence = Some(ticks),
            None => {
                out.push_str(&without_spans(line));
                out.push('\n');
            }
        }
    }
    assert_eq!(fence, None, "a block without an end: {text}");
    out
}

fn without_spans(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        out.push_str(&rest[..start]);
        let length = rest[start..].bytes().take_while(|&byte| byte == b'`').count();
        let inner = &rest[start + length..];
        let mut from = 0;
        let end = loop {
            let at = inner[from..].find('`').map(|at| at + from);
            assert!(at.is_some(), "a span without an end: {line}");
            let at = at.unwrap_or_default();
            let run = inner[at..].bytes().take_while(|&byte| byte == b'`').count();
            if run == length {
                break at + run;
            }
            from = at + run;
        };
        out.push('C');
        rest = &inner[end..];
    }
    out.push_str(rest);
    out
}

#[test]
fn nothing_hostile_stands_outside_of_code() {
    let more = [
        "@team please",
        "#12 and GH-12 and o/r#3",
        "![x](https://x.example/y.png) [a](b)",
        "a | b |",
        "<b>@x</b>",
        "-->",
    ];
    for text in HOSTILE.into_iter().chain(more) {
        let comment = markdown(&Sample::of(text, 3).project(text), Extent { full: true, ..Extent::default() });
        let mut outside = outside_code(&comment);
        for ours in [
            "<details open>",
            "<details>",
            "</details>",
            "<summary>",
            "</summary>",
            "<br>",
            "<!-- keywright:plan ",
            " -->",
        ] {
            outside = outside.replace(ours, "");
        }
        // In a summary, which is HTML, names stand in <code>, and are escaped as HTML is.
        let mut read = String::new();
        for (at, piece) in outside.split("<code>").enumerate() {
            let (name, rest) = if at == 0 { ("", piece) } else { piece.split_once("</code>").unwrap_or((piece, "<")) };
            assert!(!name.contains('<'), "{name}");
            read.push_str(rest);
        }
        assert!(!read.contains(['@', '<', '>', '[', ']', '|', '&', '\\', '~', '$']), "{text:?} became\n{read}");
        let heading = read.lines().filter(|line| line.starts_with('#')).count();
        assert_eq!((heading, read.matches('#').count()), (1, 2), "{text:?} became\n{read}");
        assert!(comment.starts_with("<!-- keywright:plan "));
    }
}

#[test]
fn five_thousand_secrets_are_cut_at_a_secret() {
    let mut sample = Sample::of("a text", 5_000);
    sample.report.findings.clear();
    sample.plan.secrets[4_999].verb = Verb::Delete;
    let comment = markdown(&sample.project("payments"), Extent { full: true, ..Extent::default() });
    assert!(comment.len() <= MAX_BYTES && comment.len() > MAX_BYTES - 5_000, "{}", comment.len());
    let shown = comment.matches("`~` **change**").count() + 1;
    let first = comment.find("\n`").map_or("", |at| comment[at..].trim_start().lines().next().unwrap_or_default());
    assert_eq!(
        first, "`-` **delete** `staging/db-4999` in `staging` (`secrets/db.yaml:4`)",
        "what goes away is never cut"
    );
    let end = format!(
        "**Cut: {} of 5000 changed secrets left out**, since GitHub takes no more than 65,536 characters in a comment. \
         `keywright plan` shows the whole plan, also as a page with `--format html`; `--target` and `--select` narrow \
         it.\n",
        5_000 - shown
    );
    assert!(shown > 10 && comment.ends_with(&end), "{}", &comment[comment.len() - 400..]);
    assert_eq!(comment.matches("<details").count(), comment.matches("</details>").count());
    outside_code(&comment);
}

/// A project of targets with the same plan.
fn of_targets(sample: &Sample, number: usize) -> Escaped<Markdown> {
    let names: Vec<String> = (0..number).map(|number| format!("target-{number}")).collect();
    let targets = names.iter().map(|name| sample.view(name)).collect();
    markdown(&PlanView { project: "payments", targets }, Extent::default())
}

#[test]
fn the_same_change_over_targets_is_one_entry() {
    let comment = of_targets(&Sample::of("a text", 1_000), 6);
    assert!(comment.len() <= MAX_BYTES);
    assert_eq!(comment.matches("**change**").count(), 1);
    assert!(comment.contains("`~` **change** 6000 secrets"), "{}", &*comment);
    assert!(comment.contains(" and 5900 more"));
    for number in 0..6 {
        assert_eq!(comment.matches(&format!("- `target-{number}`")).count(), 1);
    }
}

#[test]
fn targets_without_any_room_are_counted() {
    let comment = of_targets(&Sample::of("a text", 1), 1_000);
    assert!(comment.len() <= MAX_BYTES, "{}", comment.len());
    assert!(comment.contains(" targets left out**"), "{}", &comment[comment.len() - 400..]);
    assert!(comment.contains("`~` **change** 1000 secrets"), "what changes is there");
}
