//! What a plain scalar of YAML means, as go-yaml resolves it: unencrypted scalars are part of the MAC, and SOPS hashes
//! what they mean, not what is written. `017` is 15, `1_000` is 1000, and `88e4566`, which no float can hold, is text.

use super::number;
use super::tree::Node;

/// A plain scalar, resolved as go-yaml version 3 does.
pub(super) fn resolve(text: &str) -> Node {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Node::Null,
        "true" | "True" | "TRUE" => Node::Bool(true),
        "false" | "False" | "FALSE" => Node::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Node::number("NaN"),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Node::number("+Inf"),
        "-.inf" | "-.Inf" | "-.INF" => Node::number("-Inf"),
        _ if text.starts_with('.') => float_after_dot(text).map_or_else(|| Node::text(text), Node::number),
        _ if text.starts_with(|first: char| first.is_ascii_digit() || "+-".contains(first)) => match moment(text) {
            Some(moment) => Node::text(moment),
            None => number(text).map_or_else(|| Node::text(text), Node::number),
        },
        _ => Node::text(text),
    }
}

fn number(text: &str) -> Option<String> {
    let plain = text.replace('_', "");
    integer(&plain).or_else(|| is_float(&plain).then(|| finite(&plain)).flatten())
}

/// Go's `ParseFloat` fails where a number is too large for a float; then the scalar is text.
fn finite(text: &str) -> Option<String> {
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(number::plain)
}

/// What begins with a dot goes to `ParseFloat` as it stands, which takes an underscore between two digits only.
fn float_after_dot(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let underscores = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_');
    let fit = underscores.fold(true, |fit, (at, _)| fit && digit(at.checked_sub(1)) && digit(Some(at + 1)));
    let plain = text.replace('_', "");
    (fit && is_float(&plain)).then(|| finite(&plain)).flatten()
}

/// A whole number as Go's `strconv.ParseInt(text, 0, 64)` and, for what is larger, `ParseUint` read it: with 0x, 0o and
/// 0b, and a leading 0 for octal.
fn integer(text: &str) -> Option<String> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = if let Some(hex) = lower.strip_prefix("0x") {
        (16, hex)
    } else if let Some(octal) = lower.strip_prefix("0o") {
        (8, octal)
    } else if let Some(binary) = lower.strip_prefix("0b") {
        (2, binary)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    // `from_str_radix` would take a second sign.
    if !digits.starts_with(|first: char| first.is_ascii_hexdigit()) {
        return None;
    }
    if let Ok(whole) = i64::from_str_radix(&format!("{sign}{digits}"), radix) {
        return Some(whole.to_string());
    }
    let unsigned = text.starts_with(|first: char| first.is_ascii_digit());
    unsigned.then(|| u64::from_str_radix(digits, radix).ok()).flatten().map(|whole| whole.to_string())
}

/// go-yaml's pattern for a float: `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn is_float(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let exponent_fits = exponent.is_none_or(|exponent| {
        let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !unsigned.is_empty() && digits(unsigned)
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_fits = digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    exponent_fits && mantissa_fits
}

/// A moment in one of the forms that go-yaml takes (`2006-1-2`, `2006-1-2T15:4:5.9Z`, `2006-1-2 15:4:5.9`), in the one
/// form that SOPS writes and hashes: RFC 3339 without trailing zeros.
fn moment(text: &str) -> Option<String> {
    let (year, rest) = text.split_once('-').filter(|(year, _)| year.len() == 4)?;
    let (month, rest) = rest.split_once('-')?;
    let in_day = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let (day, rest) = rest.split_at(in_day);
    let (year, month, day) = (small(year, 4)?, small(month, 2)?, small(day, 2)?);
    let days = match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days).contains(&day) {
        return None;
    }
    let (time, zone) = match rest.chars().next() {
        None => ("00:00:00".to_owned(), "Z".to_owned()),
        Some(between @ (' ' | 'T' | 't')) => {
            let rest = &rest[1..];
            let ends = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
            let (time, zone) = rest.split_at(ends);
            (time_of_day(time)?, if between == ' ' { no_zone(zone)? } else { offset(zone)? })
        }
        Some(_) => return None,
    };
    Some(format!("{year:04}-{month:02}-{day:02}T{time}{zone}"))
}

/// A number of at most so many digits.
fn small(text: &str, digits: usize) -> Option<u32> {
    let fits = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

fn time_of_day(text: &str) -> Option<String> {
    let (hour, rest) = text.split_once(':')?;
    let (minute, rest) = rest.split_once(':')?;
    let (second, fraction) = rest.split_once(['.', ',']).map_or((rest, None), |(second, part)| (second, Some(part)));
    let (hour, minute, second) = (small(hour, 2)?, small(minute, 2)?, small(second, 2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut shown = format!("{hour:02}:{minute:02}:{second:02}");
    if let Some(fraction) = fraction {
        if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let nanoseconds = fraction[..fraction.len().min(9)].trim_end_matches('0');
        if !nanoseconds.is_empty() {
            shown.push('.');
            shown.push_str(nanoseconds);
        }
    }
    Some(shown)
}

fn no_zone(text: &str) -> Option<String> {
    text.is_empty().then(|| "Z".to_owned())
}

fn offset(text: &str) -> Option<String> {
    if text == "Z" {
        return Some(text.to_owned());
    }
    let (hours, minutes) = text[1.min(text.len())..].split_once(':')?;
    let fit = hours.len() == 2 && minutes.len() == 2 && small(hours, 2)? <= 24 && small(minutes, 2)? <= 60;
    let zero = hours == "00" && minutes == "00";
    fit.then(|| if zero { "Z".to_owned() } else { text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> String {
        match resolve(text) {
            Node::Null => "null".to_owned(),
            Node::Bool(set) => format!("bool {set}"),
            Node::Number(number) => format!("number {}", *number),
            Node::Text(text) => format!("text {}", *text),
            Node::List(_) | Node::Map(_) => String::new(),
        }
    }

    #[test]
    fn plain_scalars_are_those_of_go_yaml() {
        for (written, meant) in [
            ("017", "number 15"),
            ("08", "number 8"),
            ("0o17", "number 15"),
            ("-0x1F", "number -31"),
            ("0b101", "number 5"),
            ("1_000", "number 1000"),
            ("1_000_", "number 1000"),
            ("18446744073709551615", "number 18446744073709551615"),
            ("18446744073709551616", "number 18446744073709552000"),
            ("1e21", "number 1000000000000000000000"),
            ("1.50", "number 1.5"),
            (".5", "number 0.5"),
            (".5_0", "number 0.5"),
            ("-.inf", "number -Inf"),
            ("--1", "text --1"),
            ("1.2.3", "text 1.2.3"),
            ("yes", "text yes"),
            ("~", "null"),
            ("TRUE", "bool true"),
            (".", "text ."),
        ] {
            assert_eq!(resolved(written), meant, "{written}");
        }
    }

    #[test]
    fn a_float_that_is_too_large_is_text() {
        for text in ["88e4566", "1e400", "-1e400", ".1e400", "1_0e400"] {
            assert_eq!(resolved(text), format!("text {text}"));
        }
        assert_eq!(resolved("1e-400"), "number 0");
    }

    #[test]
    fn after_a_dot_underscores_stand_between_digits() {
        for text in [".0_", "._0", ".1__0", ".1e_3", ".1_e3"] {
            assert_eq!(resolved(text), format!("text {text}"));
        }
    }

    #[test]
    fn moments_are_written_as_rfc_3339() {
        for (written, meant) in [
            ("2024-01-02", "2024-01-02T00:00:00Z"),
            ("2024-1-2", "2024-01-02T00:00:00Z"),
            ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
            ("2024-01-02t03:04:05.1200+02:00", "2024-01-02T03:04:05.12+02:00"),
            ("2024-01-02T03:04:05+00:00", "2024-01-02T03:04:05Z"),
            ("2024-01-02 3:4:5.0", "2024-01-02T03:04:05Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(resolved(written), format!("text {meant}"), "{written}");
        }
        for text in
            ["2023-02-29", "2024-13-01", "2024-01-02T25:00:00Z", "2024-01-02 03:04:05Z", "2024-01-02x", "24-1-2"]
        {
            assert_eq!(resolved(text), format!("text {text}"));
        }
    }
}
