//! How often a schedule rotates at the least: the longest time between two of its dates.

use std::collections::BTreeSet;

use jiff::civil::{Date, date};

use super::schedule::{DAY, HOURS_A_DAY, MONTH, Part, ScheduleFault, WEEKDAY, inner, value, values};

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
    let fields: Vec<&str> = inner(schedule, "cron")?.split_whitespace().collect();
    let [_, _, day, month, weekday, _] = fields.as_slice() else { return None };
    let months = values(month, &MONTH).ok()?;
    let days: Vec<Days> = match (*day, *weekday) {
        ("?", weekday) => weekday.split(',').map(of_week).collect::<Result<_, _>>().ok()?,
        (day, _) => day.split(',').map(of_month).collect::<Result<_, _>>().ok()?,
    };
    Some(longest_gap(&months, &days))
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
        .series(jiff::Span::new().days(1))
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
