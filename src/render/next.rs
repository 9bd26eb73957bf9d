//! What `keywright` alone says: what to do next in this folder.

use super::escape::{self, Escaped, Terminal};
use super::paint::Paint;
use super::{count, escaped};
use crate::workflow::NextStep;

/// Columns of the commands.
const COMMAND: usize = 34;

/// What to do next; `there` is the option of the project's folder, such as ` -C payments`, or empty.
pub fn text(paint: Paint, step: &NextStep, there: &str) -> Escaped<Terminal> {
    let (head, commands): (Escaped<Terminal>, &[(&str, &str)]) = match step {
        NextStep::Nowhere => {
            ("There is no such folder.".into(), &[("init", "makes it: keywright.yaml and a first secret")])
        }
        NextStep::Begin => (
            "There is no project in this folder.".into(),
            &[
                ("init payments", "begin one: keywright.yaml and a first secret"),
                ("import --help", "or begin with what is live, or with a Terraform state"),
            ],
        ),
        NextStep::Above(_) => (
            "There is no project in this folder; there is one in a folder above.".into(),
            &[("plan", "what an apply would change there: it writes nothing")],
        ),
        NextStep::Mend(errors) => (
            escaped!("The project in this folder has {}.", count(*errors, "error")),
            &[("validate", "shows each, with its place and what would be right")],
        ),
        NextStep::Try => (
            "The project in this folder is valid, and no AWS credentials are in sight.".into(),
            &[
                ("plan --sandbox", "try it without an account"),
                ("apply --sandbox", "and carry it out there"),
                ("doctor", "says what is missing for AWS"),
            ],
        ),
        NextStep::Plan => (
            "The project in this folder is valid, and AWS credentials are in sight.".into(),
            &[
                ("plan", "what an apply would change: it writes nothing"),
                ("apply", "carry it out, after a question"),
                ("doctor", "looks at credentials, permissions and network"),
            ],
        ),
    };
    let mut out: Escaped<Terminal> =
        escaped!("{} keeps AWS Secrets Manager in step with git.\n{}\n\n", paint.strong("keywright"), head);
    for (command, what) in commands {
        let there = if *step == NextStep::Begin { "" } else { there };
        let line = format!("keywright {command}{there}");
        let padded: Escaped<Terminal> = escape::padded(escape::line(&line), COMMAND);
        out.push(&escaped!("  {} {}\n", paint.moved(padded), paint.faint(escape::line(what))));
    }
    let help: Escaped<Terminal> = escape::padded("keywright --help", COMMAND);
    out.push(&escaped!("\n  {} {}\n", paint.moved(help), paint.faint("all commands")));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_names_the_command_for_it_in_the_folder_that_was_named() {
        for (step, command) in [
            (NextStep::Nowhere, "keywright init -C 'a b'"),
            (NextStep::Begin, "keywright init payments "),
            (NextStep::Above("/a b".into()), "keywright plan -C 'a b'"),
            (NextStep::Mend(2), "keywright validate -C 'a b'"),
            (NextStep::Try, "keywright plan --sandbox -C 'a b'"),
            (NextStep::Plan, "keywright plan -C 'a b'"),
        ] {
            let text = text(Paint::new(false), &step, " -C 'a b'").to_string();
            assert!(text.contains(&format!("\n  {command}")), "{text}");
            assert!(text.ends_with("all commands\n"), "{text}");
        }
    }
}
