//! The `removed` blocks by which Terraform lets go of secrets without destroying them.
//!
//! Source: Terraform's documentation of the `removed` block (1.7 and later): its address is that of a whole resource,
//! so an index in it is an error. A resource that only some instances of are imported is let go instance by instance.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{State, StateResource};
use crate::sort_few::SortFew as _;

const HEADER: &str = "\
# Hands secrets over from Terraform to keywright; written by `keywright import --from-tfstate`.
#
# 1. Put this file into the root module, and remove the resource blocks that it names from the configuration.
# 2. `terraform plan` must say that nothing will be destroyed, then `terraform apply`: Terraform forgets the secrets.
# 3. `keywright apply` adopts them. The secrets stay as they are, with their values and the suffixes of their ARNs.
#
# `removed` blocks need Terraform 1.7 or later.
";

/// The text of a file with `removed` blocks for everything that belongs to secrets of these ARNs. Rotations, policies
/// and versions come before the secrets.
pub fn removed_blocks(state: &State, imported: &BTreeSet<&str>) -> String {
    let is_imported = |arn: &String| imported.contains(arn.as_str());
    let mut resources: Vec<&StateResource> =
        state.resources.iter().filter(|resource| resource.instances.values().any(is_imported)).collect();
    resources.sort_few_by(|a, b| a.address.cmp(&b.address));

    let mut out = HEADER.to_owned();
    for resource in resources {
        let kept: Vec<&String> =
            resource.instances.iter().filter(|(_, arn)| !is_imported(arn)).map(|(address, _)| address).collect();
        // Writing to a String cannot fail.
        let _ = if kept.is_empty() {
            write!(
                out,
                "\nremoved {{\n  from = {}\n\n  lifecycle {{\n    destroy = false\n  }}\n}}\n",
                resource.address
            )
        } else {
            write!(out, "\n{}", one_by_one(resource, &is_imported, kept.len()))
        };
    }
    out
}

/// Comments for a resource of which some instances stay with Terraform.
fn one_by_one(resource: &StateResource, is_imported: &dyn Fn(&String) -> bool, kept: usize) -> String {
    let mut out = format!(
        "# {}: {kept} more of it {} not imported, and a `removed` block would let go of all.\n\
         # Instead, once the configuration no longer asks for what was imported:\n",
        resource.address,
        if kept == 1 { "was" } else { "were" }
    );
    for (address, _) in resource.instances.iter().filter(|(_, arn)| is_imported(arn)) {
        // The address holds no control characters; in single quotes nothing of it means anything to a shell.
        let _ = writeln!(out, "#   terraform state rm '{}'", address.replace('\'', "'\\''"));
    }
    out
}
