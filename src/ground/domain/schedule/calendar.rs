//! The days of a cron expression on the calendar.

use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use jiff::{Span, ToSpan as _};

/// The calendar repeats itself after so many years, leap days and weekdays, from 1901 to 2099.
const CYCLE_YEARS: i16 = 28;
/// The days of such a cycle.
#[cfg(test)]
pub(super) const CYCLE_DAYS: u32 = 10_227;
/// The days of which dates are told: two cycles, so that a date of every cycle has its next, and what 2100 lacks.
const HORIZON_DAYS: usize = 366 * 60;

/// The days that the fields for day and weekday name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Days {
    /// Days of the month.
    OfMonth(BTreeSet<u32>),
    /// The last day of the month: `L` in the field for the day.
    LastOfMonth,
    /// The last one of a weekday in the month, such as `SUNL`; 1 is Sunday.
    LastWeekday(u32),
    /// Weekdays; 1 is Sunday.
    OfWeek(BTreeSet<u32>),
    /// The first to fifth of a weekday in the month, such as `TUE#3`.
    Nth(u32, u32),
}

impl Days {
    /// Whether a date is one of them.
    fn contain(&self, date: Date) -> bool {
        let day = unsigned(date.day());
        let length = unsigned(date.days_in_month());
        let weekday = unsigned(date.weekday().to_sunday_one_offset());
        match self {
            Self::OfMonth(days) => days.contains(&day),
            Self::LastOfMonth => day == length,
            Self::LastWeekday(named) => weekday == *named && day + 7 > length,
            Self::OfWeek(weekdays) => weekdays.contains(&weekday),
            Self::Nth(named, nth) => weekday == *named && day.div_ceil(7) == *nth,
        }
    }

    /// Whether some month of these has such a day, in a leap year at least.
    pub(super) fn ever_come(&self, months: &BTreeSet<u32>) -> bool {
        let Self::OfMonth(days) = self else { return true };
        let longest = months.iter().map(|month| match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        });
        days.first().copied() <= longest.max()
    }

    /// The dates from one on, it included, that are in these months.
    pub(super) fn dates<'a>(&'a self, months: &'a BTreeSet<u32>, from: Date) -> impl Iterator<Item = Date> + 'a {
        from.series(Span::new().days(1))
            .take(HORIZON_DAYS)
            .filter(|date| months.contains(&unsigned(date.month())) && self.contain(*date))
    }

    /// The days between each two neighbours of a whole cycle of the calendar, its end and its next beginning included.
    pub(super) fn gaps<'a>(&'a self, months: &'a BTreeSet<u32>) -> impl Iterator<Item = u32> + 'a {
        let start = date(2001, 1, 1);
        // One beyond the end, which is the first of the next cycle.
        let mut dates = self.dates(months, start);
        let first = dates.next();
        let end = start.saturating_add(i64::from(CYCLE_YEARS).years());
        let mut former = first;
        let mut ended = false;
        std::iter::from_fn(move || {
            let (last, next) = (former?, dates.next()?);
            if ended {
                return None;
            }
            ended = next >= end;
            former = Some(next);
            u32::try_from((next - last).get_days()).ok()
        })
    }
}

/// What jiff counts is never negative here.
fn unsigned(number: i8) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_repeats_itself() {
        let days = (date(2029, 1, 1) - date(2001, 1, 1)).get_days();
        assert_eq!(u32::try_from(days), Ok(CYCLE_DAYS));
        assert_eq!(date(2029, 1, 1).weekday(), date(2001, 1, 1).weekday());
    }

    #[test]
    fn the_gaps_of_a_cycle_add_up_to_it() {
        let every_month: BTreeSet<u32> = (1..=12).collect();
        for days in [
            Days::OfMonth(BTreeSet::from([1, 15])),
            Days::LastOfMonth,
            Days::LastWeekday(6),
            Days::OfWeek(BTreeSet::from([1, 7])),
            Days::Nth(3, 5),
            Days::OfMonth(BTreeSet::from([29])),
        ] {
            assert_eq!(days.gaps(&every_month).sum::<u32>(), CYCLE_DAYS, "{days:?}");
        }
        let leap = Days::OfMonth(BTreeSet::from([29]));
        assert_eq!(leap.gaps(&BTreeSet::from([2])).collect::<Vec<_>>(), [1461; 7]);
    }
}
