//! When a schedule rotates: the longest time between two of its dates, and its next ones.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, date};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::schedule::{DAY, HOUR, HOURS_A_DAY, MONTH, Part, ScheduleFault, WEEKDAY, inner, value, values};

/// The calendar repeats itself after so many years, leap days and weekdays, from 1901 to 2099.
const CYCLE_YEARS: i16 = 28;
/// The days of such a cycle.
const CYCLE_DAYS: u32 = 10_227;

/// The longest time between two rotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cadence {
    /// So many hours.
    Hours(u32),
    /// It names dates that do not exist, such as the 31st of February.
    Never,
}

/// The cadence of an expression; none where it is wrong, which `check_schedule` reports.
pub(crate) fn cadence(schedule: &str) -> Option<Cadence> {
    if let Some(rate) = inner(schedule, "rate") {
        return super::schedule::check_rate(rate).ok().map(Cadence::Hours);
    }
    let Cron { hours: _, months, days } = Cron::parse(schedule)?;
    Some(longest_gap(&months, &days))
}

/// The beginnings of the next windows of an expression after a moment; of `rate(...)`, when it was rotated then. None
/// where the expression is wrong, which `check_schedule` reports.
pub(crate) fn next_windows(schedule: &str, after: Timestamp, count: usize) -> Option<Vec<Timestamp>> {
    let after = after.to_zoned(TimeZone::UTC).datetime();
    let utc = |time: DateTime| time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    if let Some(rate) = inner(schedule, "rate") {
        let hours = i64::from(super::schedule::check_rate(rate).ok()?);
        // Windows of a schedule in days open with the day, those of one in hours with the hour.
        let start = if hours % i64::from(HOURS_A_DAY) == 0 && rate.contains("day") {
            after.date().at(0, 0, 0, 0)
        } else {
            after.date().at(after.hour(), 0, 0, 0)
        };
        let steps = 1..=i64::try_from(count).ok()?;
        return steps.map(|step| utc(start.checked_add(Span::new().hours(hours * step)).ok()?)).collect();
    }
    let Cron { hours, months, days } = Cron::parse(schedule)?;
    let dates = after
        .date()
        .series(Span::new().days(1))
        .take(usize::try_from(CYCLE_DAYS).ok()? * 2)
        .filter(|date| months.contains(&unsigned(date.month())) && days.iter().any(|item| item.hold(*date)));
    let windows =
        dates.flat_map(|date| hours.iter().filter_map(move |hour| Some(date.at(i8::try_from(*hour).ok()?, 0, 0, 0))));
    windows.filter(|window| *window > after).take(count).map(utc).collect()
}

/// What a cron expression names.
struct Cron {
    hours: BTreeSet<u32>,
    months: BTreeSet<u32>,
    days: Vec<Days>,
}

impl Cron {
    fn parse(schedule: &str) -> Option<Self> {
        let fields: Vec<&str> = inner(schedule, "cron")?.split_whitespace().collect();
        let [_, hours, day, month, weekday, _] = fields.as_slice() else { return None };
        let days = match (*day, *weekday) {
            ("?", weekday) => weekday.split(',').map(of_week).collect::<Result<_, _>>().ok()?,
            (day, _) => day.split(',').map(of_month).collect::<Result<_, _>>().ok()?,
        };
        Some(Self { hours: values(hours, &HOUR).ok()?, months: values(month, &MONTH).ok()?, days })
    }
}

/// Days of a month that one item of a cron field names.
enum Days {
    Numbers(BTreeSet<u32>),
    Last,
    LastWorkday,
    /// The workday nearest to a day, within the month.
    Nearest(u32),
    /// 1 is Sunday.
    Weekdays(BTreeSet<u32>),
    /// The first to fifth of a weekday.
    Nth(u32, u32),
    LastOf(u32),
}

fn of_month(item: &str) -> Result<Days, ScheduleFault> {
    Ok(match item {
        "L" => Days::Last,
        "LW" => Days::LastWorkday,
        _ => match item.strip_suffix('W') {
            Some(day) => Days::Nearest(value(day, &DAY)?),
            None => Days::Numbers(values(item, &DAY)?),
        },
    })
}

fn of_week(item: &str) -> Result<Days, ScheduleFault> {
    let day = |text: &str| value(text, &WEEKDAY);
    Ok(match (item, item.split_once('#')) {
        // Without a week, the last day of it.
        ("L", _) => Days::Weekdays(BTreeSet::from([7])),
        (_, Some((weekday, nth))) => {
            Days::Nth(day(weekday)?, value(nth, &Part { name: "week", low: 1, high: 5, names: &[] })?)
        }
        _ => match item.strip_suffix('L') {
            Some(weekday) => Days::LastOf(day(weekday)?),
            None => Days::Weekdays(values(item, &WEEKDAY)?),
        },
    })
}

impl Days {
    fn hold(&self, date: Date) -> bool {
        let day = unsigned(date.day());
        let length = unsigned(date.days_in_month());
        let weekday = unsigned(date.weekday().to_sunday_one_offset());
        match self {
            Self::Numbers(days) => days.contains(&day),
            Self::Last => day == length,
            Self::LastWorkday => is_nearest_workday(day, weekday, length, length),
            Self::Nearest(wanted) => is_nearest_workday(day, weekday, (*wanted).min(length), length),
            Self::Weekdays(weekdays) => weekdays.contains(&weekday),
            Self::Nth(wanted, nth) => weekday == *wanted && day.div_ceil(7) == *nth,
            Self::LastOf(wanted) => weekday == *wanted && day + 7 > length,
        }
    }
}

/// Whether a day is the workday nearest to `wanted` that is in the same month.
fn is_nearest_workday(day: u32, weekday: u32, wanted: u32, length: u32) -> bool {
    // Of the wanted day: 1 is Sunday.
    let wanted_weekday = (weekday + 6 + 35 + wanted - day) % 7 + 1;
    let nearest = match wanted_weekday {
        1 if wanted == length => wanted - 2,
        1 => wanted + 1,
        7 if wanted == 1 => wanted + 2,
        7 => wanted - 1,
        _ => wanted,
    };
    day == nearest
}

/// What jiff counts is never negative here.
fn unsigned(number: i8) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn longest_gap(months: &BTreeSet<u32>, days: &[Days]) -> Cadence {
    let start = date(2001, 1, 1);
    let mut dates = start
        .series(Span::new().days(1))
        .take_while(|date| date.year() < start.year() + CYCLE_YEARS)
        .zip(0_u32..)
        .filter(|(date, _)| months.contains(&unsigned(date.month())) && days.iter().any(|item| item.hold(*date)))
        .map(|(_, at)| at);
    let Some(first) = dates.next() else { return Cadence::Never };
    let mut last = first;
    let mut longest = 0;
    for at in dates {
        longest = longest.max(at - last);
        last = at;
    }
    // And on into the next cycle.
    Cadence::Hours(longest.max(first + CYCLE_DAYS - last) * HOURS_A_DAY)
}

#[cfg(test)]
mod tests {
    use super::super::schedule::check_schedule;
    use super::*;

    #[test]
    fn the_next_windows_are_those_of_the_calendar() {
        let after: Timestamp = "2027-12-30T09:30:00Z".parse().unwrap_or_default();
        for (schedule, expected) in [
            ("rate(30 days)", ["2028-01-29T00:00:00Z", "2028-02-28T00:00:00Z", "2028-03-29T00:00:00Z"]),
            ("rate(4 hours)", ["2027-12-30T13:00:00Z", "2027-12-30T17:00:00Z", "2027-12-30T21:00:00Z"]),
            ("cron(0 16 1,15 * ? *)", ["2028-01-01T16:00:00Z", "2028-01-15T16:00:00Z", "2028-02-01T16:00:00Z"]),
            ("cron(0 8,20 ? * 5#5 *)", ["2027-12-30T20:00:00Z", "2028-03-30T08:00:00Z", "2028-03-30T20:00:00Z"]),
            ("cron(0 0 29 FEB ? *)", ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z", "2036-02-29T00:00:00Z"]),
            ("cron(0 0 LW * ? *)", ["2027-12-31T00:00:00Z", "2028-01-31T00:00:00Z", "2028-02-29T00:00:00Z"]),
        ] {
            let windows = next_windows(schedule, after, 3).unwrap_or_default();
            let windows: Vec<String> = windows.iter().map(ToString::to_string).collect();
            assert_eq!(windows, expected, "{schedule}");
        }
        assert_eq!(next_windows("cron(0 0 31 FEB ? *)", after, 3), Some(Vec::new()));
        assert_eq!(next_windows("daily", after, 3), None);
    }

    #[test]
    fn the_longest_gap_counts() {
        for (schedule, days) in [
            ("rate(30 days)", 30),
            ("rate(999 hours)", 0),
            ("cron(0 8 * * ? *)", 1),
            ("cron(0 8,20 * * ? *)", 1),
            ("cron(0 16 1,15 * ? *)", 17),
            ("cron(0 16 1 * ? *)", 31),
            ("cron(0 16 1 */3 ? *)", 92),
            ("cron(0 16 1 1-3 ? *)", 306),
            ("cron(0 16 L * ? *)", 31),
            ("cron(0 16 31 * ? *)", 61),
            ("cron(0 8 ? * MON-FRI *)", 3),
            ("cron(0 8 ? * L *)", 7),
            ("cron(0 8 ? * FRIL *)", 35),
            ("cron(0 8 ? * TUE#2 *)", 35),
            ("cron(0 8 ? * TUE#5 *)", 119),
            ("cron(0 8 1W * ? *)", 33),
            ("cron(0 8 15W,LW * ? *)", 17),
            ("cron(0 8 29 2 ? *)", 4 * 365 + 1),
            ("cron(0 8 ? FEB TUE#5 *)", CYCLE_DAYS),
        ] {
            assert!(check_schedule(schedule).is_ok(), "{schedule}");
            let hours = if days == 0 { 999 } else { days * 24 };
            assert_eq!(cadence(schedule), Some(Cadence::Hours(hours)), "{schedule}");
        }
        assert_eq!(cadence("cron(0 8 31 2 ? *)"), Some(Cadence::Never));
        for wrong in ["", "cron()", "cron(0 8 x * ? *)", "rate(1 day", "cron(0 8 ? * TUE#9 *)", "cron(0 8 * * ?)"] {
            assert_eq!(cadence(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_calendar_repeats_itself() {
        let days = (date(2029, 1, 1) - date(2001, 1, 1)).get_days();
        assert_eq!(u32::try_from(days), Ok(CYCLE_DAYS));
        assert_eq!(date(2029, 1, 1).weekday(), date(2001, 1, 1).weekday());
    }
}
