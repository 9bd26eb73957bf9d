//! IAM policy documents: the resource policies of secrets.
//!
//! This room knows what a policy document *says*: its canonical form, and with it equality; its grammar; whether it
//! opens a secret to everyone; and what in it is probably a mistake. It works on JSON values alone. What may not enter:
//! YAML, spans, interpolation, anything live, and any decision about what to do with a policy that differs.
//!
//! ```text
//! document.rs    PolicyDocument: as written, and canonical
//! canonical.rs   one form for all documents that mean the same
//! syntax.rs      the grammar of documents and statements       principal.rs   the forms of principals
//! access.rs      whether a policy grants broad access          duplicates.rs  keys written twice in one object
//! meaning.rs     what it lets whom do, and how two differ in that
//! standing.rs   what its statements say of one principal and one action
//! outsiders.rs   whom a condition lets in, and whether others are kept out
//! lint/          what IAM takes and nobody wants         pattern.rs     IAM's wildcards
//! vocabulary.rs  the names that IAM and Secrets Manager know, in their documented spelling
//! ```

mod access;
mod canonical;
mod document;
mod duplicates;
mod lint;
mod meaning;
mod outsiders;
mod pattern;
mod principal;
mod standing;
mod syntax;
mod vocabulary;

#[cfg(test)]
mod brute_force;
#[cfg(test)]
mod costs;
#[cfg(test)]
mod properties;

pub use document::{MAX_POLICY_BYTES, MAX_POLICY_TEXT, PolicyDocument, PolicyProblem};
pub use lint::{Lint, LintContext, LintSeverity, LintedSecret, PolicyFinding, lint, shuts_out};
pub use meaning::{Deed, Shift, Turn, Who};
