//! `cron(0 HOUR DAY MONTH WEEKDAY *)`, with what AWS's table lists for each field.
//!
//! | field | values | listed |
//! |---|---|---|
//! | hour | 0-23 | one, or `/` for increments: `8`, `0/8`, `/8` |
//! | day | 1-31 | `,` `-` `*` `/`, `L` for the last day, `SUNL` for the last Sunday of the month |
//! | month | 1-12, JAN-DEC | `,` `-` `*` `/` |
//! | weekday | 1-7, SUN-SAT | `,` `-` `*` `/`, `TUE#3` for the third Tuesday, `L` for the last day of the week |
//!
//! Other dialects know more (`15W`, `LW`, `FRIL` as a weekday, ranges that wrap, lists of hours): each is refused with
//! the nearest form of the table, since Secrets Manager promises nothing about it.

use std::collections::BTreeSet;

use jiff::civil::DateTime;

use super::calendar::Days;
use super::{HOURS_A_DAY, MIN_INTERVAL_HOURS, ScheduleFault, fault};

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
/// 7 is Saturday, the last day of the week.
const SATURDAY: u32 = 7;

/// A field of numbers.
struct Field {
    name: &'static str,
    low: u32,
    high: u32,
    names: &'static [&'static str],
}

const HOUR: Field = Field { name: "hour", low: 0, high: 23, names: &[] };
const DAY: Field = Field { name: "day", low: 1, high: 31, names: &[] };
const MONTH: Field = Field { name: "month", low: 1, high: 12, names: MONTHS };
/// 1 is Sunday.
const WEEKDAY: Field = Field { name: "weekday", low: 1, high: 7, names: WEEKDAYS };

/// A cron expression: minutes are 0 and the year is `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    hours: BTreeSet<u32>,
    months: BTreeSet<u32>,
    days: Days,
}

impl Cron {
    /// Reads what stands in the brackets.
    pub(super) fn parse(text: &str) -> Result<Self, ScheduleFault> {
        // A tab is no character of a ScheduleExpression.
        let fields: Vec<&str> = text.split(' ').filter(|field| !field.is_empty()).collect();
        let [minutes, hour, day, month, weekday, year] = fields.as_slice() else {
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
        let hours = parse_hours(hour)?;
        let days = match (*day, *weekday) {
            ("?", "?") => return fault("one of day and weekday is given", "write * for every day: cron(0 8 * * ? *)"),
            ("?", weekday) => parse_weekday(weekday)?,
            (day, "?") => parse_day(day)?,
            _ => {
                return fault(
                    "one of day and weekday is ?",
                    "a ? says which of the two is not used, for example cron(0 16 1,15 * ? *)",
                );
            }
        };
        let cron = Self { hours, months: values(month, &MONTH)?, days };
        cron.check()?;
        Ok(cron)
    }

    /// What holds between the fields: there is such a date, and windows are far enough from each other.
    fn check(&self) -> Result<(), ScheduleFault> {
        if !self.days.ever_come(&self.months) {
            return fault(
                "it never rotates: none of its months has such a day",
                "L is the last day of every month: cron(0 8 L * ? *)",
            );
        }
        if self.shortest_gap_within_a_day() < MIN_INTERVAL_HOURS {
            return fault(
                "Secrets Manager rotates at most every 4 hours",
                "for example cron(0 /4 * * ? *) for every fourth hour",
            );
        }
        let over_midnight = self.hours_over_midnight();
        if over_midnight < MIN_INTERVAL_HOURS && self.days.gaps(&self.months).any(|days| days == 1) {
            let (first, last) = (self.hours.first().copied().unwrap_or(0), self.last_hour());
            let apart = if over_midnight == 1 { "1 hour".to_owned() } else { format!("{over_midnight} hours") };
            return fault(
                format!(
                    "Secrets Manager rotates at most every 4 hours, and {first:02}:00 comes {apart} after {last:02}:00"
                ),
                "increments begin anew each day: 0/4, 0/6, 0/8 and 0/12 divide it evenly",
            );
        }
        Ok(())
    }

    /// The hours from the last window of a day to the first of the day after.
    fn hours_over_midnight(&self) -> u32 {
        self.hours.first().copied().unwrap_or(0) + HOURS_A_DAY - self.last_hour()
    }

    /// The last hour of a day in which a window opens.
    pub(super) fn last_hour(&self) -> u32 {
        self.hours.last().copied().unwrap_or(0)
    }

    /// The hours between two windows of one day; a day's where it has only one.
    pub(super) fn shortest_gap_within_a_day(&self) -> u32 {
        let gaps = self.hours.iter().zip(self.hours.iter().skip(1)).map(|(one, next)| next - one);
        gaps.min().unwrap_or(HOURS_A_DAY)
    }

    /// Whether its default window lasts until the day ends.
    pub(super) fn is_in_days(&self) -> bool {
        self.hours.len() == 1
    }

    pub(super) fn shortest_interval_hours(&self) -> u32 {
        // What lies in days between the last window of one date and the first of the next.
        let days = self.days.gaps(&self.months).min().unwrap_or(1);
        let between = self.hours_over_midnight() + (days - 1) * HOURS_A_DAY;
        if self.is_in_days() { between } else { between.min(self.shortest_gap_within_a_day()) }
    }

    pub(super) fn longest_interval_days(&self) -> u32 {
        self.days.gaps(&self.months).max().unwrap_or(1)
    }

    pub(super) fn next_opening(&self, after: DateTime) -> Option<DateTime> {
        self.days.dates(&self.months, after.date()).find_map(|date| {
            let openings = self.hours.iter().filter_map(|hour| Some(date.at(i8::try_from(*hour).ok()?, 0, 0, 0)));
            openings.into_iter().find(|opening| *opening > after)
        })
    }
}

/// The hours: one, or increments.
fn parse_hours(field: &str) -> Result<BTreeSet<u32>, ScheduleFault> {
    let hours = values(field, &HOUR)?;
    let listed = match field.split_once('/') {
        Some((from, _)) => from.bytes().all(|byte| byte.is_ascii_digit()),
        None => field.bytes().all(|byte| byte.is_ascii_digit()),
    };
    if listed {
        return Ok(hours);
    }
    let first = hours.first().copied().unwrap_or(0);
    let gap = hours.iter().zip(hours.iter().skip(1)).map(|(one, next)| next - one).min();
    let nearest = gap.map_or_else(|| first.to_string(), |gap| format!("{first}/{}", gap.max(MIN_INTERVAL_HOURS)));
    fault(
        format!("the hours `{field}` are not in a form that Secrets Manager lists: one hour, or increments"),
        format!("the nearest is `{nearest}`"),
    )
}

/// The day of the month: numbers, `L`, or `SUNL`.
fn parse_day(field: &str) -> Result<Days, ScheduleFault> {
    if field == "L" {
        return Ok(Days::LastOfMonth);
    }
    if let Some(day) = field.strip_suffix('L')
        && let Some(weekday) = named(day, &WEEKDAY)
    {
        return Ok(Days::LastWeekday(weekday));
    }
    for item in field.split(',') {
        if item == "LW" {
            return fault(
                "`LW` is not a day that Secrets Manager lists",
                "the nearest is `L`: the last day of the month",
            );
        }
        if let Some(Ok(day)) = item.strip_suffix('W').map(|day| value(day, &DAY)) {
            return fault(
                format!("`{item}` is not a day that Secrets Manager lists"),
                format!("the nearest is `{day}`"),
            );
        }
        if item.ends_with('L') && item != field {
            return fault(
                format!("`{item}` stands alone, not in a list: `{field}` is not a form that Secrets Manager lists"),
                format!("the nearest is `{item}`"),
            );
        }
    }
    values(field, &DAY).map(Days::OfMonth)
}

/// The day of the week: numbers or names, `L`, or `TUE#2`.
fn parse_weekday(field: &str) -> Result<Days, ScheduleFault> {
    if field == "L" {
        return Ok(Days::OfWeek(BTreeSet::from([SATURDAY])));
    }
    for item in field.split(',') {
        if item != field && (item == "L" || item.contains('#')) {
            return fault(
                format!("`{item}` stands alone, not in a list: `{field}` is not a form that Secrets Manager lists"),
                format!("the nearest is `{item}`"),
            );
        }
        if let Some(Ok(weekday)) = item.strip_suffix('L').map(|weekday| value(weekday, &WEEKDAY)) {
            let name = name(weekday, &WEEKDAY);
            return fault(
                format!("`{item}` is not a weekday that Secrets Manager lists"),
                format!("the last {name} of the month is a day: cron(0 8 {name}L * ? *)"),
            );
        }
    }
    let Some((weekday, nth)) = field.split_once('#') else { return values(field, &WEEKDAY).map(Days::OfWeek) };
    let weekday = value(weekday, &WEEKDAY)?;
    match nth {
        "1" | "2" | "3" | "4" | "5" => Ok(Days::Nth(weekday, nth.parse().unwrap_or(1))),
        _ => fault(
            format!("`{field}` is not a weekday of the month"),
            "TUE#2 is the second Tuesday; a month has at most five",
        ),
    }
}

/// A list of values, ranges and increments.
fn values(text: &str, field: &Field) -> Result<BTreeSet<u32>, ScheduleFault> {
    let mut set = BTreeSet::new();
    for item in text.split(',') {
        let (span, step) = match item.split_once('/') {
            Some((span, step)) => match number(step) {
                Some(step) if step >= 1 && step <= field.high => (span, Some(step)),
                _ => {
                    return fault(
                        format!("the increment of {} in `{item}` is a number from 1 to {}", field.name, field.high),
                        "for example 2/6",
                    );
                }
            },
            None => (item, None),
        };
        let (from, to) = bounds(span, step.is_some(), field)?;
        if from > to {
            return fault(
                format!("the range of {} in `{item}` runs backwards", field.name),
                format!("the nearest is `{}`", unwrapped(from, to, step, field)),
            );
        }
        set.extend((from..=to).step_by(usize::try_from(step.unwrap_or(1)).unwrap_or(1)));
    }
    Ok(set)
}

/// The first and last value of a span. With an increment, a single value begins one that runs to the end.
fn bounds(span: &str, has_step: bool, field: &Field) -> Result<(u32, u32), ScheduleFault> {
    match span {
        "*" => Ok((field.low, field.high)),
        // `/8` begins at the lowest value, as AWS's own examples do.
        "" if has_step => Ok((field.low, field.high)),
        _ => match span.split_once('-') {
            Some((from, to)) => Ok((value(from, field)?, value(to, field)?)),
            None => value(span, field).map(|from| (from, if has_step { field.high } else { from })),
        },
    }
}

/// A range that wraps, as a list of what it means.
fn unwrapped(from: u32, to: u32, step: Option<u32>, field: &Field) -> String {
    let span = |from: u32, to: u32| {
        if from == to { name(from, field) } else { format!("{}-{}", name(from, field), name(to, field)) }
    };
    let Some(step) = step else { return format!("{},{}", span(from, field.high), span(field.low, to)) };
    let length = field.high - field.low + 1;
    let steps = (from..=to + length).step_by(usize::try_from(step).unwrap_or(1));
    let met: Vec<String> = steps.map(|value| name((value - field.low) % length + field.low, field)).collect();
    met.join(",")
}

/// One value, as a number or by its name.
fn value(text: &str, field: &Field) -> Result<u32, ScheduleFault> {
    let number = number(text).filter(|number| (field.low..=field.high).contains(number));
    if let Some(value) = number.or_else(|| named(text, field)) {
        return Ok(value);
    }
    let names = match (field.names.first(), field.names.last()) {
        (Some(first), Some(last)) => format!(", or {first} to {last}"),
        _ => String::new(),
    };
    fault(
        format!("`{text}` is not a {}", field.name),
        format!("a {} is {} to {}{names}", field.name, field.low, field.high),
    )
}

/// The value of a name, in whatever case.
fn named(text: &str, field: &Field) -> Option<u32> {
    (field.low..).zip(field.names).find(|(_, name)| name.eq_ignore_ascii_case(text)).map(|(value, _)| value)
}

/// The name of a value, or its digits where values have none.
fn name(value: u32, field: &Field) -> String {
    let at = usize::try_from(value - field.low).unwrap_or(usize::MAX);
    field.names.get(at).map_or_else(|| value.to_string(), |name| (*name).to_owned())
}

/// A number of one or two digits.
fn number(text: &str) -> Option<u32> {
    let plain = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}
