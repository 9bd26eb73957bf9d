//! What git declares: manifests, the values that they name, and the desired state that they come to. It knows of
//! nothing that is live.
//!
//! ```text
//! manifest/    documents of YAML, with a diagnostic for each mistake
//!   value/     secret values: their sources, SOPS files, shapes; by type they are never shown
//!   desired.rs what there should be, and the line that says so (`origin.rs`)
//! schemas.rs   the JSON Schemas of documents
//! ```

pub mod desired;
pub mod manifest;
pub mod origin;
pub mod schemas;
pub mod value;

use keywright_ground::{collect, domain, every_core, files, loopback, policy, sort_few};
