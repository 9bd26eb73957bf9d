//! A temporary folder in which a reader of one page works, with keywright on the PATH.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::aws;

/// This repository.
pub(crate) const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

/// What a command left behind.
pub(crate) struct Ended {
    /// Its exit code.
    pub(crate) code: i32,
    /// Both of its streams, as a terminal shows them.
    pub(crate) printed: Vec<String>,
}

/// The folder. `cd` and `export` hold for the commands that follow, as at a prompt.
pub(crate) struct Stage {
    root: tempfile::TempDir,
}

impl Stage {
    /// Makes the folder.
    pub(crate) fn new() -> Self {
        let stage = Self { root: tempfile::tempdir().expect("a temporary folder") };
        for folder in ["bin", "home", "work"] {
            fs::create_dir(stage.path(folder)).expect("a folder");
        }
        symlink(env!("CARGO_BIN_EXE_keywright"), stage.path("bin/keywright")).expect("a link");
        // What `cargo run --locked -- …` does once keywright is built.
        let cargo = "#!/bin/sh\n[ \"$1 $2 $3\" = 'run --locked --' ] || exit 99\nshift 3\nexec keywright \"$@\"\n";
        fs::write(stage.path("bin/cargo"), cargo).expect("a file");
        fs::set_permissions(stage.path("bin/cargo"), fs::Permissions::from_mode(0o755)).expect("permissions");
        let begin = format!("cd '{}'\n", stage.path("work").display());
        fs::write(stage.path("state"), begin).expect("a file");
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Where the next command is run.
    pub(crate) fn folder(&self) -> PathBuf {
        let state = fs::read_to_string(self.path("state")).expect("the state");
        let first = state.lines().next().unwrap_or_default();
        PathBuf::from(first.trim_start_matches("cd '").trim_end_matches('\''))
    }

    /// Writes a file there, and the folders above it.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Copies a folder of the repository, without what runs in it left behind.
    pub(crate) fn copy(&self, folder: &str) {
        for entry in fs::read_dir(Path::new(REPOSITORY).join(folder)).expect("a folder of the repository") {
            let entry = entry.expect("an entry");
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_name() == ".keywright" {
                continue;
            }
            if entry.path().is_dir() {
                self.copy(&name);
            } else {
                self.write(&name, &fs::read_to_string(entry.path()).expect("a text"));
            }
        }
    }

    /// Changes files as a difference says, each of whose hunks fits in one place.
    pub(crate) fn change(&self, difference: &str) -> Result<(), String> {
        let mut name = "";
        let mut hunk: Option<(String, String)> = None;
        for line in difference.lines().chain(["@@"]) {
            let begins = line.starts_with("@@") || line.starts_with("--- ");
            if begins && let Some((old, new)) = hunk.take() {
                let text = fs::read_to_string(self.folder().join(name)).map_err(|error| format!("{name}: {error}"))?;
                if text.matches(&old).count() != 1 {
                    return Err(format!("{name} has this not just once:\n{old}"));
                }
                self.write(name, &text.replace(&old, &new));
            }
            if let Some(file) = line.strip_prefix("+++ ") {
                name = file.trim();
            } else if line.starts_with("@@") {
                hunk = Some(Default::default());
            } else if let Some((old, new)) = &mut hunk {
                let (mark, text) = line.split_at_checked(1).unwrap_or((" ", ""));
                if mark != "+" {
                    *old += &format!("{text}\n");
                }
                if mark != "-" {
                    *new += &format!("{text}\n");
                }
            }
        }
        Ok(())
    }

    /// Runs a command line as a shell does.
    pub(crate) fn run(&self, line: &str) -> Ended {
        if line.starts_with("aws ") {
            let words = self.shell(&format!("printf '%s\\0' {line}"));
            let words: Vec<String> =
                words.stdout.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
            return aws::run(&self.folder(), &words[..words.len() - 1]);
        }
        let output = self.shell(line);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ended { code: output.status.code().unwrap_or(-1), printed: text.lines().map(str::to_owned).collect() }
    }

    fn shell(&self, line: &str) -> Output {
        let state = self.path("state").display().to_string();
        let script = format!(
            "exec 2>&1\n. '{state}'\n{line}\ncode=$?\n{{ printf \"cd '%s'\\n\" \"$PWD\"; export -p; }} > '{state}'\n\
             exit $code"
        );
        Command::new("bash")
            .args(["-c", &script])
            .env_clear()
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", self.path("bin").display()))
            .env("HOME", self.path("home"))
            .env("FIXTURES", format!("{REPOSITORY}/tests/fixtures"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null())
            .output()
            .expect("bash")
    }
}
