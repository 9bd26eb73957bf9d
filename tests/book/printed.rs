//! What a document says that a command prints, compared with what it printed.
//!
//! Word for word, but for two things:
//!
//! - `…` alone on a line stands for any lines, and within a line for any text;
//! - version ids, dates and times, durations and the random ends of ARNs are compared by their shape.

use std::sync::LazyLock;

use regex::Regex;

/// What stands for what is left out.
const LEFT_OUT: &str = "…";

/// What differs from run to run, and what it is compared as.
static SHAPES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let shapes = [
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "VERSION"),
        (r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?( UTC|Z)?", "TIME"),
        (r"\b\d{4}-\d\d-\d\d\b", "DAY"),
        (r"\b\d+(\.\d+)? ?(ms|s|seconds?|minutes?)\b", "DURATION"),
        (r"\bsha256:[0-9a-f]{64}\b", "DIGEST"),
    ];
    shapes.into_iter().map(|(shape, name)| (Regex::new(shape).expect("a shape"), name)).collect()
});

fn shape(line: &str) -> String {
    SHAPES.iter().fold(line.trim_end().to_owned(), |line, (shape, name)| shape.replace_all(&line, *name).into_owned())
}

fn is_left_out(line: &str) -> bool {
    line.trim() == LEFT_OUT
}

/// Whether a line is as the document says.
fn line_fits(said: &str, printed: &str) -> bool {
    let (said, printed) = (shape(said), shape(printed));
    let parts: Vec<String> = said.split(LEFT_OUT).map(regex::escape).collect();
    Regex::new(&format!("^{}$", parts.join(".*"))).expect("an escaped line").is_match(&printed)
}

/// Whether what was printed is what the document says.
pub(crate) fn fits(said: &[String], printed: &[String]) -> bool {
    match said {
        [] => printed.is_empty(),
        [first, rest @ ..] if is_left_out(first) => (0..=printed.len()).any(|from| fits(rest, &printed[from..])),
        [first, rest @ ..] => {
            printed.split_first().is_some_and(|(line, others)| line_fits(first, line) && fits(rest, others))
        }
    }
}

/// What the document should say. As many lines as it has before its first `…` and behind its last one are taken from
/// what was printed; a line that still fits stays as it is, so that dates do not change with each blessing.
pub(crate) fn blessed(said: &[String], printed: &[String]) -> Vec<String> {
    let keep =
        |line: &String| said.iter().find(|said| !is_left_out(said) && line_fits(said, line)).unwrap_or(line).clone();
    let Some(first) = said.iter().position(|line| is_left_out(line)) else {
        return printed.iter().map(keep).collect();
    };
    let last = said.iter().rposition(|line| is_left_out(line)).unwrap_or(first);
    let head = first.min(printed.len());
    let tail = (said.len() - last - 1).min(printed.len() - head);
    let mut lines: Vec<String> = printed[..head].iter().map(keep).collect();
    lines.push(said[first].clone());
    lines.extend(printed[printed.len() - tail..].iter().map(keep));
    lines
}

/// What this file promises of itself.
pub(crate) fn check() {
    what_is_left_out_is_any_text_and_nothing_else_is();
    a_blessed_text_fits_and_keeps_what_fitted();
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn what_is_left_out_is_any_text_and_nothing_else_is() {
    for (said, printed, fit) in [
        ("a\nb", "a\nb", true),
        ("a\nb", "a\nb\nc", false),
        ("a\nb\nc", "a\nb", false),
        ("a\n…\nd", "a\nb\nc\nd", true),
        ("a\n…\nd", "a\nd", true),
        ("a\n…\nd", "a\nb", false),
        ("key: age1…", "key: age1qqq", true),
        ("key: age1…", "key: ssh", false),
        ("at 2026-11-22 02:55 UTC", "at 2027-01-01 12:00 UTC", true),
        ("took 0.2 s", "took 11 s", true),
        ("1 changed", "2 changed", false),
        ("id 237868c9-cf04-4d56-97a9-c9ed8ab38982", "id 00000000-0000-4000-8000-000000000000", true),
    ] {
        assert_eq!(fits(&lines(said), &lines(printed)), fit, "{said:?} {printed:?}");
    }
}

fn a_blessed_text_fits_and_keeps_what_fitted() {
    for (said, printed, blessed_text) in [
        ("a\nb", "c\nd\ne", "c\nd\ne"),
        ("at 2026-11-22 02:55 UTC\nold", "at 2027-01-01 12:00 UTC\nnew", "at 2026-11-22 02:55 UTC\nnew"),
        ("…\nold", "x\ny\nnew", "…\nnew"),
        ("head\n…\nold", "top\nx\ny\nnew", "top\n…\nnew"),
        ("a\nb\n…\nc\nd", "one", "one\n…"),
    ] {
        let lines_now = blessed(&lines(said), &lines(printed));
        assert_eq!(lines_now, lines(blessed_text));
        assert!(fits(&lines_now, &lines(printed)), "{lines_now:?}");
    }
}
