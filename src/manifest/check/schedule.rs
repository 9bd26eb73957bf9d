//! When to rotate: `rate(...)`, `cron(...)` and the window, with the limits of Secrets Manager.
//!
//! Secrets Manager's cron differs from others: minutes are 0, the year is `*`, and it rotates at most every four hours.

use std::collections::BTreeSet;

/// Shortest interval between two rotations, in hours.
const MIN_INTERVAL_HOURS: u32 = 4;

/// The hours of a day.
pub(super) const HOURS_A_DAY: u32 = 24;

/// What is wrong with an expression, and what would be right.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ScheduleFault {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

fn fault<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, ScheduleFault> {
    Err(ScheduleFault { message: message.into(), help: Some(help.into()) })
}

/// Checks an expression, and gives the shortest time between two rotations in hours.
pub(crate) fn check_schedule(schedule: &str) -> Result<u32, ScheduleFault> {
    if schedule.len() > 256 {
        return fault("a schedule has at most 256 characters", "for example rate(30 days)");
    }
    if let Some(rate) = inner(schedule, "rate") {
        return check_rate(rate);
    }
    if let Some(cron) = inner(schedule, "cron") {
        return check_cron(cron);
    }
    let help = match schedule.split_whitespace().count() {
        5 => {
            "for example rate(30 days), or cron(0 16 1,15 * ? *): six fields, minutes 0, and one of day and weekday \
             is ?"
        }
        _ => "for example rate(30 days), or cron(0 16 1,15 * ? *)",
    };
    fault("a schedule is rate(...) or cron(...)", help)
}

/// What stands in the brackets of `rate(...)` or `cron(...)`.
pub(super) fn inner<'a>(schedule: &'a str, name: &str) -> Option<&'a str> {
    schedule.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')
}

/// Checks what stands in a `rate(...)`, and gives its hours.
pub(super) fn check_rate(rate: &str) -> Result<u32, ScheduleFault> {
    let help = "for example rate(4 hours), rate(1 day) or rate(30 days)";
    let Some((number, unit)) = rate.split_once(' ') else { return fault("a rate is a number and a unit", help) };
    let number: u32 = match number.parse() {
        Ok(number) if (1..=999).contains(&number) && !rate.starts_with('+') => number,
        _ => return fault("a rate is a whole number from 1 to 999", help),
    };
    let hours = match unit {
        "hour" | "hours" => number,
        "day" | "days" => number * HOURS_A_DAY,
        "minute" | "minutes" => return fault("a rate is in hours or days", help),
        _ => return fault("the unit of a rate is `hours` or `days`", help),
    };
    if hours < MIN_INTERVAL_HOURS {
        return fault("Secrets Manager rotates at most every 4 hours", "rate(4 hours) is the shortest");
    }
    Ok(hours)
}

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// One of the fields of a cron expression.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) low: u32,
    pub(super) high: u32,
    pub(super) names: &'static [&'static str],
}

pub(super) const HOUR: Part = Part { name: "hour", low: 0, high: 23, names: &[] };
pub(super) const DAY: Part = Part { name: "day", low: 1, high: 31, names: &[] };
pub(super) const MONTH: Part = Part { name: "month", low: 1, high: 12, names: MONTHS };
/// 1 is Sunday.
pub(super) const WEEKDAY: Part = Part { name: "weekday", low: 1, high: 7, names: WEEKDAYS };

fn check_cron(cron: &str) -> Result<u32, ScheduleFault> {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let [minutes, hours, day, month, weekday, year] = fields.as_slice() else {
        return fault(
            format!("a cron schedule has six fields, this one has {}", fields.len()),
            "cron(0 HOUR DAY MONTH WEEKDAY *), for example cron(0 16 1,15 * ? *)",
        );
    };
    if *minutes != "0" {
        return fault(
            "the minutes of a rotation schedule are 0",
            "Secrets Manager opens its windows on the hour: cron(0 ...)",
        );
    }
    if *year != "*" {
        return fault("the year of a rotation schedule is *", "cron(0 HOUR DAY MONTH WEEKDAY *)");
    }
    match (*day, *weekday) {
        ("?", "?") => return fault("one of day and weekday is given", "write * for every day: cron(0 8 * * ? *)"),
        ("?", _) | (_, "?") => {}
        _ => {
            return fault(
                "one of day and weekday is ?",
                "a ? says which of the two is not used, for example cron(0 16 1,15 * ? *)",
            );
        }
    }
    let hour_set = values(hours, &HOUR)?;
    values(month, &MONTH)?;
    if *day != "?" {
        check_day(day)?;
    }
    if *weekday != "?" {
        check_weekday(weekday)?;
    }
    let every_day = matches!((*day, *weekday), ("*", "?") | ("?", "*"));
    let interval = shortest_gap(&hour_set, every_day);
    if interval < MIN_INTERVAL_HOURS {
        return fault(
            "Secrets Manager rotates at most every 4 hours",
            "for example cron(0 /4 * * ? *) for every fourth hour",
        );
    }
    Ok(interval)
}

/// The hours between two neighbours of a day, and over midnight when days follow each other.
fn shortest_gap(hours: &BTreeSet<u32>, every_day: bool) -> u32 {
    let within = hours.iter().zip(hours.iter().skip(1)).map(|(a, b)| b - a).min().unwrap_or(24);
    match (hours.first(), hours.last()) {
        (Some(first), Some(last)) if every_day && first != last => within.min(first + 24 - last),
        _ => within,
    }
}

/// A list of values, ranges and steps.
pub(super) fn values(field: &str, part: &Part) -> Result<BTreeSet<u32>, ScheduleFault> {
    let mut set = BTreeSet::new();
    for item in field.split(',') {
        let (span, step) = match item.split_once('/') {
            Some((span, step)) => match step.parse::<u32>() {
                Ok(step) if step >= 1 && step <= part.high => (span, step),
                _ => {
                    return fault(
                        format!("the step of {} in `{item}` is a number from 1 to {}", part.name, part.high),
                        "for example 2/6",
                    );
                }
            },
            None => (item, 0),
        };
        let (from, to) = match span {
            "*" => (part.low, part.high),
            // `/4` begins at the lowest value, as AWS's own examples do.
            "" if step > 0 => (part.low, part.high),
            _ => {
                if let Some((from, to)) = span.split_once('-') {
                    (value(from, part)?, value(to, part)?)
                } else {
                    let from = value(span, part)?;
                    (from, if step > 0 { part.high } else { from })
                }
            }
        };
        if from > to {
            return fault(format!("the range of {} in `{item}` runs backwards", part.name), "write two ranges");
        }
        set.extend((from..=to).step_by(usize::try_from(step.max(1)).unwrap_or(1)));
    }
    Ok(set)
}

/// One value, as a number or by its name.
pub(super) fn value(text: &str, part: &Part) -> Result<u32, ScheduleFault> {
    if let Some(at) = part.names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
        return Ok(part.low + u32::try_from(at).unwrap_or(0));
    }
    match text.parse::<u32>() {
        Ok(number) if text.bytes().all(|b| b.is_ascii_digit()) && (part.low..=part.high).contains(&number) => {
            Ok(number)
        }
        _ => {
            let names = match (part.names.first(), part.names.last()) {
                (Some(first), Some(last)) => format!(", or {first} to {last}"),
                _ => String::new(),
            };
            fault(
                format!("`{text}` is not a {}", part.name),
                format!("a {} is {} to {}{names}", part.name, part.low, part.high),
            )
        }
    }
}

/// The day of the month: also `L`, `LW` and `15W`.
fn check_day(field: &str) -> Result<(), ScheduleFault> {
    for item in field.split(',') {
        if matches!(item, "L" | "LW") {
            continue;
        }
        match item.strip_suffix('W') {
            Some(day) => value(day, &DAY).map(|_| ())?,
            None => values(item, &DAY).map(|_| ())?,
        }
    }
    Ok(())
}

/// The day of the week: also `L`, `FRIL` and `TUE#2`.
fn check_weekday(field: &str) -> Result<(), ScheduleFault> {
    for item in field.split(',') {
        if item == "L" {
            continue;
        }
        if let Some((day, nth)) = item.split_once('#') {
            value(day, &WEEKDAY)?;
            if !matches!(nth, "1" | "2" | "3" | "4" | "5") {
                return fault(
                    format!("`{item}` is not a weekday of the month"),
                    "TUE#2 is the second Tuesday; a month has at most five",
                );
            }
        } else if let Some(day) = item.strip_suffix('L') {
            value(day, &WEEKDAY)?;
        } else {
            values(item, &WEEKDAY)?;
        }
    }
    Ok(())
}

/// A window such as `2h`, in hours.
pub(crate) fn check_duration(duration: &str) -> Result<u32, ScheduleFault> {
    let hours = duration
        .strip_suffix('h')
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()) && digits.len() <= 2)
        .and_then(|digits| digits.parse().ok());
    match hours {
        Some(hours @ 1..=24) => Ok(hours),
        _ => fault("a rotation window is 1h to 24h", "for example 2h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        assert_eq!(check_schedule("rate(4 hours)"), Ok(4));
        assert_eq!(check_schedule("rate(1 day)"), Ok(24));
        assert_eq!(check_schedule("rate(999 days)"), Ok(999 * 24));
        for bad in [
            "rate(3 hours)",
            "rate(0 days)",
            "rate(1000 days)",
            "rate(10 minutes)",
            "rate(30days)",
            "rate(1.5 days)",
            "rate()",
            "every day",
            "",
        ] {
            assert!(check_schedule(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn crons() {
        for (good, hours) in [
            ("cron(0 16 1,15 * ? *)", 24),
            ("cron(0 /4 * * ? *)", 4),
            ("cron(0 0/8 * * ? *)", 8),
            ("cron(0 8 ? * MON-FRI *)", 24),
            ("cron(0 8 ? * 2#1 *)", 24),
            ("cron(0 8 ? * FRIL *)", 24),
            ("cron(0 8 L * ? *)", 24),
            ("cron(0 8 15W JAN-MAR ? *)", 24),
            ("cron(0 8,20 ? * SUN *)", 12),
        ] {
            assert_eq!(check_schedule(good), Ok(hours), "{good}");
        }
        for bad in [
            "cron(5 16 1 * ? *)",
            "cron(0 16 1 * * *)",
            "cron(0 16 ? * ? *)",
            "cron(0 16 1 * ?)",
            "cron(0 24 1 * ? *)",
            "cron(0 16 32 * ? *)",
            "cron(0 16 1 13 ? *)",
            "cron(0 16 ? * FUN *)",
            "cron(0 16 ? * TUE#6 *)",
            "cron(0 16 1 * ? 2030)",
            "cron(0 * * * ? *)",
            "cron(0 /3 * * ? *)",
            "cron(0 0,22 * * ? *)",
            "cron(0 20-8 * * ? *)",
            "0 16 1 * *",
        ] {
            assert!(check_schedule(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn windows() {
        assert_eq!(check_duration("24h"), Ok(24));
        for bad in ["0h", "25h", "2", "h", "2 h", "+2h", "120h"] {
            assert!(check_duration(bad).is_err(), "{bad}");
        }
    }
}
