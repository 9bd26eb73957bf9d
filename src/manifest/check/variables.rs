//! A target's variables: each filled in with the target's attributes and with the others that it names.
//!
//! A variable is filled in once, when the target is read, so that whatever is wrong with it is said at its own line.
//! What is wrong about one is not said again about those that use it.

use std::collections::HashMap;
use std::vec::IntoIter;

use super::super::codes;
use super::super::diagnostic::{Problem, Report};
use super::super::field::{Field, Spanned};
use super::super::interpolate::{Expansion, Lookup, VariablePlace, Variables, expand, is_variable_name};
use super::super::source::{Sources, Span};
use crate::desired::Target;
use crate::domain::Part;

/// Longest text of a variable, in bytes, once it is filled in. Variables may use one another, so that few lines could
/// make a text of any length.
const MAX_TEXT: usize = 4_096;

/// Deepest that variables use one another.
const MAX_DEPTH: usize = 32;

/// Most places that are named for one variable.
const MAX_PLACES: usize = 4;

/// The variables of one target.
#[derive(Debug, Default)]
pub(crate) struct FilledVariables {
    /// In the order of the project file; none of a variable that is wrong, which is reported.
    variables: Vec<(String, Option<Filled>)>,
    /// The place of each name in `variables`.
    at: HashMap<String, usize>,
}

/// A variable that is filled in.
#[derive(Debug)]
struct Filled {
    text: String,
    /// Its own place, then those of the variables in it.
    places: Vec<VariablePlace>,
    /// How deep the variables in it use one another: 0 where it uses none.
    height: usize,
}

impl FilledVariables {
    /// What they say of a name.
    pub(crate) fn look_up(&self, name: &str) -> Lookup<'_> {
        match self.get(name) {
            Some(Some(Filled { text, .. })) => Lookup::Text(text),
            Some(None) => Lookup::Wrong,
            None => Lookup::Unknown,
        }
    }

    /// Where the text of a variable comes from.
    pub(crate) fn places(&self, name: &str) -> &[VariablePlace] {
        self.get(name).and_then(Option::as_ref).map_or(&[], |filled| &filled.places)
    }

    /// Their names.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.variables.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn get(&self, name: &str) -> Option<&Option<Filled>> {
        self.variables.get(*self.at.get(name)?).map(|(_, filled)| filled)
    }
}

/// An attribute of a target.
pub(crate) fn attribute<'a>(target: &'a Target, name: &str) -> Lookup<'a> {
    match name {
        "name" => Lookup::Text(&target.name),
        "account" => match &target.account {
            Some(account) => Lookup::Text(account.as_str()),
            None => Lookup::LeftOut,
        },
        "region" => Lookup::Text(target.region.as_str()),
        _ => Lookup::Unknown,
    }
}

/// Checks the variables of a target, and fills them in.
pub(crate) fn check_variables(
    written: &[(Spanned<String>, Field<String>)],
    target: &Target,
    sources: &Sources,
    report: &mut Report,
) -> FilledVariables {
    for (key, _) in written {
        if !is_variable_name(&key.value) {
            report.push(
                Problem::new(&codes::VARIABLE_NAME, key.span, format!("`{}` cannot be a variable's name", key.value))
                    .label("a letter or _, then letters, digits, _ and -"),
            );
        }
    }
    let places: HashMap<&str, usize> = written.iter().enumerate().map(|(at, (key, _))| (&*key.value, at)).collect();
    let states = written.iter().map(|_| State::Open).collect();
    let mut filling = Filling { written, target, sources, report, places, states };
    (0..written.len()).for_each(|at| filling.fill(at));
    let Filling { states, places, .. } = filling;
    let variables = written.iter().zip(states).map(|((key, _), state)| match state {
        State::Filled(filled) => (key.value.clone(), Some(filled)),
        State::Open | State::Begun | State::Wrong => (key.value.clone(), None),
    });
    FilledVariables {
        variables: variables.collect(),
        at: places.into_iter().map(|(name, at)| (name.to_owned(), at)).collect(),
    }
}

enum State {
    Open,
    /// It is being filled in: whoever asks for it now is a part of a circle.
    Begun,
    Filled(Filled),
    Wrong,
}

struct Filling<'a> {
    written: &'a [(Spanned<String>, Field<String>)],
    target: &'a Target,
    sources: &'a Sources,
    report: &'a mut Report,
    /// The place of each name in `written`.
    places: HashMap<&'a str, usize>,
    states: Vec<State>,
}

impl Variables for Filling<'_> {
    fn target(&self) -> &str {
        &self.target.name
    }

    fn variable(&self, name: &str) -> Lookup<'_> {
        match self.places.get(name).and_then(|at| self.states.get(*at)) {
            Some(State::Filled(Filled { text, .. })) => Lookup::Text(text),
            Some(_) => Lookup::Wrong,
            None => Lookup::Unknown,
        }
    }

    fn names(&self) -> Vec<&str> {
        self.written.iter().map(|(key, _)| key.value.as_str()).collect()
    }

    fn attribute(&self, name: &str) -> Lookup<'_> {
        attribute(self.target, name)
    }

    fn places(&self, name: &str) -> &[VariablePlace] {
        match self.places.get(name).and_then(|at| self.states.get(*at)) {
            Some(State::Filled(filled)) => &filled.places,
            _ => &[],
        }
    }
}

impl<'a> Filling<'a> {
    /// Fills in the variable at this place, those that it names first. A chain of them can be as long as the file, so
    /// this is no recursion.
    fn fill(&mut self, at: usize) {
        let mut begun: Vec<(usize, IntoIter<usize>)> = Vec::new();
        begun.extend(self.begin(at));
        while let Some((at, uses)) = begun.last_mut() {
            let at = *at;
            let used = uses.next();
            match used.map(|used| (used, self.states.get(used))) {
                Some((used, Some(State::Open))) => begun.extend(self.begin(used)),
                Some((used, Some(State::Begun))) => {
                    self.circle(at, used);
                    self.settle(at, State::Wrong);
                    begun.pop();
                }
                Some(_) => {}
                None => {
                    let state = self.filled(at).map_or(State::Wrong, State::Filled);
                    self.settle(at, state);
                    begun.pop();
                }
            }
        }
    }

    /// Begins a variable that is open: gives its place and those of the variables that it names.
    fn begin(&mut self, at: usize) -> Option<(usize, IntoIter<usize>)> {
        if !matches!(self.states.get(at), Some(State::Open)) {
            return None;
        }
        // A value that is no text is reported where it was decoded.
        let Some((_, Field::Set(value))) = self.written.get(at) else {
            self.settle(at, State::Wrong);
            return None;
        };
        self.settle(at, State::Begun);
        let uses = expand(&value.value, &*self).uses;
        let uses: Vec<usize> = uses.iter().filter_map(|name| self.places.get(name.as_str()).copied()).collect();
        Some((at, uses.into_iter()))
    }

    /// A variable whose own are all settled; none when it is wrong, which is reported.
    fn filled(&mut self, at: usize) -> Option<Filled> {
        let (key, Field::Set(value)) = self.written.get(at)? else { return None };
        let (text, names) = self.text(&value.value, value.span)?;
        let below = |name: &String| match self.places.get(name.as_str()).map(|used| (*used, self.states.get(*used))) {
            Some((used, Some(State::Filled(filled)))) => Some((filled.height, used)),
            _ => None,
        };
        let deepest = names.iter().filter_map(below).max();
        if let Some((MAX_DEPTH.., used)) = deepest {
            self.too_deep(at, used);
            return None;
        }
        let own = VariablePlace { name: key.value.clone(), text: text.clone(), span: value.span };
        let inner = names.iter().flat_map(|name| Variables::places(self, name));
        let places = std::iter::once(&own).chain(inner).take(MAX_PLACES).cloned().collect();
        Some(Filled { text, places, height: deepest.map_or(0, |(height, _)| height + 1) })
    }

    fn settle(&mut self, at: usize, state: State) {
        if let Some(slot) = self.states.get_mut(at) {
            *slot = state;
        }
    }

    /// The text of a variable and the names in it; none when something is wrong, which is reported.
    fn text(&mut self, written: &'a str, span: Span) -> Option<(String, Vec<String>)> {
        let Expansion { filled, uses } = expand(written, &*self);
        let wrong = |report: &mut Report, code, message: &str, label: &str| {
            report.push(Problem::new(code, span, message).label(label));
        };
        let parts = match filled {
            Ok(parts) => parts,
            Err(faults) => {
                let problems = faults.into_iter().map(|fault| fault.in_text(written, span, self.sources));
                problems.for_each(|problem| self.report.push(problem));
                return None;
            }
        };
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Text(piece) => text.push_str(&piece),
                Part::SecretArn(_) => {
                    let message = "another secret's ARN cannot stand in a variable";
                    wrong(self.report, &codes::REFERENCE_NOT_ALLOWED, message, "plain text and variables only");
                    return None;
                }
            }
        }
        if text.len() > MAX_TEXT && !uses.is_empty() {
            let message = format!("this variable is {} bytes long once it is filled in", text.len());
            wrong(self.report, &codes::BAD_INTERPOLATION, &message, "4,096 at most");
            return None;
        }
        Some((text, uses))
    }

    /// Says that variables need one another.
    fn circle(&mut self, at: usize, used: usize) {
        let (Some((key, Field::Set(value))), Some((other, _))) = (self.written.get(at), self.written.get(used)) else {
            return;
        };
        let (message, label) = if at == used {
            (format!("variable `{}` uses itself", key.value), "needs its own text".to_owned())
        } else {
            let message = format!("variable `{}` uses `{}`, which needs it in turn", key.value, other.value);
            (message, format!("needs `{}`", other.value))
        };
        let problem = Problem::new(&codes::VARIABLE_CYCLE, value.span, message).label(label);
        let problem = if at == used { problem } else { problem.related(other.span, "which needs this one") };
        self.report.push(problem.help("write the text of one of them out"));
    }

    /// Says that variables use one another too deeply.
    fn too_deep(&mut self, at: usize, used: usize) {
        let (Some((_, Field::Set(value))), Some((other, _))) = (self.written.get(at), self.written.get(used)) else {
            return;
        };
        let message = format!("variables use one another more than {MAX_DEPTH} deep");
        let problem = Problem::new(&codes::VARIABLE_CYCLE, value.span, message).label("too deep");
        let problem = problem.related(other.span, "which is used here");
        self.report.push(problem.help("write the text of one of them out"));
    }
}
