//! A target's variables: each filled in with the target's attributes and with the others that it names.
//!
//! The project's `vars` and `maps` are among them, and what a matrix puts in; so are the target's name, account and
//! region, since variables may use them and they may use variables.
//!
//! A variable is filled in once, when the target is read, so that whatever is wrong with it is said at its own line.
//! What is wrong about one is not said again about those that use it.

use std::collections::HashMap;
use std::vec::IntoIter;

use super::super::codes;
use super::super::diagnostic::{Problem, Report};
use super::super::field::{Field, Map, Spanned};
use super::super::interpolate::{Expansion, Lookup, VariablePlace, Variables, expand, is_variable_name};
use super::super::source::{Sources, Span};
use crate::domain::Part;

/// Longest text of a variable, in bytes, once it is filled in. Variables may use one another, so that few lines could
/// make a text of any length.
const MAX_TEXT: usize = 4_096;

/// Deepest that variables use one another.
const MAX_DEPTH: usize = 32;

/// Most places that are named for one variable.
const MAX_PLACES: usize = 4;

/// Something with a name and a text, as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// A variable's name, `map.key`, or `target.` and an attribute.
    pub(crate) name: String,
    /// Where the name is written.
    pub(crate) key: Span,
    /// The text and its place; none of something that is no text, which is reported.
    pub(crate) text: Option<(String, Span)>,
}

impl Entry {
    fn new(name: String, key: Span, text: &Field<String>) -> Self {
        Self { name, key, text: text.get().map(|text| (text.value.clone(), text.span)) }
    }

    /// What a matrix puts in: it is text, and a `${` in it is one that is filled in as everywhere.
    pub(crate) fn of_matrix(key: &Spanned<String>, text: &Spanned<String>) -> Self {
        Self { name: key.value.clone(), key: key.span, text: Some((text.value.clone(), text.span)) }
    }

    /// An attribute of the target; none where it is left out.
    pub(crate) fn attribute(name: &str, text: &Field<String>) -> Option<Self> {
        let key = text.get().map(|text| text.span).unwrap_or_default();
        (!text.is_absent()).then(|| Self::new(format!("target.{name}"), key, text))
    }

    /// The entries of `vars`.
    pub(crate) fn variables(vars: &Field<Map<String>>) -> Vec<Self> {
        let vars = vars.value().map_or(&[][..], |vars| &vars.0);
        vars.iter().map(|(key, text)| Self::new(key.value.clone(), key.span, text)).collect()
    }

    /// The entries of `maps`.
    pub(crate) fn maps(maps: &Field<Map<Map<String>>>) -> Vec<Self> {
        let maps = maps.value().map_or(&[][..], |maps| &maps.0);
        let mut entries = Vec::new();
        for (map, keys) in maps {
            let keys = keys.value().map_or(&[][..], |keys| &keys.0);
            let of_map =
                keys.iter().map(|(key, text)| Self::new(format!("{}.{}", map.value, key.value), key.span, text));
            entries.extend(of_map);
        }
        entries
    }
}

/// Checks the names of variables and maps, once for all targets.
pub(crate) fn check_names<'a>(names: impl IntoIterator<Item = &'a Spanned<String>>, report: &mut Report) {
    for name in names {
        if !is_variable_name(&name.value) {
            report.push(
                Problem::new(&codes::VARIABLE_NAME, name.span, format!("`{}` cannot be a variable's name", name.value))
                    .label("a letter or _, then letters, digits, _ and -"),
            );
        } else if matches!(&*name.value, "target" | "each") {
            let what = if name.value == "target" { "attributes of the target" } else { "items of `forEach`" };
            report.push(
                Problem::new(&codes::VARIABLE_NAME, name.span, format!("`{}` stands for {what}", name.value))
                    .label("another name"),
            );
        }
    }
}

/// The variables of one target.
#[derive(Debug, Default)]
pub(crate) struct FilledVariables {
    /// In the order in which they are written; none of a variable that is wrong, which is reported.
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

    /// What they say of an attribute of the target.
    pub(crate) fn attribute(&self, name: &str) -> Lookup<'_> {
        attribute(name, self.look_up(&format!("target.{name}")))
    }

    /// Where the text of a variable comes from.
    pub(crate) fn places(&self, name: &str) -> &[VariablePlace] {
        self.get(name).and_then(Option::as_ref).map_or(&[], |filled| &filled.places)
    }

    /// Their names, and `map.key` for look-ups.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.variables.iter().map(|(name, _)| name.as_str()).filter(|name| !name.starts_with("target.")).collect()
    }

    /// Their names and texts, without look-ups.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        let plain = self.variables.iter().filter(|(name, _)| !name.contains('.'));
        plain.filter_map(|(name, filled)| Some((name.as_str(), filled.as_ref()?.text.as_str())))
    }

    fn get(&self, name: &str) -> Option<&Option<Filled>> {
        self.variables.get(*self.at.get(name)?).map(|(_, filled)| filled)
    }
}

/// An attribute of a target, of which `found` is known.
fn attribute<'a>(name: &str, found: Lookup<'a>) -> Lookup<'a> {
    match (name, found) {
        ("name" | "account" | "region", Lookup::Unknown) => Lookup::LeftOut,
        ("name" | "account" | "region", found) => found,
        _ => Lookup::Unknown,
    }
}

/// Fills in what a target has. `label` is what the target is called as long as its name is not known. Of two entries
/// with one name, the later one counts.
pub(crate) fn fill_variables(
    written: &[Entry],
    label: &str,
    sources: &Sources,
    report: &mut Report,
) -> FilledVariables {
    let places: HashMap<&str, usize> = written.iter().enumerate().map(|(at, entry)| (&*entry.name, at)).collect();
    let states = written.iter().map(|_| State::Open).collect();
    let mut filling = Filling { written, label, sources, report, places, states };
    let mut order: Vec<usize> = filling.places.values().copied().collect();
    order.sort_unstable();
    for at in &order {
        filling.fill(*at);
    }
    let Filling { mut states, .. } = filling;
    let mut filled = FilledVariables::default();
    for at in order {
        let (Some(entry), Some(state)) = (written.get(at), states.get_mut(at)) else { continue };
        let state = match std::mem::replace(state, State::Wrong) {
            State::Filled(filled) => Some(filled),
            State::Open | State::Begun | State::Wrong => None,
        };
        filled.at.insert(entry.name.clone(), filled.variables.len());
        filled.variables.push((entry.name.clone(), state));
    }
    filled
}

enum State {
    Open,
    /// It is being filled in: whoever asks for it now is a part of a circle.
    Begun,
    Filled(Filled),
    Wrong,
}

struct Filling<'a> {
    written: &'a [Entry],
    label: &'a str,
    sources: &'a Sources,
    report: &'a mut Report,
    /// The place of each name in `written`.
    places: HashMap<&'a str, usize>,
    states: Vec<State>,
}

impl Variables for Filling<'_> {
    fn target(&self) -> &str {
        match self.variable("target.name") {
            Lookup::Text(name) => name,
            _ => self.label,
        }
    }

    fn variable(&self, name: &str) -> Lookup<'_> {
        match self.places.get(name).and_then(|at| self.states.get(*at)) {
            Some(State::Filled(Filled { text, .. })) => Lookup::Text(text),
            Some(_) => Lookup::Wrong,
            None => Lookup::Unknown,
        }
    }

    fn names(&self) -> Vec<&str> {
        let names = self.written.iter().enumerate().filter(|(at, entry)| self.places.get(&*entry.name) == Some(at));
        names.map(|(_, entry)| entry.name.as_str()).filter(|name| !name.starts_with("target.")).collect()
    }

    fn attribute(&self, name: &str) -> Lookup<'_> {
        attribute(name, self.variable(&format!("target.{name}")))
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
                // The key of a look-up is known only now, and so is what it leads to.
                None => {
                    if let Some(more) = self.open_uses(at) {
                        *uses = more;
                    } else {
                        let state = self.filled(at).map_or(State::Wrong, State::Filled);
                        self.settle(at, state);
                        begun.pop();
                    }
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
        let Some(Entry { text: Some((text, _)), .. }) = self.written.get(at) else {
            self.settle(at, State::Wrong);
            return None;
        };
        self.settle(at, State::Begun);
        Some((at, self.uses(text).into_iter()))
    }

    /// The places of the variables that a text names, as far as they are known.
    fn uses(&self, text: &str) -> Vec<usize> {
        let uses = expand(text, self).uses;
        uses.iter().filter_map(|name| self.places.get(name.as_str()).copied()).collect()
    }

    /// What a variable names that is open or begun, now that all that was known of it is settled.
    fn open_uses(&self, at: usize) -> Option<IntoIter<usize>> {
        let text = self.written.get(at)?.text.as_ref().filter(|(text, _)| text.contains(".${"))?;
        let mut open = self.uses(&text.0);
        open.retain(|used| matches!(self.states.get(*used), Some(State::Open | State::Begun)));
        (!open.is_empty()).then(|| open.into_iter())
    }

    /// A variable whose own are all settled; none when it is wrong, which is reported.
    fn filled(&mut self, at: usize) -> Option<Filled> {
        let Entry { name, key: _, text } = self.written.get(at)?;
        let (written, span) = text.as_ref()?;
        let (text, names) = self.text(written, *span)?;
        let below = |name: &String| match self.places.get(name.as_str()).map(|used| (*used, self.states.get(*used))) {
            Some((used, Some(State::Filled(filled)))) => Some((filled.height, used)),
            _ => None,
        };
        let deepest = names.iter().filter_map(below).max();
        if let Some((MAX_DEPTH.., used)) = deepest {
            self.too_deep(at, used);
            return None;
        }
        let own = VariablePlace { name: name.clone(), text: text.clone(), span: *span };
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
        let (Some(Entry { name, text: Some((_, span)), .. }), Some(other)) =
            (self.written.get(at), self.written.get(used))
        else {
            return;
        };
        let (message, label) = if at == used {
            (format!("{} uses itself", what(name)), "needs its own text".to_owned())
        } else {
            let message = format!("{} uses `{}`, which needs it in turn", what(name), other.name);
            (message, format!("needs `{}`", other.name))
        };
        let problem = Problem::new(&codes::VARIABLE_CYCLE, *span, message).label(label);
        let problem = if at == used { problem } else { problem.related(other.key, "which needs this one") };
        self.report.push(problem.help("write the text of one of them out"));
    }

    /// Says that variables use one another too deeply.
    fn too_deep(&mut self, at: usize, used: usize) {
        let (Some(Entry { text: Some((_, span)), .. }), Some(other)) = (self.written.get(at), self.written.get(used))
        else {
            return;
        };
        let message = format!("variables use one another more than {MAX_DEPTH} deep");
        let problem = Problem::new(&codes::VARIABLE_CYCLE, *span, message).label("too deep");
        let problem = problem.related(other.key, "which is used here");
        self.report.push(problem.help("write the text of one of them out"));
    }
}

/// What an entry is, for a message.
fn what(name: &str) -> String {
    match name.split_once('.') {
        None => format!("variable `{name}`"),
        Some(("target", attribute)) => format!("the target's {attribute}"),
        Some((map, key)) => format!("`{key}` of the map `{map}`"),
    }
}
