//! `keywright completions`: scripts that complete verbs, flags and their values in a shell.

use clap::Args;
use clap_complete::Shell as Dialect;

use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::render::escape;

/// Print the completion script of a shell.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    keywright completions bash > ~/.local/share/bash-completion/completions/keywright\n  \
    keywright completions zsh > ~/.zfunc/_keywright   # fpath+=~/.zfunc before compinit\n  \
    keywright completions fish > ~/.config/fish/completions/keywright.fish")]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Dialect,
}

pub(super) fn completions(args: &CompletionsArgs, shell: &Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "keywright", &mut script);
    shell.out.write(escape::script(&String::from_utf8_lossy(&script)));
    ExitCode::Success
}
