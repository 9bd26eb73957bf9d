//! The documented rules, as tables; and that what is accepted keeps them, by counting windows on the calendar.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must fail")]

use jiff::{SignedDuration, Timestamp, civil};
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn parse(text: &str) -> Schedule {
    Schedule::parse(text).unwrap_or_else(|fault| panic!("{text}: {}", fault.message))
}

/// Every expression of the user guide's page "Rotation schedules", examples and table, and the forms that it describes.
#[test]
fn documented_forms_are_accepted() {
    for (text, shortest) in [
        ("rate(4 hours)", 4),
        ("rate(12 hours)", 12),
        ("rate(1 day)", 24),
        ("rate(1 days)", 24),
        ("rate(10 days)", 240),
        ("rate(999 days)", 999 * 24),
        ("rate(23976 hours)", 999 * 24),
        ("cron(0 4/12 * * ? *)", 12),
        ("cron(0 /8 * * ? *)", 8),
        ("cron(0 0/8 * * ? *)", 8),
        ("cron(0 8/8 * * ? *)", 8),
        ("cron(0 2/10 * * ? *)", 4),
        ("cron(0 /4 * * ? *)", 4),
        ("cron(0 10 * * ? *)", 24),
        ("cron(0 18 ? * SAT *)", 7 * 24),
        ("cron(0 8 1 * ? *)", 28 * 24),
        ("cron(0 1 ? 1/3 SUN#1 *)", 84 * 24),
        ("cron(0 17 L * ? *)", 28 * 24),
        ("cron(0 8 ? * MON-FRI *)", 24),
        ("cron(0 16 1,15 * ? *)", 14 * 24),
        ("cron(0 0 ? * SUN#1 *)", 28 * 24),
        ("cron(0 0 ? 1/11 2#1 *)", 28 * 24),
        ("cron(0 8 1-15 * ? *)", 24),
        ("cron(0 8 1/2 * ? *)", 24),
        ("cron(0 8 */2 * ? *)", 24),
        ("cron(0 8 SUNL * ? *)", 28 * 24),
        ("cron(0 8 1 JAN,APR,JUL,OCT ? *)", 90 * 24),
        ("cron(0 8 1 1-3 ? *)", 28 * 24),
        ("cron(0 8 1 1/3 ? *)", 90 * 24),
        ("cron(0 8 ? * TUE#3 *)", 28 * 24),
        ("cron(0 8 ? * 1,4 *)", 3 * 24),
        ("cron(0 8 ? * 1-4 *)", 24),
        ("cron(0 8 ? * 1/2 *)", 24),
        ("cron(0 8 ? * * *)", 24),
        ("cron(0 8 ? * L *)", 7 * 24),
        ("cron(0 8 29 FEB ? *)", 1461 * 24),
        ("cron(0 8 ? * mon *)", 7 * 24),
        ("cron(0  8  1  *  ?  *)", 28 * 24),
        // Days that never follow each other leave the night out.
        ("cron(0 0/23 ? * MON *)", 23),
        ("cron(0 0/11 1,15 * ? *)", 11),
        ("cron(0 0/22 31 JAN,MAR ? *)", 22),
    ] {
        assert_eq!(parse(text).shortest_interval_hours(), shortest, "{text}");
    }
}

/// The second column is the nearest form, or another piece of what the fault says.
#[test]
fn what_is_not_documented_is_refused_with_the_nearest_form() {
    for (text, said) in [
        ("", "rate(30 days)"),
        ("every day", "rate(30 days)"),
        (" rate(1 day)", "rate(30 days)"),
        ("Rate(1 day)", "rate(30 days)"),
        ("0 16 1 * *", "six fields"),
        ("rate()", "rate(4 hours)"),
        ("rate(30days)", "rate(30 days)"),
        ("rate(4  hours)", "hours"),
        ("rate(+4 hours)", "whole number"),
        ("rate(1.5 days)", "whole number"),
        ("rate(0 days)", "whole number"),
        ("rate(3 hours)", "rate(4 hours) is the shortest"),
        ("rate(10 minutes)", "in hours or days"),
        ("rate(4 weeks)", "hours"),
        ("rate(1000 days)", "rate(999 days) is the longest"),
        ("rate(23977 hours)", "rate(999 days) is the longest"),
        ("rate(4294967296 days)", "whole number"),
        ("cron(5 16 1 * ? *)", "cron(0 ...)"),
        ("cron(0 16 1 * * *)", "a ? says"),
        ("cron(0 16 ? * ? *)", "* for every day"),
        ("cron(0 16 1 * ?)", "six fields"),
        ("cron(0\t16 1 * ? *)", "six fields"),
        ("cron(0 16 1 * ? 2030)", "year"),
        ("cron(0 24 1 * ? *)", "0 to 23"),
        ("cron(0 016 1 * ? *)", "0 to 23"),
        ("cron(0 16 0 * ? *)", "1 to 31"),
        ("cron(0 16 32 * ? *)", "1 to 31"),
        ("cron(0 16 1 13 ? *)", "1 to 12"),
        ("cron(0 16 ? * 8 *)", "1 to 7, or SUN to SAT"),
        ("cron(0 16 ? * FUN *)", "SUN to SAT"),
        ("cron(0 16 ? * TUE#6 *)", "at most five"),
        ("cron(0 16/0 1 * ? *)", "1 to 23"),
        ("cron(0 16/24 1 * ? *)", "1 to 23"),
        ("cron(0 16 1,,2 * ? *)", "1 to 31"),
        // Hours: one, or increments.
        ("cron(0 * * * ? *)", "`0/4`"),
        ("cron(0 */6 * * ? *)", "`0/6`"),
        ("cron(0 0,12 * * ? *)", "`0/12`"),
        ("cron(0 8,20 * * ? *)", "`8/12`"),
        ("cron(0 0,4 * * ? *)", "`0/4`"),
        ("cron(0 0,23 ? * MON-FRI *)", "`0/23`"),
        ("cron(0 8-20/6 * * ? *)", "`8/6`"),
        ("cron(0 8-8 * * ? *)", "`8`"),
        ("cron(0 20-8 * * ? *)", "`20-23,0-8`"),
        // Workdays near a day, and the last weekday beside a ?.
        ("cron(0 8 LW * ? *)", "`L`"),
        ("cron(0 8 15W * ? *)", "`15`"),
        ("cron(0 8 1,15W * ? *)", "`15`"),
        ("cron(0 8 1,L * ? *)", "`L`"),
        ("cron(0 8 L-3 * ? *)", "1 to 31"),
        ("cron(0 8 1L * ? *)", "1 to 31"),
        ("cron(0 8 1,SUNL * ? *)", "`SUNL`"),
        ("cron(0 8 ? * FRIL *)", "cron(0 8 FRIL * ? *)"),
        ("cron(0 8 ? * 6L *)", "cron(0 8 FRIL * ? *)"),
        ("cron(0 8 ? * MON#1,MON#3 *)", "`MON#1`"),
        ("cron(0 8 ? * MON,L *)", "`L`"),
        // Ranges that wrap.
        ("cron(0 8 ? * FRI-MON *)", "`FRI-SAT,SUN-MON`"),
        ("cron(0 8 ? * SAT-SUN *)", "`SAT,SUN`"),
        ("cron(0 8 ? * 7-1 *)", "`SAT,SUN`"),
        ("cron(0 8 28-3 * ? *)", "`28-31,1-3`"),
        ("cron(0 8 1 NOV-FEB ? *)", "`NOV-DEC,JAN-FEB`"),
        ("cron(0 8 1 NOV-FEB/2 ? *)", "`NOV,JAN`"),
        // Dates that never come.
        ("cron(0 8 31 2 ? *)", "never rotates"),
        ("cron(0 8 30,31 FEB ? *)", "never rotates"),
        ("cron(0 8 31 4,6,9,11 ? *)", "never rotates"),
        // Too often, within a day or over midnight.
        ("cron(0 /2 * * ? *)", "at most every 4 hours"),
        ("cron(0 0/3 1 * ? *)", "at most every 4 hours"),
        ("cron(0 0/23 * * ? *)", "00:00 comes 1 hour"),
        ("cron(0 0/23 ? * MON-FRI *)", "23:00"),
        ("cron(0 0/11 ? * SUN,SAT *)", "00:00 comes 2 hours after 22:00"),
        ("cron(0 0/7 31,1 * ? *)", "after 21:00"),
        ("cron(0 1/11 1/30 * ? *)", "01:00 comes 2 hours"),
    ] {
        let Err(ScheduleFault { message, help }) = Schedule::parse(text) else { panic!("{text} was accepted") };
        assert!(message.contains(said) || help.contains(said), "{text}: {message}; {help}");
    }
}

#[test]
fn a_schedule_is_bounded() {
    let long = format!("cron(0 8 {}1 * ? *)", "1,".repeat(150));
    assert!(Schedule::parse(&long).unwrap_err().message.contains("256"));
}

/// The nearest forms that are whole expressions or fields are themselves accepted.
#[test]
fn the_nearest_form_of_a_field_is_accepted() {
    for (field, template) in [
        ("8,20", "cron(0 FIELD 1 * ? *)"),
        ("8-20/6", "cron(0 FIELD 1 * ? *)"),
        ("20-8", "cron(0 8 FIELD * ? *)"),
        ("FRI-MON", "cron(0 8 ? * FIELD *)"),
        ("NOV-FEB", "cron(0 8 1 FIELD ? *)"),
        ("NOV-FEB/2", "cron(0 8 1 FIELD ? *)"),
        ("LW", "cron(0 8 FIELD * ? *)"),
    ] {
        let help = Schedule::parse(&template.replace("FIELD", field)).unwrap_err().help;
        let nearest = help.split('`').nth(1).unwrap();
        parse(&template.replace("FIELD", nearest));
    }
}

#[test]
fn a_window_reaches_neither_into_the_next_one_nor_into_the_next_day() {
    for (text, longest) in [
        ("rate(4 hours)", 4),
        ("rate(10 hours)", 10),
        ("rate(30 hours)", 24),
        ("rate(1 day)", 24),
        ("rate(30 days)", 24),
        ("cron(0 0 * * ? *)", 24),
        ("cron(0 20 * * ? *)", 4),
        ("cron(0 23 ? * SUN#1 *)", 1),
        ("cron(0 0/8 * * ? *)", 8),
        ("cron(0 8/8 * * ? *)", 8),
        ("cron(0 2/10 * * ? *)", 2),
        ("cron(0 0/4 1 * ? *)", 4),
    ] {
        let schedule = parse(text);
        for hours in 1..=24 {
            let length = WindowLength::parse(&format!("{hours}h")).unwrap();
            assert_eq!(schedule.check_window(length).is_ok(), hours <= longest, "{text} with {hours}h");
        }
    }
    for bad in ["", "h", "0h", "25h", "2", "2 h", "+2h", "-1h", "120h", "3m", "٣h"] {
        assert!(WindowLength::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_next_window_is_where_the_service_puts_it() {
    for (expression, after, length, opens, closes) in [
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
        ("cron(0 1 ? * 5#5 *)", "2027-12-30T09:30:00Z", None, "2028-03-30T01:00:00Z", "2028-03-30T23:59:59Z"),
        ("cron(0 1 FRIL * ? *)", "2025-11-05T00:00:00Z", None, "2025-11-28T01:00:00Z", "2025-11-28T23:59:59Z"),
        ("cron(0 1 ? * L *)", "2025-11-05T00:00:00Z", None, "2025-11-08T01:00:00Z", "2025-11-08T23:59:59Z"),
        ("cron(0 1 ? 1-3 MON-FRI *)", "2025-11-05T00:00:00Z", None, "2026-01-01T01:00:00Z", "2026-01-01T23:59:59Z"),
        ("cron(0 1 29 2 ? *)", "2025-10-05T00:00:00Z", None, "2028-02-29T01:00:00Z", "2028-02-29T23:59:59Z"),
        ("cron(0 1 29 2 ? *)", "2096-10-05T00:00:00Z", None, "2104-02-29T01:00:00Z", "2104-02-29T23:59:59Z"),
    ] {
        let length = length.map(|length| WindowLength::parse(length).unwrap());
        let window = parse(expression).next_window(after.parse().unwrap(), length).unwrap();
        let shown = (window.opens.to_string(), window.closes.to_string());
        assert_eq!(shown, (opens.to_owned(), closes.to_owned()), "{expression}");
    }
    let end = Timestamp::MAX;
    for expression in ["rate(999 days)", "rate(23976 hours)", "cron(0 8 * * ? *)"] {
        assert_eq!(parse(expression).next_window(end, None), None, "{expression}");
    }
}

#[test]
fn openings_follow_each_other() {
    let after: Timestamp = "2027-12-30T09:30:00Z".parse().unwrap();
    for (schedule, expected) in [
        ("rate(30 days)", ["2028-01-29T00:00:00Z", "2028-02-28T00:00:00Z", "2028-03-29T00:00:00Z"]),
        ("rate(4 hours)", ["2027-12-30T13:00:00Z", "2027-12-30T17:00:00Z", "2027-12-30T21:00:00Z"]),
        ("cron(0 8/12 ? * 5#5 *)", ["2027-12-30T20:00:00Z", "2028-03-30T08:00:00Z", "2028-03-30T20:00:00Z"]),
    ] {
        let openings: Vec<String> = parse(schedule).openings(after).take(3).map(|at| at.to_string()).collect();
        assert_eq!(openings, expected, "{schedule}");
    }
}

#[test]
fn the_longest_interval_counts() {
    for (schedule, days) in [
        ("rate(30 days)", 30),
        ("rate(240 hours)", 10),
        ("cron(0 8 * * ? *)", 1),
        ("cron(0 8/12 * * ? *)", 1),
        ("cron(0 16 1,15 * ? *)", 17),
        ("cron(0 16 1 * ? *)", 31),
        ("cron(0 16 1 */3 ? *)", 92),
        ("cron(0 16 1 1-3 ? *)", 306),
        ("cron(0 16 L * ? *)", 31),
        ("cron(0 16 31 * ? *)", 61),
        ("cron(0 8 ? * MON-FRI *)", 3),
        ("cron(0 8 ? * L *)", 7),
        ("cron(0 8 FRIL * ? *)", 35),
        ("cron(0 8 ? * TUE#2 *)", 35),
        ("cron(0 8 ? * TUE#5 *)", 119),
        ("cron(0 8 29 2 ? *)", 4 * 365 + 1),
        ("cron(0 8 ? FEB TUE#5 *)", calendar::CYCLE_DAYS),
    ] {
        assert_eq!(parse(schedule).longest_interval_hours(), days * HOURS_A_DAY, "{schedule}");
    }
}

#[test]
fn the_days_of_a_rate_are_whole() {
    for (text, days) in [
        ("rate(4 hours)", Some(1)),
        ("rate(25 hours)", Some(2)),
        ("rate(30 days)", Some(30)),
        ("cron(0 8 1 * ? *)", None),
    ] {
        assert_eq!(parse(text).days(), days, "{text}");
    }
}

fn days() -> impl Strategy<Value = (String, String)> {
    let day = select(vec!["*", "1", "15", "29", "30", "31", "1,15", "1,31", "1-7", "1/2", "1/30", "*/9", "L", "SUNL"]);
    let weekday = select(vec!["*", "SUN", "MON-FRI", "1,7", "2,4", "1/2", "TUE#1", "3#5", "L"]);
    prop_oneof![
        day.prop_map(|day| (day.to_owned(), "?".to_owned())),
        weekday.prop_map(|weekday| ("?".to_owned(), weekday.to_owned()))
    ]
}

/// Expressions in the documented forms; some rotate too often, and some never.
fn crons() -> impl Strategy<Value = String> {
    let hours = prop_oneof![
        (0..24_u32).prop_map(|hour| hour.to_string()),
        (0..24_u32, 1..24_u32).prop_map(|(from, step)| format!("{from}/{step}")),
        (1..24_u32).prop_map(|step| format!("/{step}")),
    ];
    let months = select(vec!["*", "FEB", "2,4", "1/3", "JAN-MAR", "6-12", "*/5", "APR,JUN"]);
    (hours, days(), months)
        .prop_map(|(hours, (day, weekday), months)| format!("cron(0 {hours} {day} {months} {weekday} *)"))
}

/// The windows of four years, hour by hour, counted from the fields without the parser's own calendar: what
/// `next_opening` finds one after the other.
fn openings_of_some_years(schedule: &Schedule) -> Vec<Timestamp> {
    let zone = TimeZone::UTC;
    let start = civil::date(2023, 12, 31).to_zoned(zone.clone()).unwrap().timestamp();
    let end = civil::date(2029, 1, 1).to_zoned(zone).unwrap().timestamp();
    schedule.openings(start).take_while(|opening| *opening < end).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is accepted comes, keeps the four hours, and keeps windows apart and within their day.
    #[test]
    fn accepted_schedules_keep_the_documented_limits(text in crons(), hours in 1..=24_u32) {
        let Ok(schedule) = Schedule::parse(&text) else { return Ok(()) };
        let openings = openings_of_some_years(&schedule);
        prop_assert!(!openings.is_empty(), "{text} never comes");
        let apart = |pair: &[Timestamp]| pair[1].duration_since(pair[0]);
        let shortest = openings.windows(2).map(apart).min();
        if let Some(shortest) = shortest {
            prop_assert!(shortest >= SignedDuration::from_hours(4), "{text}: {shortest}");
            prop_assert!(shortest >= SignedDuration::from_hours(schedule.shortest_interval_hours().into()), "{text}");
        }
        let length = WindowLength::parse(&format!("{hours}h")).unwrap();
        let within_the_day = |opening: &Timestamp| {
            u32::try_from(opening.to_zoned(TimeZone::UTC).hour()).unwrap() + hours <= 24
        };
        let fits = openings.iter().all(within_the_day)
            && shortest.is_none_or(|shortest| SignedDuration::from_hours(hours.into()) <= shortest);
        prop_assert_eq!(schedule.check_window(length).is_ok(), fits, "{} with {}h", text, hours);
    }

    /// Anything at all gets a verdict, and a fault that says something.
    #[test]
    fn no_text_panics(text in prop_oneof![any::<String>(), "(rate|cron)\\([0-9A-Z#?*/, LW-]{0,24}\\)"]) {
        match Schedule::parse(&text) {
            Ok(schedule) => {
                prop_assert!(schedule.shortest_interval_hours() >= 4);
                prop_assert!(schedule.shortest_interval_hours() <= schedule.longest_interval_hours().max(HOURS_A_DAY));
            }
            Err(fault) => prop_assert!(!fault.message.is_empty() && !fault.help.is_empty()),
        }
    }
}
