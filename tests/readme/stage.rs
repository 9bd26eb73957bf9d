//! A temporary folder in which the README's reader works: a copy of the examples, and keywright on the PATH.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::blocks::{Block, blocks};

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

/// What a command left behind.
pub(crate) struct Ended {
    /// Its exit code.
    pub(crate) code: i32,
    /// Both of its streams, as a terminal shows them.
    pub(crate) printed: Vec<String>,
}

/// The folder.
pub(crate) struct Stage {
    root: tempfile::TempDir,
    /// The blocks of the README.
    pub(crate) blocks: Vec<Block>,
    /// The text files of the examples, by their path.
    examples: BTreeMap<PathBuf, String>,
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(Path::new(REPOSITORY).join(folder)).expect("a folder of the repository") {
        let entry = entry.expect("an entry");
        let path = folder.join(entry.file_name());
        if entry.file_name() == ".keywright" {
            continue;
        }
        if entry.path().is_dir() {
            collect(&path, files);
        } else {
            files.insert(path, fs::read_to_string(entry.path()).expect("a text"));
        }
    }
}

impl Stage {
    /// Makes the folder.
    pub(crate) fn new(readme: &str) -> Self {
        let mut examples = BTreeMap::new();
        collect(Path::new("examples/payments"), &mut examples);
        let stage = Self { root: tempfile::tempdir().expect("a temporary folder"), blocks: blocks(readme), examples };
        fs::create_dir(stage.path("bin")).expect("a folder");
        symlink(env!("CARGO_BIN_EXE_keywright"), stage.path("bin/keywright")).expect("a link");
        // What `cargo run --locked -- …` does once keywright is built.
        stage.write(
            "bin/cargo",
            "#!/bin/sh\n[ \"$1 $2 $3\" = 'run --locked --' ] || exit 99\nshift 3\nexec keywright \"$@\"\n",
        );
        fs::set_permissions(stage.path("bin/cargo"), fs::Permissions::from_mode(0o755)).expect("permissions");
        stage.restore();
        stage
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(name)
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, name: impl AsRef<Path>, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Puts the manifests of the examples back as they are in the repository; what is live stays.
    pub(crate) fn restore(&self) {
        for (path, text) in &self.examples {
            self.write(path, text);
        }
    }

    /// Replaces a text that stands in a file exactly once.
    pub(crate) fn edit(&self, name: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.path(name)).expect("a text");
        assert_eq!(text.matches(old).count(), 1, "{old:?} in {name}");
        self.write(name, &text.replace(old, new));
    }

    /// The block of a language that begins with a text.
    pub(crate) fn block(&self, language: &str, start: &str) -> &Block {
        let found = self.blocks.iter().find(|block| block.language == language && block.text().starts_with(start));
        found.unwrap_or_else(|| panic!("README.md has no block of {language} that begins with {start}"))
    }

    /// Runs a command line in one of the folders, as a shell does.
    pub(crate) fn run(&self, folder: &str, line: &str) -> Ended {
        fs::create_dir_all(self.path(folder)).expect("a folder");
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n{line}")])
            .current_dir(self.path(folder))
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()))
            .env("HOME", self.path("home"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null())
            .output()
            .expect("sh");
        let text = String::from_utf8(output.stdout).expect("text");
        Ended { code: output.status.code().unwrap_or(-1), printed: text.lines().map(str::to_owned).collect() }
    }
}
