//! One page: its blocks are run or parsed in their order, in a folder of its own.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use serde_json::Value;

use crate::blocks::{Block, Command, Directive, Part, parts};
use crate::printed;
use crate::stage::{REPOSITORY, Stage};

/// Languages of blocks that are neither run nor parsed, and why.
pub(crate) const NEITHER: [(&str, &str); 8] = [
    ("text", "it is a drawing, or a part of what something prints"),
    ("cron", "cron runs it; that keywright knows its flags is tested with all others"),
    ("hcl", "it is Terraform's"),
    ("promql", "it is Prometheus's"),
    ("markdown", "it is a text"),
    ("toml", "it is another program's"),
    ("dockerfile", "docker reads it"),
    ("mermaid", "the hosting site draws it"),
];

/// Pages whose blocks another test runs, and that test, which names the page.
const OF_OTHER_TESTS: [(&str, &str); 2] =
    [("docs/json.md", "tests/interop/test_documents.py"), ("docs/codes.md", "tests/codes.rs")];

/// What is to be said of a page.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Commands that were run, and those that readers do not see not counted.
    pub(crate) ran: usize,
    /// Commands that print otherwise than the page says, with what they print.
    wrong: Vec<(Command, Vec<String>)>,
}

/// Runs or parses every block of a page, and writes what is printed now with `KEYWRIGHT_BLESS=1`.
pub(crate) fn run(path: &Path, text: &str) -> Result<Outcome, String> {
    if let Some((page, test)) = OF_OTHER_TESTS.iter().find(|(page, _)| path.ends_with(page)) {
        let other =
            std::fs::read_to_string(Path::new(REPOSITORY).join(test)).map_err(|error| format!("{test}: {error}"))?;
        return if other.contains(page) { Ok(Outcome::default()) } else { Err(format!("{test} does not name {page}")) };
    }
    let mut reader = Reader {
        stage: Stage::new(),
        file: None,
        instead: Vec::new(),
        skip: false,
        lines: false,
        projects: BTreeSet::new(),
        outcome: Outcome::default(),
    };
    for part in parts(text)? {
        match part {
            Part::Directive(directive, at) => {
                reader.told(directive).map_err(|why| format!("line {}: {why}", at + 1))?;
            }
            Part::Block(block) => {
                reader.block(&block).map_err(|why| format!("line {}: {why}", block.at + 1))?;
                (reader.file, reader.skip, reader.lines) = (None, false, false);
                reader.instead.clear();
            }
        }
    }
    reader.validate()?;
    if reader.outcome.wrong.is_empty() {
        return Ok(reader.outcome);
    }
    if std::env::var_os("KEYWRIGHT_BLESS").is_some() {
        bless(path, text, &reader.outcome.wrong);
        return Ok(reader.outcome);
    }
    let wrong = reader.outcome.wrong.iter();
    let report =
        wrong.map(|(command, printed)| format!("line {}: $ {}\n{}\n", command.at, command.text, printed.join("\n")));
    let report: String = report.collect();
    Err(format!("printed otherwise than the page says (KEYWRIGHT_BLESS=1 cargo test --test book writes it):\n{report}"))
}

/// Somebody who reads a page and does what it says.
struct Reader {
    stage: Stage,
    /// What the directives before the next block said of it.
    file: Option<String>,
    instead: Vec<(String, String)>,
    skip: bool,
    lines: bool,
    /// Folders of projects that this page has written into.
    projects: BTreeSet<PathBuf>,
    outcome: Outcome,
}

impl Reader {
    fn told(&mut self, directive: Directive) -> Result<(), String> {
        match directive {
            Directive::File(name) => self.file = Some(name),
            Directive::NotRun => self.skip = true,
            Directive::RunLines => self.lines = true,
            Directive::Copy(folder) => self.stage.copy(&folder),
            Directive::InsteadOf { program, command } => self.instead.push((program, command)),
            Directive::Run(commands) => self.run(&commands)?,
        }
        Ok(())
    }

    /// Commands that end with 0, whatever they print.
    fn run(&self, commands: &[String]) -> Result<(), String> {
        for command in commands {
            let ended = self.stage.run(command);
            if ended.code != 0 {
                return Err(format!("{command}\nended with {}:\n{}", ended.code, ended.printed.join("\n")));
            }
        }
        Ok(())
    }

    fn block(&mut self, block: &Block) -> Result<(), String> {
        let text = block.text();
        if let Some(name) = self.file.take() {
            if self.stage.folder().join("keywright.yaml").exists() || name == "keywright.yaml" {
                self.projects.insert(self.stage.folder());
            }
            self.stage.write(&name, &text);
        } else if is_manifest(&text) && block.language == "yaml" && !self.skip {
            return Err("a manifest is a file of a project: <!-- book: file NAME -->".to_owned());
        }
        match block.language.as_str() {
            "console" => self.console(block),
            "sh" if self.lines => {
                self.outcome.ran += block.lines.len();
                self.run(&block.lines)
            }
            "sh" => shell_syntax(&text),
            "diff" if self.skip => Ok(()),
            "diff" => self.stage.change(&text),
            "yaml" => documents(&text).map(drop),
            "json" => serde_json::from_str::<Value>(&text).map(drop).map_err(|error| error.to_string()),
            language if NEITHER.iter().any(|(name, _)| *name == language) => Ok(()),
            "" => Err("a block says what it is: ```console, yaml, json, sh, text".to_owned()),
            other => Err(format!("```{other} is neither run nor parsed, and not among those in tests/book/page.rs")),
        }
    }

    fn console(&mut self, block: &Block) -> Result<(), String> {
        for command in block.commands()? {
            shell_syntax(&command.text)?;
            if self.skip {
                continue;
            }
            let program = command.text.split_whitespace().find(|word| !word.contains('=')).unwrap_or_default();
            let instead = self.instead.iter().find(|(name, _)| name == program);
            let ended = self.stage.run(instead.map_or(&command.text, |(_, line)| line));
            self.outcome.ran += 1;
            if ended.code != command.code() {
                let (said, shown) = (command.code(), ended.printed.join("\n"));
                return Err(format!("{}\nended with {} and not {said}:\n{shown}", command.text, ended.code));
            }
            let (said, shown) = (trimmed(&command.printed), trimmed(&ended.printed));
            if instead.is_none() && !said.is_empty() && !printed::fits(said, shown) {
                self.outcome.wrong.push((command, ended.printed));
            }
        }
        Ok(())
    }

    /// The projects that a page has written are right at its end.
    fn validate(&self) -> Result<(), String> {
        for project in &self.projects {
            let ended = self.stage.run(&format!("keywright validate --project '{}'", project.display()));
            if ended.code != 0 {
                return Err(format!("the page's manifests:\n{}", ended.printed.join("\n")));
            }
        }
        Ok(())
    }
}

fn is_manifest(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("apiVersion: keywright/"))
}

/// The documents of a YAML text.
fn documents(text: &str) -> Result<Vec<serde_yaml::Value>, String> {
    let documents = serde_yaml::Deserializer::from_str(text);
    documents.map(|one| serde::Deserialize::deserialize(one).map_err(|error| error.to_string())).collect()
}

/// Whether a shell can read a text.
fn shell_syntax(text: &str) -> Result<(), String> {
    let mut bash = Process::new("bash");
    let mut child = bash.arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("bash");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("bash reads");
    let output = child.wait_with_output().expect("bash ends");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Lines without the empty ones at their ends.
fn trimmed(lines: &[String]) -> &[String] {
    let is_text = |line: &String| !line.trim().is_empty();
    let first = lines.iter().position(is_text).unwrap_or(lines.len());
    let last = lines.iter().rposition(is_text).map_or(first, |last| last + 1);
    &lines[first..last]
}

/// Writes what was printed into a page, from its end to its beginning, so that places stay right.
fn bless(path: &Path, text: &str, wrong: &[(Command, Vec<String>)]) {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (command, printed) in wrong.iter().rev() {
        let said = trimmed(&command.printed);
        let from = command.at + command.printed.iter().position(|line| Some(line) == said.first()).unwrap_or(0);
        lines.splice(from..from + said.len(), printed::blessed(said, trimmed(printed)));
    }
    std::fs::write(path, lines.join("\n") + "\n").expect("the page can be written");
}
