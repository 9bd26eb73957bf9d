//! The combinations of a matrix, as GitHub Actions makes them.
//!
//! The product of all lists, the first one changing last; less every combination that has all values of an entry of
//! `exclude`. Then each entry of `include` is added to every combination whose own values it does not change (what
//! another entry added may be changed), or becomes a combination by itself when there is none.

use std::collections::{BTreeMap, BTreeSet};

use super::codes;
use super::diagnostic::{Problem, Report, listed, nearest};
use super::field::{Field, Map, Spanned};
use super::schema::{Axis, MatrixSpec};
use super::source::Span;

/// Most targets of a project.
pub(crate) const MAX_TARGETS: usize = 500;

/// One combination: the variables with the places where their values are written, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Combination(pub(crate) Vec<(Spanned<String>, Spanned<String>)>);

impl Combination {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key.value == name).map(|(_, value)| &*value.value)
    }

    fn set(&mut self, key: &Spanned<String>, value: &Spanned<String>) {
        match self.0.iter_mut().find(|(known, _)| known.value == key.value) {
            Some(entry) => *entry = (key.clone(), value.clone()),
            None => self.0.push((key.clone(), value.clone())),
        }
    }

    /// `stage=prod, region=eu-west-1`, for people.
    pub(crate) fn shown(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|(key, value)| format!("{}={}", key.value, value.value)).collect();
        pairs.join(", ")
    }
}

/// Makes the combinations of a matrix. None when something in it is wrong, which is reported.
pub(crate) fn combinations(matrix: &MatrixSpec, span: Span, report: &mut Report) -> Option<Vec<Combination>> {
    let MatrixSpec { axes, include, exclude } = matrix;
    let values: Option<Vec<_>> = axes.iter().map(|(key, values)| axis(key, values, report)).collect();
    let (include, exclude) = (entries(include)?, entries(exclude)?);
    let values = values?;
    let size = values.iter().try_fold(1_usize, |size, values| size.checked_mul(values.len()));
    if size.is_none_or(|size| size > MAX_TARGETS) || include.len() > MAX_TARGETS || exclude.len() > MAX_TARGETS {
        let message = format!("this matrix makes more than {MAX_TARGETS} combinations");
        report.push(Problem::new(&codes::MATRIX, span.begin(), message).label("too many"));
        return None;
    }
    let mut product = vec![Combination::default()];
    if values.is_empty() {
        product.clear();
    }
    for ((key, _), values) in axes.iter().zip(&values) {
        let longer = product.iter().flat_map(|shorter| {
            values.iter().map(move |value| {
                let mut longer = shorter.clone();
                longer.0.push((key.clone(), (*value).clone()));
                longer
            })
        });
        product = longer.collect();
    }
    for entry in &exclude {
        exclude_entry(entry, axes, &mut product, report);
    }
    let names: BTreeSet<&str> = axes.iter().map(|(key, _)| &*key.value).collect();
    let made = with_included(&product, &names, &include);
    if made.is_empty() {
        report.push(Problem::new(&codes::MATRIX, span.begin(), "this matrix makes no combination").label("empty"));
        return None;
    }
    Some(made)
}

/// The values of one variable.
fn axis<'a>(
    key: &Spanned<String>,
    values: &'a Field<Vec<Field<String>>>,
    report: &mut Report,
) -> Option<Vec<&'a Spanned<String>>> {
    let values = values.get()?;
    if values.value.is_empty() {
        let message = format!("`{}` has no values, so there is no combination", key.value);
        report.push(Problem::new(&codes::MATRIX, values.span, message).label("an empty list"));
        return None;
    }
    let mut known: BTreeMap<&str, Span> = BTreeMap::new();
    for value in values.value.iter().filter_map(Field::get) {
        if let Some(first) = known.insert(&value.value, value.span) {
            let message = format!("`{}` stands twice among the values of `{}`", value.value, key.value);
            report.push(Problem::new(&codes::MATRIX, value.span, message).label("again here").related(first, "first"));
            return None;
        }
    }
    values.value.iter().map(Field::get).collect()
}

type Entry = Vec<(Spanned<String>, Spanned<String>)>;

/// The entries of `include` or `exclude`; none when one is wrong.
fn entries(listed: &Field<Vec<Field<Map<String>>>>) -> Option<Vec<Entry>> {
    let listed = match listed {
        Field::Absent => return Some(Vec::new()),
        Field::Invalid => return None,
        Field::Set(listed) => &listed.value,
    };
    let entry = |entry: &Field<Map<String>>| {
        let pairs = entry.value()?.0.iter().map(|(key, value)| Some((key.clone(), value.get()?.clone())));
        pairs.collect::<Option<Entry>>()
    };
    listed.iter().map(entry).collect()
}

/// Takes away what has all values of an entry. One that takes nothing away is a slip of the pen.
fn exclude_entry(entry: &Entry, axes: &[Axis], product: &mut Vec<Combination>, report: &mut Report) {
    let before = product.len();
    let fits = |made: &Combination| entry.iter().all(|(key, value)| made.get(&key.value) == Some(&*value.value));
    product.retain(|made| entry.is_empty() || !fits(made));
    let Some((key, value)) = entry.first().filter(|_| product.len() == before) else { return };
    let unknown = entry.iter().find_map(|(key, value)| {
        let Some((_, values)) = axes.iter().find(|(axis, _)| axis.value == key.value) else {
            let names = || axes.iter().map(|(axis, _)| axis.value.as_str());
            let near = nearest(&key.value, names()).map(|near| format!("did you mean `{near}`?"));
            return Some((key.span, near, format!("the matrix has {}", listed(names()))));
        };
        let values = || values.value().into_iter().flatten().filter_map(Field::value).map(String::as_str);
        let near = nearest(&value.value, values()).map(|near| format!("did you mean `{near}`?"));
        values()
            .all(|known| known != value.value)
            .then(|| (value.span, near, format!("it is one of {}", listed(values()))))
    });
    let span = Span { end: value.span.end, ..key.span };
    let (span, near, help) = unknown.unwrap_or((span, None, "another entry took it away already".to_owned()));
    report.push(
        Problem::new(&codes::MATRIX_EXCLUDES_NOTHING, span, "this entry of `exclude` fits no combination")
            .label(near.unwrap_or_else(|| "takes nothing away".to_owned()))
            .help(help),
    );
}

/// The combinations with those of `include`. `names` are the variables that have lists.
fn with_included(product: &[Combination], names: &BTreeSet<&str>, include: &[Entry]) -> Vec<Combination> {
    let mut made = product.to_vec();
    for entry in include {
        let mut added = false;
        for (original, combination) in product.iter().zip(&mut made) {
            let fits = |(key, value): &(Spanned<String>, Spanned<String>)| {
                !names.contains(&*key.value) || original.get(&key.value) == Some(&*value.value)
            };
            if entry.iter().all(fits) {
                for (key, value) in entry {
                    combination.set(key, value);
                }
                added = true;
            }
        }
        if !added {
            made.push(Combination(entry.clone()));
        }
    }
    made
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::super::decode::decode;
    use super::super::parse::parse_for_test;
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let tree = parse_for_test(text).0.remove(0);
        let mut report = Report::default();
        let matrix: MatrixSpec = decode(&tree, true, &mut report).unwrap();
        let made = combinations(&matrix, tree.span, &mut report).unwrap_or_default();
        made.iter().map(Combination::shown).collect()
    }

    #[test]
    fn every_combination_is_made_with_the_last_list_changing_first() {
        assert_eq!(
            shown("{ stage: [dev, prod], region: [a, b] }"),
            ["stage=dev, region=a", "stage=dev, region=b", "stage=prod, region=a", "stage=prod, region=b"]
        );
    }

    #[test]
    fn exclude_needs_only_some_of_the_values() {
        assert_eq!(shown("{ os: [mac, win], v: [1x, 2x], exclude: [{ os: win }] }"), ["os=mac, v=1x", "os=mac, v=2x"]);
        assert_eq!(shown("{ os: [mac, win], exclude: [{ os: win, v: x }] }"), ["os=mac", "os=win"]);
    }

    /// The example of GitHub's documentation, "Expanding or adding matrix configurations".
    #[test]
    fn include_adds_to_combinations_as_github_documents_it() {
        let text = "{ fruit: [apple, pear], animal: [cat, dog], include: [{ color: green }, \
                    { color: pink, animal: cat }, { fruit: apple, shape: circle }, { fruit: banana }, \
                    { fruit: banana, animal: cat }] }";
        assert_eq!(
            shown(text),
            [
                "fruit=apple, animal=cat, color=pink, shape=circle",
                "fruit=apple, animal=dog, color=green, shape=circle",
                "fruit=pear, animal=cat, color=pink",
                "fruit=pear, animal=dog, color=green",
                "fruit=banana",
                "fruit=banana, animal=cat",
            ]
        );
    }

    #[test]
    fn a_matrix_of_include_alone_has_one_combination_for_each_entry() {
        assert_eq!(shown("{ include: [{ site: a, dc: x }, { site: b }] }"), ["site=a, dc=x", "site=b"]);
    }

    #[test]
    fn include_comes_after_exclude() {
        assert_eq!(shown("{ s: [a, b], exclude: [{ s: b }], include: [{ s: b, t: x }] }"), ["s=a", "s=b, t=x"]);
    }

    #[test]
    fn a_matrix_is_bounded_and_never_empty() {
        let list: Vec<String> = (0..30).map(|number| format!("v{number}")).collect();
        let list = list.join(", ");
        assert!(shown(&format!("{{ a: [{list}], b: [{list}], c: [{list}], d: [{list}] }}")).is_empty());
        assert!(shown("{ a: [] }").is_empty() && shown("{ a: [x, x] }").is_empty() && shown("{}").is_empty());
        assert!(shown("{ a: [x], exclude: [{ a: x }] }").is_empty());
    }
}
