//! A shape against what is known of a value. What is not known breaks nothing.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use super::known::{Known, beneath};
use super::{Bounds, Kind, Limit, Others, Shape};

/// The most breaches that are told of one value.
const MOST: usize = 20;

/// Something that a value is not as its shape has it. It holds keys that are no secret and what the shape says,
/// never a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeBreach {
    /// JSON pointer to the part; empty for all of it.
    pointer: String,
    wrong: String,
}

impl ShapeBreach {
    /// Several in one sentence.
    pub fn listed(breaches: &[Self]) -> String {
        breaches.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for ShapeBreach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pointer, wrong } = self;
        if pointer.is_empty() { write!(f, "the value {wrong}") } else { write!(f, "{pointer} {wrong}") }
    }
}

/// What stands in a pointer for a key that is not named.
const UNNAMED: &str = "*";

impl Shape {
    /// What is not as it should be, the first of it. A key is named where the shape names it, or what is `clear` does:
    /// what is known of the value without a key. Any other may be part of the secret, as a value that was pasted in the
    /// wrong place is; of those only the number is told.
    pub fn check(&self, value: &Known, clear: &Known) -> Vec<ShapeBreach> {
        let mut found = Vec::new();
        self.look(value, Some(clear), "", &mut found);
        found.truncate(MOST);
        found
    }

    fn look(&self, value: &Known, clear: Option<&Known>, pointer: &str, found: &mut Vec<ShapeBreach>) {
        let mut wrong = |wrong: String| found.push(ShapeBreach { pointer: pointer.to_owned(), wrong });
        if let Some(message) = self.wrong_kind(value) {
            return wrong(message);
        }
        if let Some(allowed) = &self.one_of
            && !allowed.iter().any(|allowed| may_be(value, allowed))
        {
            wrong("is none of what the schema lists".to_owned());
        }
        match value {
            Known::Text(Some(text)) => {
                self.length.check(text.chars().count(), "character", &mut wrong);
                if self.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(text)) {
                    wrong("does not fit the schema's pattern".to_owned());
                }
            }
            Known::Number { text: Some(text), .. } => {
                if let Ok(number) = text.parse() {
                    self.check_number(number, &mut wrong);
                }
            }
            Known::List(items) => {
                self.count.check(items.len(), "item", &mut wrong);
                for (at, item) in items.iter().enumerate() {
                    if let Some(shape) = &self.items {
                        let clear = match clear {
                            Some(Known::List(items)) => items.get(at),
                            _ => None,
                        };
                        shape.look(item, clear, &beneath(pointer, &at.to_string()), found);
                    }
                }
            }
            Known::Map(entries) => {
                self.keys.check(entries.len(), "key", &mut wrong);
                for key in self.required.iter().filter(|key| !entries.contains_key(*key)) {
                    found.push(ShapeBreach { pointer: beneath(pointer, key), wrong: "is missing".to_owned() });
                }
                let clear = match clear {
                    Some(Known::Map(entries)) => Some(entries),
                    _ => None,
                };
                self.look_at_keys(entries, clear, pointer, found);
            }
            Known::Text(None)
            | Known::Number { text: None, .. }
            | Known::Nothing
            | Known::Binary
            | Known::Null
            | Known::Bool(_) => {}
        }
    }

    fn look_at_keys(
        &self,
        entries: &BTreeMap<String, Known>,
        clear: Option<&BTreeMap<String, Known>>,
        pointer: &str,
        found: &mut Vec<ShapeBreach>,
    ) {
        let mut unnamed = 0;
        for (key, part) in entries {
            let clear = clear.and_then(|entries| entries.get(key));
            let named = self.properties.contains_key(key) || self.required.contains(key) || clear.is_some();
            let place = beneath(pointer, if named { key } else { UNNAMED });
            match (self.properties.get(key), &self.others) {
                (Some(shape), _) => shape.look(part, clear, &place, found),
                (None, Others::Like(shape)) => shape.look(part, clear, &place, found),
                (None, Others::None) if named => {
                    found.push(ShapeBreach { pointer: place, wrong: "is a key too many".to_owned() });
                }
                (None, Others::None) => unnamed += 1,
                (None, Others::Any) => {}
            }
        }
        if unnamed > 0 {
            let keys = if unnamed == 1 { "key" } else { "keys" };
            let wrong = format!("has {unnamed} {keys} too many");
            found.push(ShapeBreach { pointer: pointer.to_owned(), wrong });
        }
    }

    /// What is wrong with the kind of a value.
    fn wrong_kind(&self, value: &Known) -> Option<String> {
        let kinds = self.kinds.as_ref()?;
        let (fits, is) = match value {
            Known::Nothing => return None,
            Known::Binary => (false, "is binary"),
            Known::Null => (kinds.contains(&Kind::Null), "is null"),
            Known::Bool(_) => (kinds.contains(&Kind::Boolean), "is a boolean"),
            Known::Number { whole, .. } => {
                let whole_fits = kinds.contains(&Kind::Integer) && *whole != Some(false);
                (kinds.contains(&Kind::Number) || whole_fits, "is a number")
            }
            Known::Text(_) => (kinds.contains(&Kind::String), "is text"),
            Known::List(_) => (kinds.contains(&Kind::Array), "is a list"),
            Known::Map(_) => (kinds.contains(&Kind::Object), "is an object"),
        };
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        (!fits).then(|| format!("{is}, and is to be of type {}", names.join(" or ")))
    }

    fn check_number(&self, number: f64, wrong: &mut impl FnMut(String)) {
        let within = |limit: Option<Limit>, beyond: Ordering| {
            limit.is_none_or(|limit| match number.partial_cmp(&limit.number) {
                Some(Ordering::Equal) => !limit.exclusive,
                order => order == Some(beyond),
            })
        };
        if !within(self.minimum, Ordering::Greater) {
            wrong("is less than the schema's minimum".to_owned());
        }
        if !within(self.maximum, Ordering::Less) {
            wrong("is more than the schema's maximum".to_owned());
        }
    }
}

impl Bounds {
    fn check(self, number: usize, noun: &str, wrong: &mut impl FnMut(String)) {
        let plural = |number: usize| if number == 1 { "" } else { "s" };
        if let Some(least) = self.least.filter(|least| number < *least) {
            wrong(format!("has fewer than {least} {noun}{}", plural(least)));
        }
        if let Some(most) = self.most.filter(|most| number > *most) {
            wrong(format!("has more than {most} {noun}{}", plural(most)));
        }
    }
}

/// Whether a value is, or may be, the one that a schema lists.
fn may_be(value: &Known, listed: &serde_json::Value) -> bool {
    use serde_json::Value;
    match (value, listed) {
        (Known::Nothing, _)
        | (Known::Null, Value::Null)
        | (Known::Bool(None), Value::Bool(_))
        | (Known::Number { text: None, .. }, Value::Number(_))
        | (Known::Text(None), Value::String(_)) => true,
        (Known::Bool(Some(set)), Value::Bool(listed)) => set == listed,
        (Known::Number { text: Some(text), .. }, Value::Number(listed)) => {
            let number: Option<f64> = text.parse().ok();
            number.zip(listed.as_f64()).is_some_and(|(number, listed)| number.total_cmp(&listed).is_eq())
        }
        (Known::Text(Some(text)), Value::String(listed)) => **text == *listed,
        (Known::List(items), Value::Array(listed)) => {
            items.len() == listed.len() && items.iter().zip(listed).all(|(item, listed)| may_be(item, listed))
        }
        (Known::Map(entries), Value::Object(listed)) => {
            let same = |(key, part): (&String, &Known)| listed.get(key).is_some_and(|listed| may_be(part, listed));
            entries.len() == listed.len() && entries.iter().all(same)
        }
        _ => false,
    }
}
