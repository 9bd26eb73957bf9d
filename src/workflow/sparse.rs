//! Manifests that a sparse checkout leaves out: git has them, and their files are not in the work tree, so that they
//! look deleted.
//!
//! git is asked only where secrets would go since no manifest names them.

use std::path::{Path, PathBuf};

use super::git;
use super::history::leaving;
use super::prepare::PreparedTarget;
use crate::manifest::is_yaml;

/// Tells each secret that goes since no manifest names it, which manifest is not checked out, if one is. `manifests`
/// are the folders and files that the project names; none stands for its whole folder.
pub(super) async fn find_left_out(root: &Path, manifests: Option<&[String]>, targets: &mut [PreparedTarget<'_>]) {
    if !targets.iter_mut().any(|target| leaving(target).next().is_some()) {
        return;
    }
    // Of a large repository the other files would be more than is read of an answer.
    let what = ["ls-files", "-t", "-z", "--", ":(icase)*.yaml", ":(icase)*.yml"];
    let Some(listed) = git::ask(root, &what).await else { return };
    let left_out = left_out(&listed, manifests).find(|path| !root.join(path).exists());
    for plan in targets.iter_mut().flat_map(leaving) {
        plan.leaving.left_out = left_out.map(str::to_owned);
    }
}

/// The manifests that `git ls-files -t -z` marks with S: they are in the index, and not to be in the work tree.
fn left_out<'l>(listed: &'l str, manifests: Option<&'l [String]>) -> impl Iterator<Item = &'l str> {
    let marked = listed.split('\0').filter_map(|line| line.strip_prefix("S "));
    marked.filter(move |path| {
        let is_in = |named: &String| Path::new(path).starts_with(plain(named));
        is_yaml(path) && manifests.is_none_or(|manifests| manifests.iter().any(is_in))
    })
}

/// A path without `.` and doubled slashes.
fn plain(named: &str) -> PathBuf {
    named.split('/').filter(|part| !matches!(*part, "" | ".")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_those_in_the_named_folders() {
        let listed = "H secrets/a.yaml\0S secrets/b.yaml\0S secrets/c.txt\0S deploy/d.yml\0S secrets-old/e.yaml\0";
        let found = |manifests: Option<&[String]>| left_out(listed, manifests).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(found(None), ["secrets/b.yaml", "deploy/d.yml", "secrets-old/e.yaml"]);
        assert_eq!(found(Some(&["./secrets/".to_owned()])), ["secrets/b.yaml"]);
        assert_eq!(found(Some(&["deploy/d.yml".to_owned()])), ["deploy/d.yml"]);
    }
}
