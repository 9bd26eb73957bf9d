//! What is wrong with the manifests: the collected problems of one run.
//!
//! Rules hand in a [`Problem`]; the [`Report`] drops repetitions (a mistake in the defaults is found once for every
//! secret and target), and [`Report::finish`] turns what is left into [`Diagnostics`], sorted, for `render`.

use std::collections::{BTreeSet, HashMap};
use std::slice;

use super::codes::{self, Code};
use super::interpolate::VariablePlace;
use super::source::{Quote, Sources, Span};
use crate::origin::Origin;
use crate::sort_few::SortFew as _;
use crate::value::ValueHint;

/// Most problems that are kept of one run. More than this helps nobody, and hostile input could make millions.
pub(crate) const MAX_PROBLEMS: usize = 1_000;

/// Rules that a text breaks by where it stands, whatever it says: no variable in it is at fault.
const WHATEVER_THE_TEXT: [&Code; 6] = [
    &codes::DEPENDENCY_CYCLE,
    &codes::REFERENCE_NOT_ALLOWED,
    &codes::RULE_BROKEN,
    &codes::RULE_BROKEN_WARNING,
    &codes::SECRET_DUPLICATE,
    &codes::UNKNOWN_SECRET,
];

/// Most variables of one text that are shown with what is wrong with it.
const MOST_VARIABLES: usize = 4;

/// Most mistakes at one place that differ from item to item of a list.
const MAX_OF_ITEMS: usize = 20;

/// How bad a [`Diagnostic`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is planned as long as this is there.
    Error,
    /// Worth a look; it stops nothing.
    Warning,
}

/// A place that a diagnostic shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it begins.
    pub origin: Origin,
    /// The column after its last character on that line, counted from 1.
    pub end_column: u32,
    /// The line, masked where it may hold a value; `None` when none may be shown.
    pub quote: Option<Quote>,
    /// What to say beneath the line; may be empty.
    pub label: String,
}

/// One mistake, with everything that is needed to show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The rule: stable, and listed in `codes.rs`.
    pub code: &'static Code,
    /// What is wrong, as one sentence without a full stop.
    pub message: String,
    /// Where.
    pub place: Place,
    /// Other places that belong to it, such as the first of two duplicates.
    pub related: Vec<Place>,
    /// What would be right.
    pub help: Vec<String>,
    /// What can be done about a value that cannot be named.
    pub hint: Option<ValueHint>,
    /// The targets that it was found for; empty when it does not depend on the target, or when it was found for all of
    /// them and is not about a file.
    pub targets: Vec<String>,
}

/// All that was found in one run, sorted by file and line, without repetitions.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    left_out: usize,
    left_out_errors: bool,
}

impl Diagnostics {
    /// Every diagnostic, in order.
    pub fn iter(&self) -> slice::Iter<'_, Diagnostic> {
        self.found.iter()
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.left_out_errors || self.error_count() > 0
    }

    /// How many errors there are.
    pub fn error_count(&self) -> usize {
        self.found.iter().filter(|found| found.severity == Severity::Error).count()
    }

    /// How many warnings there are.
    pub fn warning_count(&self) -> usize {
        self.found.len() - self.error_count()
    }

    /// Those of one rule, to be shown apart from the others.
    #[must_use]
    pub fn of(&self, code: &Code) -> Self {
        let found = self.found.iter().filter(|found| found.code == code).cloned().collect();
        Self { found, left_out: 0, left_out_errors: false }
    }

    /// How many more were found than are kept.
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A mistake as the rules report it.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) code: &'static Code,
    pub(crate) message: String,
    pub(crate) span: Span,
    pub(crate) label: String,
    pub(crate) related: Vec<(Span, String)>,
    pub(crate) help: Vec<String>,
    pub(crate) hint: Option<ValueHint>,
    /// The span belongs to a value: its line is masked.
    pub(crate) masked: bool,
    /// The document could not be read: of its lines only a known key is shown.
    pub(crate) hidden: bool,
    /// What tells it from others of one code at one place; empty where there is only one.
    pub(crate) about: String,
    /// The targets are always named, also where it is all of them.
    pub(crate) names_targets: bool,
    /// The piece of the text that is at fault, where a piece is: of the variables in it, those are named that have it.
    pub(crate) culprit: String,
}

impl Problem {
    /// A problem at a place.
    pub(crate) fn new(code: &'static Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            span,
            label: String::new(),
            related: Vec::new(),
            help: Vec::new(),
            hint: None,
            masked: false,
            hidden: false,
            about: String::new(),
            names_targets: false,
            culprit: String::new(),
        }
    }

    /// Adds what is said beneath the line.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds what would be right.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds what would be right, when there is something to say.
    pub(crate) fn help_if(self, help: Option<String>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// Adds what can be done about a value.
    pub(crate) fn hint(mut self, hint: Option<ValueHint>) -> Self {
        self.hint = hint;
        self
    }

    /// Adds another place.
    pub(crate) fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    /// Says what tells it from others of one code at one place, whatever the words.
    pub(crate) fn about(mut self, about: impl Into<String>) -> Self {
        self.about = about.into();
        self
    }

    /// Names the targets that it was found for, also where it is all of them.
    pub(crate) fn naming_targets(mut self) -> Self {
        self.names_targets = true;
        self
    }

    /// Says which piece of the text is at fault.
    pub(crate) fn culprit(mut self, culprit: impl Into<String>) -> Self {
        self.culprit = culprit.into();
        self
    }

    /// Says whether the place belongs to a value.
    pub(crate) fn masked(mut self, masked: bool) -> Self {
        self.masked = masked;
        self
    }
}

/// The problems of a run while they are being found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    found: Vec<Known>,
    /// What is known by rule, place and what it is about.
    seen: HashMap<(&'static str, Span, String), Vec<usize>>,
    left_out: usize,
    left_out_errors: bool,
    /// How many errors were taken in, those included that were known already.
    errors: usize,
    /// The target whose desired state is being built, if any.
    target: Option<usize>,
    /// The item of a list for which this is done, if any.
    item: Option<Span>,
    /// The variables that were filled in, by the file and the end of the text that they stand in.
    filled: HashMap<(u32, u32), (Span, Vec<VariablePlace>)>,
}

/// A problem with what it was found for.
#[derive(Debug)]
struct Known {
    problem: Problem,
    targets: Targets,
    /// The item that it was found for; none when it was found for several, or for none.
    item: Option<Span>,
}

#[derive(Debug)]
enum Targets {
    Every,
    Some(BTreeSet<usize>),
}

impl Report {
    /// Says for which target the problems that follow are found; `None` when they depend on none.
    pub(crate) fn in_target(&mut self, target: Option<usize>) {
        self.target = target;
        self.filled.clear();
    }

    /// Says for which item of a list the problems that follow are found.
    pub(crate) fn in_item(&mut self, item: Option<Span>) {
        self.item = item;
    }

    /// Remembers which variables stand in a text, for what turns out to be wrong with it.
    pub(crate) fn filled<'a>(&mut self, span: Span, places: impl Iterator<Item = &'a VariablePlace>) {
        let places: Vec<VariablePlace> = places.take(MOST_VARIABLES).cloned().collect();
        if places.is_empty() {
            self.filled.remove(&(span.file, span.end));
        } else {
            self.filled.insert((span.file, span.end), (span, places));
        }
    }

    /// Adds where the variables were written that make a text wrong. A problem may be at the text or at its key.
    fn with_variables(&self, mut problem: Problem) -> Problem {
        if WHATEVER_THE_TEXT.contains(&problem.code) {
            return problem;
        }
        let found = self.filled.get(&(problem.span.file, problem.span.end));
        let Some((text, places)) = found.filter(|(text, _)| text.line == problem.span.line && !problem.masked) else {
            return problem;
        };
        let culprit = problem.culprit.clone();
        let at_fault = |place: &VariablePlace| {
            culprit.is_empty()
                || !place.text.is_empty() && culprit.contains(&place.text)
                || place.text.contains(&culprit)
        };
        for place in places.iter().filter(|place| place.span != *text && at_fault(place)) {
            problem = problem.related(place.span, format!("`{}` is written here", place.name));
        }
        problem
    }

    /// Takes a problem in, unless it is known already.
    ///
    /// A breach of one rule at one place is one mistake, even if the words differ from target to target because a name
    /// in them does.
    pub(crate) fn push(&mut self, problem: Problem) {
        self.errors += usize::from(problem.code.severity == Severity::Error);
        let problem = self.with_variables(problem);
        let key = (problem.code.id, problem.span, problem.about.clone());
        let seen = self.seen.get(&key).map_or(&[][..], Vec::as_slice);
        for &at in seen {
            let Some(known) = self.found.get_mut(at) else { continue };
            let same = known.problem.message == problem.message;
            let (item, of_item) = (known.item, known.item == self.item);
            match (&mut known.targets, self.target) {
                (Targets::Some(targets), Some(target)) if same || (of_item && !targets.contains(&target)) => {
                    targets.insert(target);
                    // What is wrong for several items is wrong with what is written for all of them.
                    known.item = item.filter(|_| of_item);
                    return;
                }
                (targets @ Targets::Some(_), None) if same => {
                    *targets = Targets::Every;
                    return;
                }
                (Targets::Every, _) if same => return,
                _ => {}
            }
        }
        let too_many = self.item.is_some() && seen.len() >= MAX_OF_ITEMS;
        if too_many || self.found.len() >= MAX_PROBLEMS {
            self.left_out += 1;
            self.left_out_errors |= problem.code.severity == Severity::Error;
            return;
        }
        let targets = self.target.map_or(Targets::Every, |target| Targets::Some(BTreeSet::from([target])));
        self.seen.entry(key).or_default().push(self.found.len());
        self.found.push(Known { problem, targets, item: self.item });
    }

    /// Takes in what was found in a part that was read by itself.
    pub(crate) fn take_in(&mut self, part: Self) {
        self.left_out += part.left_out;
        self.left_out_errors |= part.left_out_errors;
        for known in part.found {
            self.push(known.problem);
        }
    }

    /// How many errors were found so far, each as often as it was.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// Whether an error was found so far.
    pub(crate) fn has_errors(&self) -> bool {
        self.left_out_errors || self.found.iter().any(|known| known.problem.code.severity == Severity::Error)
    }

    /// The problems themselves, for another report.
    pub(crate) fn into_problems(self) -> impl Iterator<Item = Problem> {
        self.found.into_iter().map(|known| known.problem)
    }

    /// Where the first error is, and the rule that it breaks.
    pub(crate) fn first_error(&self) -> Option<(Span, &'static str)> {
        let is_error = |known: &&Known| known.problem.code.severity == Severity::Error;
        self.found.iter().find(is_error).map(|known| (known.problem.span, known.problem.code.id))
    }

    /// Whether so much was found that looking at the same in yet another target helps nobody.
    pub(crate) fn is_crowded(&self) -> bool {
        self.found.len() > MAX_PROBLEMS / 4
    }

    /// How many were found so far.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    /// Sorts what was found and fills in the lines. `targets` are the names by index; a problem of all of them names
    /// none.
    pub(crate) fn finish(self, sources: &Sources, targets: &[String], checked: usize) -> Diagnostics {
        let mut found: Vec<Diagnostic> = self
            .found
            .into_iter()
            .map(|Known { mut problem, targets: found_in, item }| {
                if let Some(item) = item.filter(|item| problem.related.iter().all(|(span, _)| span != item)) {
                    problem.related.push((item, "for this item".to_owned()));
                }
                let place = |span: Span, label: String, masked: bool, hidden: bool| Place {
                    origin: sources.origin(span),
                    end_column: sources.end_column(span),
                    quote: sources.quote(span, masked || hidden),
                    label,
                };
                let targets = match found_in {
                    Targets::Some(known) if known.len() < checked || problem.names_targets => {
                        known.iter().filter_map(|&target| targets.get(target).cloned()).collect()
                    }
                    _ => Vec::new(),
                };
                let masked = problem.masked;
                let mut help = problem.help;
                if problem.hidden {
                    help.push("the rest of the line isn't shown, because it may belong to a value".to_owned());
                }
                Diagnostic {
                    severity: problem.code.severity,
                    code: problem.code,
                    message: problem.message,
                    place: place(problem.span, problem.label, masked, problem.hidden),
                    related: problem
                        .related
                        .into_iter()
                        .map(|(span, label)| place(span, label, masked, problem.hidden))
                        .collect(),
                    help,
                    hint: problem.hint,
                    targets,
                }
            })
            .collect();
        found.sort_few_by(|a, b| {
            (&a.place.origin, a.code.id, &a.message, &a.targets).cmp(&(
                &b.place.origin,
                b.code.id,
                &b.message,
                &b.targets,
            ))
        });
        Diagnostics { found, left_out: self.left_out, left_out_errors: self.left_out_errors }
    }
}

/// The known name that is most like `given`, if one is near enough to be meant.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Distances grow with the product of the lengths, and nobody misspells a name of thousands of characters.
    if given.len() > 600 {
        return None;
    }
    let lower = given.to_lowercase();
    let length = given.chars().count();
    // A name whose length alone is too far off is compared no further: there may be thousands.
    let is_about_as_long = |name: &&str| {
        let other = name.chars().count();
        length.abs_diff(other) <= 2 + other.min(length) / 4
    };
    known
        .into_iter()
        .filter(|name| name.len() <= 600)
        .filter(is_about_as_long)
        .map(|name| (strsim::osa_distance(&lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 1 + name.chars().count().min(length) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// `a`, `b` and `c` for a message.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [most @ .., last] if names.len() <= 30 => format!("{} and {last}", most.join(", ")),
        _ => format!("{} and {} more", names.iter().take(30).cloned().collect::<Vec<_>>().join(", "), names.len() - 30),
    }
}
