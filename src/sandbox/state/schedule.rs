//! When a secret rotates: `rate(...)`, `cron(...)` and AutomaticallyAfterDays, with the limits of Secrets Manager.
//!
//! Windows open on the hour, in UTC. A window of a schedule in hours stays open for an hour, one of a schedule in days
//! until the day ends, unless a duration says otherwise (documented). Which kind a cron expression is, is not
//! documented; here it is in hours if it names more than one hour of a day.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::record::{RotationRules, Window};
use crate::sandbox::clock::Moment;

const HOUR: i64 = 60 * 60 * 1000;
const DAY: i64 = 24 * HOUR;

/// Two rotations are at least this many hours apart (documented).
const MIN_HOURS: i64 = 4;

/// An expression, or a duration, that Secrets Manager would not take.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Invalid;

/// A schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Schedule {
    Hours(i64),
    Days(i64),
    Cron(Cron),
}

/// A cron expression: minutes are 0 and the year is `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cron {
    hours: BTreeSet<i64>,
    months: BTreeSet<i64>,
    days: Days,
}

/// The days that a cron expression names, by the day of the month or by the weekday.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Days {
    OfMonth(BTreeSet<i64>),
    /// The last day of the month.
    Last,
    /// The weekday nearest to a day of the month.
    NearestTo(i64),
    /// 1 is Sunday.
    OfWeek(BTreeSet<i64>),
    /// The first to fifth of a weekday in the month.
    Nth(i64, i64),
    /// The last of a weekday in the month.
    LastOfWeek(i64),
}

impl Schedule {
    /// Reads a ScheduleExpression.
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(rate) = inner("rate") {
            return parse_rate(rate);
        }
        Cron::parse(inner("cron").ok_or(Invalid)?).map(Self::Cron)
    }

    /// The schedule that rules mean.
    pub(crate) fn of(rules: &RotationRules) -> Option<Self> {
        match (rules.days, &rules.expression) {
            (Some(days), _) => Some(Self::Days(days)),
            (None, Some(expression)) => Self::parse(expression).ok(),
            (None, None) => None,
        }
    }

    /// The AutomaticallyAfterDays that the service shows beside an expression: known for rates, where a part of a day
    /// counts as one.
    pub(crate) fn days(&self) -> Option<i64> {
        match self {
            Self::Hours(hours) => Some((hours + 23) / 24),
            Self::Days(days) => Some(*days),
            Self::Cron(_) => None,
        }
    }

    /// Reads a Duration such as `3h`. A window must reach neither into the next day nor into the next window
    /// (documented).
    pub(crate) fn duration(&self, text: &str) -> Result<i64, Invalid> {
        let digits = text.strip_suffix('h').ok_or(Invalid)?;
        let hours = number(digits)?;
        let longest = match self {
            Self::Hours(hours) => (*hours).min(24),
            Self::Days(_) => 24,
            Self::Cron(cron) => 24 - cron.hours.last().copied().unwrap_or(0),
        };
        if (1..=longest).contains(&hours) { Ok(hours) } else { Err(Invalid) }
    }

    /// The first window that opens after a moment. None if there is none within the calendar.
    pub(crate) fn next(&self, after: Moment, duration: Option<&str>) -> Option<Window> {
        let (opens, whole_day) = match self {
            Self::Hours(hours) => (after.0 - after.0.rem_euclid(HOUR) + hours * HOUR, false),
            Self::Days(days) => (after.midnight().plus_days(*days).0, true),
            Self::Cron(cron) => (cron.next(after)?.0, cron.hours.len() == 1),
        };
        let closes = match duration.and_then(|text| self.duration(text).ok()) {
            Some(hours) => opens + hours * HOUR,
            None if whole_day => Moment(opens).midnight().0 + DAY,
            None => opens + HOUR,
        };
        Some(Window { opens: Moment(opens), closes: Moment(closes - 1000) })
    }
}

/// A whole number without a sign.
fn number(text: &str) -> Result<i64, Invalid> {
    let plain = !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().map_err(|_| Invalid) } else { Err(Invalid) }
}

fn parse_rate(rate: &str) -> Result<Schedule, Invalid> {
    let (value, unit) = rate.split_once(' ').ok_or(Invalid)?;
    let value = number(value)?;
    match unit {
        "hour" | "hours" if (MIN_HOURS..=999).contains(&value) => Ok(Schedule::Hours(value)),
        "day" | "days" if (1..=999).contains(&value) => Ok(Schedule::Days(value)),
        _ => Err(Invalid),
    }
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Cron {
    fn parse(text: &str) -> Result<Self, Invalid> {
        let fields: Vec<&str> = text.split(' ').filter(|field| !field.is_empty()).collect();
        let ["0", hours, day, month, weekday, "*"] = fields.as_slice() else { return Err(Invalid) };
        let days = match (*day, *weekday) {
            ("?", "?") => return Err(Invalid),
            ("?", weekday) => Days::parse_week(weekday)?,
            (day, "?") => Days::parse_month(day)?,
            _ => return Err(Invalid),
        };
        let cron = Self { hours: values(hours, 0..=23, &[])?, months: values(month, 1..=12, &MONTHS)?, days };
        if cron.shortest_gap() < MIN_HOURS { Err(Invalid) } else { Ok(cron) }
    }

    /// The hours between two windows that follow each other, over midnight too.
    fn shortest_gap(&self) -> i64 {
        let within = self.hours.iter().zip(self.hours.iter().skip(1)).map(|(one, next)| next - one).min();
        let over_midnight = match (self.hours.first(), self.hours.last()) {
            (Some(first), Some(last)) => first + 24 - last,
            _ => 24,
        };
        within.unwrap_or(24).min(over_midnight)
    }

    fn next(&self, after: Moment) -> Option<Moment> {
        /// A leap day on a given weekday comes within 40 years, and so does everything else that comes at all.
        const HORIZON_DAYS: i64 = 366 * 40;
        let first = Timestamp::from_millisecond(after.midnight().0).ok()?.to_zoned(TimeZone::UTC).date();
        (0..HORIZON_DAYS).find_map(|offset| {
            let date = first.checked_add(offset.days()).ok()?;
            if !self.months.contains(&i64::from(date.month())) || !self.days.contain(date) {
                return None;
            }
            let midnight = after.midnight().plus_days(offset);
            self.hours.iter().map(|hour| Moment(midnight.0 + hour * HOUR)).find(|moment| *moment > after)
        })
    }
}

/// The number of a weekday as cron counts: 1 is Sunday.
fn weekday_number(weekday: Weekday) -> i64 {
    i64::from(weekday.to_sunday_one_offset())
}

impl Days {
    fn parse_month(field: &str) -> Result<Self, Invalid> {
        match field.strip_suffix('W') {
            _ if field == "L" => Ok(Self::Last),
            Some(day) => match number(day)? {
                day @ 1..=31 => Ok(Self::NearestTo(day)),
                _ => Err(Invalid),
            },
            None => values(field, 1..=31, &[]).map(Self::OfMonth),
        }
    }

    fn parse_week(field: &str) -> Result<Self, Invalid> {
        if let Some((weekday, nth)) = field.split_once('#') {
            let (weekday, nth) = (value(weekday, &WEEKDAYS, 1)?, number(nth)?);
            return if (1..=7).contains(&weekday) && (1..=5).contains(&nth) {
                Ok(Self::Nth(weekday, nth))
            } else {
                Err(Invalid)
            };
        }
        match field.strip_suffix('L').map(|weekday| value(weekday, &WEEKDAYS, 1)) {
            _ if field == "L" => Ok(Self::OfWeek(BTreeSet::from([7]))),
            Some(Ok(weekday @ 1..=7)) => Ok(Self::LastOfWeek(weekday)),
            Some(_) => Err(Invalid),
            None => values(field, 1..=7, &WEEKDAYS).map(Self::OfWeek),
        }
    }

    fn contain(&self, date: Date) -> bool {
        let (day, length) = (i64::from(date.day()), i64::from(date.days_in_month()));
        let weekday = weekday_number(date.weekday());
        match self {
            Self::OfMonth(days) => days.contains(&day),
            Self::Last => day == length,
            Self::NearestTo(wanted) => {
                let wanted = (*wanted).min(length);
                match weekday {
                    // Never into another month.
                    2 => day == wanted || day == wanted + 1 || (day == 3 && wanted == 1),
                    3..=5 => day == wanted,
                    6 => day == wanted || day == wanted - 1 || (day == length - 2 && wanted == length),
                    _ => false,
                }
            }
            Self::OfWeek(weekdays) => weekdays.contains(&weekday),
            Self::Nth(wanted, nth) => weekday == *wanted && (day - 1) / 7 + 1 == *nth,
            Self::LastOfWeek(wanted) => weekday == *wanted && day + 7 > length,
        }
    }
}

/// A list of values, ranges and steps.
fn values(field: &str, range: std::ops::RangeInclusive<i64>, names: &[&str]) -> Result<BTreeSet<i64>, Invalid> {
    let mut set = BTreeSet::new();
    for item in field.split(',') {
        let (span, step) = match item.split_once('/') {
            Some((span, step)) => (span, Some(number(step)?)),
            None => (item, None),
        };
        let (from, to) = match span {
            "*" => (*range.start(), *range.end()),
            // `/4` begins at the lowest value, as AWS's own examples do.
            "" if step.is_some() => (*range.start(), *range.end()),
            _ => {
                let (from, to) = span.split_once('-').unwrap_or((span, span));
                let (from, to) = (value(from, names, *range.start())?, value(to, names, *range.start())?);
                // `8/8` has no end of its own.
                (from, if step.is_some() && !span.contains('-') { *range.end() } else { to })
            }
        };
        let step = step.unwrap_or(1);
        if from > to || !range.contains(&from) || !range.contains(&to) || !(1..=*range.end()).contains(&step) {
            return Err(Invalid);
        }
        let step = usize::try_from(step).map_err(|_| Invalid)?;
        set.extend((from..=to).step_by(step));
    }
    Ok(set)
}

/// A number or a name; names count from `first`.
fn value(text: &str, names: &[&str], first: i64) -> Result<i64, Invalid> {
    match (first..).zip(names).find(|(_, name)| text.eq_ignore_ascii_case(name)) {
        Some((value, _)) => Ok(value),
        None => number(text),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        Moment(text.parse::<Timestamp>().unwrap().as_millisecond())
    }

    fn shown(moment: Moment) -> String {
        Timestamp::from_millisecond(moment.0).unwrap().to_string()
    }

    fn next(expression: &str, after: &str, duration: Option<&str>) -> (String, String) {
        let window = Schedule::parse(expression).unwrap().next(at(after), duration).unwrap();
        (shown(window.opens), shown(window.closes))
    }

    #[test]
    fn the_next_window_is_where_the_service_puts_it() {
        for (expression, after, duration, opens, closes) in [
            // The first was seen on the real service.
            ("rate(4 hours)", "2025-11-05T04:04:59Z", None, "2025-11-05T08:00:00Z", "2025-11-05T08:59:59Z"),
            ("rate(4 hours)", "2025-11-05T04:00:00Z", Some("4h"), "2025-11-05T08:00:00Z", "2025-11-05T11:59:59Z"),
            ("rate(10 days)", "2025-11-05T04:04:59Z", None, "2025-11-15T00:00:00Z", "2025-11-15T23:59:59Z"),
            ("rate(1 day)", "2025-11-05T04:04:59Z", Some("2h"), "2025-11-06T00:00:00Z", "2025-11-06T01:59:59Z"),
            ("cron(0 16 1,15 * ? *)", "2025-11-05T04:00:00Z", None, "2025-11-15T16:00:00Z", "2025-11-15T23:59:59Z"),
            ("cron(0 16 1,15 * ? *)", "2025-11-15T16:00:00Z", None, "2025-12-01T16:00:00Z", "2025-12-01T23:59:59Z"),
            ("cron(0 8/8 * * ? *)", "2025-11-15T16:00:00Z", None, "2025-11-16T08:00:00Z", "2025-11-16T08:59:59Z"),
            ("cron(0 /4 * * ? *)", "2025-11-15T16:00:00Z", Some("2h"), "2025-11-15T20:00:00Z", "2025-11-15T21:59:59Z"),
            ("cron(0 0 L * ? *)", "2024-02-10T00:00:00Z", None, "2024-02-29T00:00:00Z", "2024-02-29T23:59:59Z"),
            ("cron(0 1 ? * SUN#1 *)", "2025-11-05T00:00:00Z", None, "2025-12-07T01:00:00Z", "2025-12-07T23:59:59Z"),
            ("cron(0 1 ? * 6L *)", "2025-11-05T00:00:00Z", None, "2025-11-28T01:00:00Z", "2025-11-28T23:59:59Z"),
            ("cron(0 1 ? 1-3 MON-FRI *)", "2025-11-05T00:00:00Z", None, "2026-01-01T01:00:00Z", "2026-01-01T23:59:59Z"),
            ("cron(0 1 1W * ? *)", "2025-10-05T00:00:00Z", None, "2025-11-03T01:00:00Z", "2025-11-03T23:59:59Z"),
            ("cron(0 1 29 2 ? *)", "2025-10-05T00:00:00Z", None, "2028-02-29T01:00:00Z", "2028-02-29T23:59:59Z"),
        ] {
            assert_eq!(next(expression, after, duration), (opens.to_owned(), closes.to_owned()), "{expression}");
        }
        assert_eq!(Schedule::parse("cron(0 1 30 2 ? *)").unwrap().next(at("2025-10-05T00:00:00Z"), None), None);
    }

    #[test]
    fn expressions_outside_the_documented_rules_are_refused() {
        for bad in [
            "",
            "rate()",
            "rate(3 hours)",
            "rate(0 days)",
            "rate(1000 days)",
            "rate(30 minutes)",
            "rate(+4 hours)",
            "rate(4  hours)",
            "rate(4 hours",
            "30 days",
            "cron(5 16 * * ? *)",
            "cron(0 16 * * * *)",
            "cron(0 16 ? * ? *)",
            "cron(0 16 * * ?)",
            "cron(0 16 * * ? 2026)",
            "cron(0 24 * * ? *)",
            "cron(0 16 0 * ? *)",
            "cron(0 16 32 * ? *)",
            "cron(0 16 * 13 ? *)",
            "cron(0 */2 * * ? *)",
            "cron(0 0,22 * * ? *)",
            "cron(0 16 ? * 8 *)",
            "cron(0 16 ? * MON#6 *)",
            "cron(0 16 5-2 * ? *)",
            "cron(0 16/0 * * ? *)",
        ] {
            assert_eq!(Schedule::parse(bad), Err(Invalid), "{bad}");
        }
        let schedule = Schedule::parse("cron(0 20 * * ? *)").unwrap();
        for bad in ["", "h", "5h", "0h", "3", "3m", "-1h", "99999h"] {
            assert_eq!(schedule.duration(bad), Err(Invalid), "{bad}");
        }
        assert_eq!(schedule.duration("4h"), Ok(4));
    }

    #[test]
    fn the_days_of_a_rate_are_whole() {
        let days = |text| Schedule::parse(text).unwrap().days();
        assert_eq!(days("rate(4 hours)"), Some(1));
        assert_eq!(days("rate(10 hours)"), Some(1));
        assert_eq!(days("rate(30 days)"), Some(30));
        assert_eq!(days("cron(0 16 1,15 * ? *)"), None);
    }
}
