//! `${...}` in strings: variables, the target's attributes, and other secrets' ARNs.
//!
//! It never reads the environment: a manifest from a pull request is untrusted text.

use std::sync::Arc;

use super::diagnostic::{Problem, Report};
pub use super::expand::escape;
pub(crate) use super::expand::{Expansion, expand, is_variable_name};
use super::mask;
use super::source::{Sources, Span};
use super::tree::{Kind, Node};
pub(crate) use super::variables::{Lookup, VariablePlace, Variables};
use crate::domain::{Part, SecretName};

/// A reference to another secret, where it is written.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) name: SecretName,
    pub(crate) span: Span,
    pub(crate) masked: bool,
}

/// Fills in every string beneath `node`, and gives the secrets that are referred to.
pub(crate) fn fill(
    node: &mut Node,
    variables: &dyn Variables,
    sources: &Sources,
    report: &mut Report,
) -> Vec<Reference> {
    let mut filler = Filler { variables, sources, report, references: Vec::new() };
    filler.node(node, false);
    filler.references
}

struct Filler<'a> {
    variables: &'a dyn Variables,
    sources: &'a Sources,
    report: &'a mut Report,
    references: Vec<Reference>,
}

impl Filler<'_> {
    fn node(&mut self, node: &mut Node, masked: bool) {
        match &mut node.kind {
            Kind::Seq(items) => items.iter_mut().for_each(|item| self.node(item, masked)),
            Kind::Map(entries) => {
                for (key, value) in entries {
                    let masked = masked || mask::holds_values(&key.text);
                    self.node(value, masked);
                }
            }
            Kind::String(text) if text.contains("${") => {
                let text = Arc::clone(text);
                node.kind = self.string(&text, node.span, masked);
                node.plain = false;
            }
            _ => {}
        }
    }

    fn string(&mut self, text: &str, span: Span, masked: bool) -> Kind {
        let Expansion { filled, uses } = expand(text, self.variables);
        let parts = match filled {
            Ok(parts) => parts,
            Err(faults) => {
                let masked = masked || !self.sources.shows(span);
                for fault in faults {
                    let problem = if masked {
                        Problem::new(fault.code, span, "a ${...} cannot be filled in")
                            .help("a literal ${ is written $${")
                            .masked(true)
                    } else {
                        fault.in_text(text, span, self.sources)
                    };
                    self.report.push(problem);
                }
                return Kind::Poison;
            }
        };
        self.report.filled(span, uses.iter().flat_map(|name| self.variables.places(name)));
        for part in &parts {
            if let Part::SecretArn(name) = part {
                self.references.push(Reference { name: name.clone(), span, masked });
            }
        }
        match parts.as_slice() {
            [] => Kind::String("".into()),
            [Part::Text(text)] => Kind::String(text.as_str().into()),
            _ => Kind::Template(parts.into()),
        }
    }
}
