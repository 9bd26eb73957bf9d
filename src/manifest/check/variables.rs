//! A target's variables: each filled in with the target's attributes and with the others that it names.
//!
//! A variable is filled in once, when the target is read, so that whatever is wrong with it is said at its own line.
//! What is wrong about one is not said again about those that use it.

use std::collections::HashMap;

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

/// A variable of one target.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    name: String,
    /// Its text; none when it is wrong, which is reported.
    text: Option<String>,
    /// Its own place, then those of the variables in it.
    places: Vec<VariablePlace>,
}

impl Variable {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// What the variables of a target say of a name.
pub(crate) fn look_up<'a>(variables: &'a [Variable], name: &str) -> Lookup<'a> {
    match find(variables, name) {
        Some(Variable { text: Some(text), .. }) => Lookup::Text(text),
        Some(_) => Lookup::Wrong,
        None => Lookup::Unknown,
    }
}

/// Where the text of a variable comes from.
pub(crate) fn places<'a>(variables: &'a [Variable], name: &str) -> &'a [VariablePlace] {
    find(variables, name).map_or(&[], |variable| &variable.places)
}

fn find<'a>(variables: &'a [Variable], name: &str) -> Option<&'a Variable> {
    variables.iter().find(|variable| variable.name == name)
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
) -> Vec<Variable> {
    for (key, _) in written {
        if !is_variable_name(&key.value) {
            report.push(
                Problem::new(&codes::VARIABLE_NAME, key.span, format!("`{}` cannot be a variable's name", key.value))
                    .label("a letter or _, then letters, digits, _ and -"),
            );
        }
    }
    let places: HashMap<&str, usize> = written.iter().enumerate().map(|(at, (key, _))| (&*key.value, at)).collect();
    let mut filling = Filling { written, target, sources, report, places, states: vec![State::Open; written.len()] };
    (0..written.len()).for_each(|at| filling.fill(at, 0));
    let Filling { states, .. } = filling;
    let filled = written.iter().zip(states).map(|((key, _), state)| match state {
        State::Filled(variable) => variable,
        State::Open | State::Begun | State::Wrong => {
            Variable { name: key.value.clone(), text: None, places: Vec::new() }
        }
    });
    filled.collect()
}

#[derive(Clone)]
enum State {
    Open,
    /// It is being filled in: whoever asks for it now is a part of a circle.
    Begun,
    Filled(Variable),
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
            Some(State::Filled(Variable { text: Some(text), .. })) => Lookup::Text(text),
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
            Some(State::Filled(variable)) => &variable.places,
            _ => &[],
        }
    }
}

impl<'a> Filling<'a> {
    /// Fills in the variable at this place, those that it names first.
    fn fill(&mut self, at: usize, depth: usize) {
        if !matches!(self.states.get(at), Some(State::Open)) {
            return;
        }
        // A value that is no text is reported where it was decoded.
        let Some((key, Field::Set(value))) = self.written.get(at) else { return self.settle(at, State::Wrong) };
        self.settle(at, State::Begun);
        for name in expand(&value.value, &NamesOnly).uses {
            let Some(&used) = self.places.get(name.as_str()) else { continue };
            if matches!(self.states.get(used), Some(State::Begun)) || depth >= MAX_DEPTH {
                self.circle(at, used, depth);
                return self.settle(at, State::Wrong);
            }
            self.fill(used, depth + 1);
        }
        let state = self.text(&value.value, value.span).map_or(State::Wrong, |(text, uses)| {
            let own = VariablePlace { name: key.value.clone(), text: text.clone(), span: value.span };
            let inner = uses.iter().flat_map(|name| Variables::places(self, name));
            let places = std::iter::once(&own).chain(inner).take(MAX_PLACES).cloned().collect();
            State::Filled(Variable { name: key.value.clone(), text: Some(text), places })
        });
        self.settle(at, state);
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

    /// Says that variables need one another, or do so too deeply.
    fn circle(&mut self, at: usize, used: usize, depth: usize) {
        let (Some((key, Field::Set(value))), Some((other, _))) = (self.written.get(at), self.written.get(used)) else {
            return;
        };
        let (message, label) = if depth >= MAX_DEPTH {
            (format!("variables use one another more than {MAX_DEPTH} deep"), "too deep".to_owned())
        } else if at == used {
            (format!("variable `{}` uses itself", key.value), "needs its own text".to_owned())
        } else {
            let message = format!("variable `{}` uses `{}`, which needs it in turn", key.value, other.value);
            (message, format!("needs `{}`", other.value))
        };
        let problem = Problem::new(&codes::VARIABLE_CYCLE, value.span, message).label(label);
        let problem = if at == used { problem } else { problem.related(other.span, "which needs this one") };
        self.report.push(problem.help("write the text of one of them out"));
    }
}

/// Knows every variable: it serves to find the names in a text.
struct NamesOnly;

impl Variables for NamesOnly {
    fn target(&self) -> &'static str {
        ""
    }

    fn variable(&self, name: &str) -> Lookup<'_> {
        if is_variable_name(name) { Lookup::Text("") } else { Lookup::Unknown }
    }

    fn names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn attribute(&self, _: &str) -> Lookup<'_> {
        Lookup::Text("")
    }

    fn places(&self, _: &str) -> &[VariablePlace] {
        &[]
    }
}
