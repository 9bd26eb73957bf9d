//! Numbers and words without quotes in an inline policy, which would not reach IAM as they are written.
//!
//! A policy is sent as JSON. `012345678901` would lose its zero there, `1e3` and `0x10` their form; and of `yes`, a
//! date or `1_000` readers of YAML disagree whether it is text. Who wrote it meant what stands there, so it is to be
//! quoted.

use serde_json::Number;

use super::super::codes;
use super::super::diagnostic::{Problem, Report};
use super::super::source::Sources;
use super::super::tree::{Kind, Node, parse_integer};

/// Reports every such scalar beneath a node. True when there is one.
pub(super) fn check(node: &Node, sources: &Sources, report: &mut Report) -> bool {
    match &node.kind {
        Kind::Seq(items) => items.iter().fold(false, |found, item| check(item, sources, report) | found),
        Kind::Map(entries) => entries.iter().fold(false, |found, (_, value)| check(value, sources, report) | found),
        _ => match wrong(node, sources) {
            Some((text, why)) => {
                let problem = Problem::new(&codes::POLICY, node.span, format!("`{text}` without quotes: {why}"));
                report.push(problem.label("quote it").help(format!("write \"{text}\" for the text as it stands here")));
                true
            }
            None => false,
        },
    }
}

/// The text of a scalar, and why it is not safe without quotes.
fn wrong<'a>(node: &'a Node, sources: &'a Sources) -> Option<(&'a str, String)> {
    match &node.kind {
        Kind::Number(raw) if json_number(raw).is_none() => Some((raw, number(raw))),
        Kind::Bool(value) => {
            let written = sources.slice(node.span).filter(|written| *written != value.to_string())?;
            Some((written, format!("it is sent as `{value}`")))
        }
        Kind::String(text) if node.plain => Some((text, ambiguous(text)?.to_owned())),
        _ => None,
    }
}

/// The number in JSON, where it is written there as it is here.
pub(super) fn json_number(raw: &str) -> Option<Number> {
    let number = parse_integer(raw).map(Number::from).or_else(|| Number::from_f64(raw.parse().ok()?));
    number.filter(|number| number.to_string() == raw)
}

fn number(raw: &str) -> String {
    let sent = parse_integer(raw).map(|number| number.to_string());
    let sent = sent.or_else(|| Some(Number::from_f64(raw.parse().ok()?)?.to_string()));
    sent.map_or_else(|| "it is a number that JSON does not know".to_owned(), |sent| format!("it is sent as `{sent}`"))
}

/// What YAML 1.1 takes for something else than text, and YAML 1.2 for text (<https://yaml.org/type/>).
fn ambiguous(text: &str) -> Option<&'static str> {
    const WORDS: [&str; 6] = ["y", "yes", "on", "n", "no", "off"];
    let lower = text.to_ascii_lowercase();
    let one_case = text == lower || text == text.to_ascii_uppercase() || text.get(1..) == lower.get(1..);
    if WORDS.contains(&lower.as_str()) && one_case {
        return Some("some readers of YAML take it for true or false, others for text");
    }
    if is_date(text) {
        return Some("some readers of YAML take it for a date, others for text");
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if is_number(unsigned) {
        return Some("some readers of YAML take it for a number, others for text");
    }
    None
}

/// `2026-01-31`, or with a time behind it.
fn is_date(text: &str) -> bool {
    let (date, time) = text.split_once(['T', 't', ' ']).map_or((text, None), |(date, time)| (date, Some(time)));
    let mut parts = date.split('-');
    let mut digits = |least: usize, most: usize| {
        parts
            .next()
            .is_some_and(|part| (least..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_date = digits(4, 4) && digits(1, 2) && digits(1, 2) && parts.next().is_none();
    is_date && time.is_none_or(|time| time.trim_start().starts_with(|first: char| first.is_ascii_digit()))
}

/// `1_000`, `0b11` and `12:30:45`, the last in base 60.
fn is_number(unsigned: &str) -> bool {
    let digits = |text: &str, is_digit: fn(u8) -> bool| {
        text.starts_with(|first: char| u8::try_from(first).is_ok_and(is_digit))
            && text.bytes().all(|byte| is_digit(byte) || byte == b'_')
    };
    let decimal: fn(u8) -> bool = |byte| byte.is_ascii_digit();
    if let Some(rest) = unsigned.strip_prefix("0b") {
        return digits(rest, |byte| matches!(byte, b'0' | b'1'));
    }
    if let Some(rest) = unsigned.strip_prefix("0x") {
        return digits(rest, |byte| byte.is_ascii_hexdigit());
    }
    let (first, rest) = unsigned.split_once(':').map_or((unsigned, None), |(first, rest)| (first, Some(rest)));
    match rest {
        None => {
            let (whole, fraction) = first.split_once('.').unwrap_or((first, ""));
            digits(whole, decimal)
                && (fraction.is_empty() || fraction.bytes().all(|byte| decimal(byte) || byte == b'_'))
        }
        Some(rest) => {
            let rest = rest.split_once('.').map_or(rest, |(whole, _)| whole);
            let sixty = |part: &str| {
                matches!(part.as_bytes(), [one] if one.is_ascii_digit())
                    || matches!(part.as_bytes(), [b'0'..=b'5', one] if one.is_ascii_digit())
            };
            digits(first, decimal) && rest.split(':').all(sixty)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_readers_of_yaml_disagree_about() {
        for word in [
            "yes",
            "Yes",
            "YES",
            "no",
            "on",
            "Off",
            "OFF",
            "y",
            "N",
            "2012-10-17",
            "2026-1-3",
            "2026-01-31T10:00:00Z",
            "2026-01-31 10:00:00",
            "1_000",
            "+1_0",
            "0b11",
            "12:30",
            "-12:30:45",
            "1:30.5",
            "1_0.5",
            "0x_1f",
        ] {
            assert!(ambiguous(word).is_some() || json_number(word).is_none() && word.starts_with("0x"), "{word}");
        }
        for word in [
            "yEs",
            "nope",
            "only",
            "2012-10-17-a",
            "2012-10",
            "arn:aws:iam::111111111111:root",
            "o-a1b2c3d4e5",
            "12:60",
            "vpce-1234",
            "10.0.0.0/8",
            "::1",
            "a:1",
            "secretsmanager:*",
            "*",
            "2026-01-31Tea",
            "1.2.3.4",
            "1-2",
        ] {
            assert_eq!(ambiguous(word), None, "{word}");
        }
    }

    #[test]
    fn numbers_that_json_writes_in_another_way() {
        for raw in ["012345678901", "1e3", "0x10", "0o17", "+5", "1.10", ".5", "5.", "12345678901234567890", ".inf"] {
            assert!(json_number(raw).is_none(), "{raw}");
        }
        for raw in ["0", "5", "-5", "111111111111", "1.5", "3600"] {
            assert!(json_number(raw).is_some(), "{raw}");
        }
    }
}
