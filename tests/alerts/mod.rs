//! The alert rules of `examples/monitoring`, and enough of Prometheus' language to evaluate them.

use std::collections::BTreeMap;
use std::path::Path;

/// One series of a scrape.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// The series of a scrape in Prometheus' text format.
pub(crate) fn series(text: &str) -> Vec<Series> {
    let lines = text.lines().filter(|line| line.starts_with("keywright_"));
    lines
        .map(|line| {
            let (head, value) = line.rsplit_once(' ').expect("a value");
            let (name, labels) = head.split_once('{').expect("labels");
            let labels = labels.trim_end_matches('}').split("\",").map(|label| {
                let (label, value) = label.split_once("=\"").expect("a label");
                (label.to_owned(), value.trim_end_matches('"').to_owned())
            });
            let value = value.parse().expect("a number");
            Series { name: name.to_owned(), labels: labels.collect(), value }
        })
        .collect()
}

/// The rules: names and expressions.
pub(crate) fn rules() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/monitoring/alerts.yaml");
    let text = std::fs::read_to_string(path).expect("the rules");
    let document: serde_yaml::Value = serde_yaml::from_str(&text).expect("YAML");
    let rules = document["groups"][0]["rules"].as_sequence().expect("rules").iter();
    let text = |value: &serde_yaml::Value| value.as_str().expect("text").to_owned();
    rules.map(|rule| (text(&rule["alert"]), text(&rule["expr"]))).collect()
}

/// What is compared of a series.
type Value<'v> = Box<dyn Fn(&Series) -> f64 + 'v>;

/// The series that fire an expression: `[time() -] SELECTOR OP NUMBER`, or `increase(SELECTOR[DURATION]) OP NUMBER`, of
/// which the increase is that from `before` to `now`.
pub(crate) fn firing<'s>(expression: &str, before: &[Series], now: &'s [Series], time: f64) -> Vec<&'s Series> {
    let (left, operator, limit) = [" > ", " == "]
        .iter()
        .find_map(|operator| expression.rsplit_once(operator).map(|(left, limit)| (left, operator.trim(), limit)))
        .expect("a comparison");
    let limit: f64 = limit.parse().expect("a number");
    let same = |series: &Series, other: &Series| series.name == other.name && series.labels == other.labels;
    let (selector, value): (&str, Value<'_>) = if let Some(selector) = left.strip_prefix("time() - ") {
        (selector, Box::new(move |series| time - series.value))
    } else if let Some(inner) = left.strip_prefix("increase(") {
        let earlier = move |series: &Series| before.iter().find(|other| same(series, other)).map_or(0.0, |s| s.value);
        (inner.split('[').next().expect("a range"), Box::new(move |series| series.value - earlier(series)))
    } else {
        (left, Box::new(|series| series.value))
    };
    let compares = |value: f64| if operator == ">" { value > limit } else { (value - limit).abs() < f64::EPSILON };
    now.iter().filter(|series| selected(selector, series) && compares(value(series))).collect()
}

/// Whether a selector, `name{label="value",other=~"a|b"}`, selects a series.
fn selected(selector: &str, series: &Series) -> bool {
    let (name, matchers) = selector.split_once('{').unwrap_or((selector, ""));
    let fits = |matcher: &str| {
        if let Some((label, values)) = matcher.split_once("=~") {
            let value = series.labels.get(label).map_or("", String::as_str);
            return values.trim_matches('"').split('|').any(|one| one == value);
        }
        let (label, value) = matcher.split_once('=').expect("a matcher");
        series.labels.get(label).is_some_and(|found| found == value.trim_matches('"'))
    };
    series.name == name && matchers.trim_end_matches('}').split(',').filter(|one| !one.is_empty()).all(fits)
}
