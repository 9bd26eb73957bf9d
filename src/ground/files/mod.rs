//! Files: one door in and one door out. Nothing else in the crate opens a file by its path.
//!
//! - [`ProjectFolder`] reads on behalf of a project: regular files inside its folder, which is held open as a handle,
//!   so that no link and no race leads out of it. Git's own folder and keywright's are never a source.
//! - [`read_operator_file`] reads what an operator named by a flag: anywhere, but a regular file too.
//! - Every file is opened without waiting, and its limit holds while it is read.
//! - [`Destination`] writes: whole or not at all, through a new file that takes the old one's place. No link leads
//!   out of the folder that was named; what is no regular file is written into or refused, never replaced.
//!
//! What may not enter: what the bytes mean, and sentences about it.

mod bounded;
mod destination;
mod new_file;
mod operator;
mod project;

pub use bounded::{BoundedFile, FileFault, is_lfs_pointer};
pub use destination::PRIVATE_FOLDER;
pub use destination::{Destination, make_folder};
pub use operator::{open_operator_file, read_operator_file, read_operator_text};
pub use project::EntryKind;
pub use project::{ProjectFile, ProjectFolder};
