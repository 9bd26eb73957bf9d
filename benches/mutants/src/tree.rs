//! The copy of the tree that mutants are written into.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where things are during a run.
pub struct Tree {
    /// The tree that is tested; nothing is written there.
    pub original: PathBuf,
    /// Where all is kept that a run finds.
    pub work: PathBuf,
    /// The copy of the tree.
    pub copy: PathBuf,
    /// Where cargo builds: that of the original, where the dependencies may be compiled already.
    pub target: PathBuf,
    /// Temporary files of tests. Not below the original: a test may ask git about the folder that it is in.
    pub temporary: PathBuf,
}

impl Drop for Tree {
    fn drop(&mut self) {
        // Nothing depends on it, and the system clears its folder of temporary files too.
        drop(fs::remove_dir_all(&self.temporary));
    }
}

impl Tree {
    /// The folders of a run; nothing is copied yet.
    pub fn new(original: &Path, work: &Path) -> Result<Self, String> {
        let temporary = std::env::temp_dir().join(format!("mutants-{}", std::process::id()));
        fs::create_dir_all(&temporary).map_err(|error| error.to_string())?;
        Ok(Self {
            original: original.to_owned(),
            work: work.to_owned(),
            copy: work.join("tree"),
            target: original.join("target"),
            temporary,
        })
    }

    /// Copies what git knows or would add, but for the files that are written with switches. A file that is the same
    /// already is left, so that cargo finds it unchanged.
    pub fn copy(&self, with_switches: &BTreeSet<&str>) -> Result<(), String> {
        let output = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&self.original)
            .output()
            .map_err(|error| format!("git ls-files: {error}"))?;
        if !output.status.success() {
            return Err(format!("git ls-files: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let names = String::from_utf8(output.stdout).map_err(|error| error.to_string())?;
        let names: BTreeSet<&Path> = names.split('\0').filter(|name| !name.is_empty()).map(Path::new).collect();
        let with_switches: BTreeSet<&Path> = with_switches.iter().map(Path::new).collect();
        fs::create_dir_all(&self.copy).map_err(|error| error.to_string())?;
        remove_others(&self.copy, &self.copy, &names.union(&with_switches).copied().collect())?;
        for name in names.difference(&with_switches) {
            let copied = copy_one(&self.original.join(name), &self.copy.join(name));
            copied.map_err(|error| format!("{}: {error}", name.display()))?;
        }
        Ok(())
    }

    /// A file of the original, as text.
    pub fn read(&self, file: &str) -> Result<String, String> {
        fs::read_to_string(self.original.join(file)).map_err(|error| format!("{file}: {error}"))
    }

    /// Writes a file of the copy, unless this is what it says.
    pub fn write(&self, file: &str, text: &str) -> Result<(), String> {
        let path = self.copy.join(file);
        if fs::read_to_string(&path).is_ok_and(|present| present == text) {
            return Ok(());
        }
        make_folder_of(&path).and_then(|()| fs::write(path, text)).map_err(|error| format!("{file}: {error}"))
    }
}

fn make_folder_of(file: &Path) -> std::io::Result<()> {
    file.parent().map_or(Ok(()), fs::create_dir_all)
}

fn copy_one(from: &Path, to: &Path) -> std::io::Result<()> {
    let Ok(kind) = fs::symlink_metadata(from) else { return Ok(()) };
    make_folder_of(to)?;
    if kind.is_symlink() {
        let end = fs::read_link(from)?;
        if fs::read_link(to).is_ok_and(|present| present == end) {
            return Ok(());
        }
        return std::os::unix::fs::symlink(end, to);
    }
    let bytes = fs::read(from)?;
    if fs::read(to).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    fs::write(to, bytes)?;
    fs::set_permissions(to, kind.permissions())
}

fn remove_others(copy: &Path, folder: &Path, names: &BTreeSet<&Path>) -> Result<(), String> {
    for entry in fs::read_dir(folder).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.is_dir() && !path.is_symlink() {
            remove_others(copy, &path, names)?;
        } else if path.strip_prefix(copy).is_ok_and(|name| !names.contains(name)) {
            fs::remove_file(&path).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}
