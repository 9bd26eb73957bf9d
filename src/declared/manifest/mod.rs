//! What people wrote: from a project's folder to one [`Desired`](crate::desired::Desired) for each target, with every
//! mistake of a run.
//!
//! The steps, each in its own file: `files` finds manifests; `parse` turns text into a `tree` in which everything knows
//! its place; `decode` reads the types of [`schema`] from it; `merge` lays defaults beneath and overrides over;
//! `interpolate` fills in `${...}`; `check` holds the rules; `load` runs it all. Mistakes are collected as
//! [`Diagnostics`], never thrown, and `mask` keeps what may be a secret's value out of them.
//!
//! Input is hostile: size, depth, number of nodes, files and diagnostics are bounded. What may not enter: output, the
//! network, the environment, the clock, and anything live.

mod accepts;
mod beside;
mod check;
pub mod codes;
mod csv;
mod decode;
mod diagnostic;
mod document;
mod effective;
mod entry;
mod expand;
pub mod explain;
mod fault;
mod field;
mod files;
mod folder_defaults;
mod for_others;
mod git_index;
mod group;
mod interpolate;
mod items;
mod layers;
mod left_out;
mod list;
mod load;
mod mask;
mod matrix;
mod merge;
mod merge_key;
mod named;
mod neighbours;
mod outline;
mod parse;
mod read;
pub mod schema;
mod secrets;
mod shared;
mod shown;
mod source;
mod submodules;
mod syntax;
#[cfg(test)]
mod tests;
mod tree;
mod unread;
mod variables;

pub use self::accepts::Accepts;
pub use self::check::name::is_plain_name;
pub use self::codes::Code;
pub use self::diagnostic::nearest;
pub use self::diagnostic::{Diagnostic, Diagnostics, Place, Severity};
pub use self::effective::{EffectiveField, Expand, ExpandedSecret};
pub use self::files::{PROJECT_FILES, is_yaml};
pub use self::interpolate::escape as escape_interpolation;
pub use self::layers::Layer;
pub use self::load::{LoadOptions, Loaded, load, project_above};
pub use self::neighbours::{projects_beside, work_tree};
pub use self::outline::{DefaultFields, Outline, ScopePrefix, TargetOutline};
pub use self::source::Quote;
