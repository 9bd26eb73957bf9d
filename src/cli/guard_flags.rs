//! The flags that override guards: one for each that the table of guards names, and no other.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};

use crate::plan::{Flag, FlagArgument, GuardOverrides, flags};

/// Guards to override for one run, each by its own flag.
#[derive(Debug)]
pub(super) struct GuardOverrideArgs(pub(super) GuardOverrides);

impl Args for GuardOverrideArgs {
    fn augment_args(command: Command) -> Command {
        command.args(flags().map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for GuardOverrideArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |overrides: GuardOverrides, flag: &'static Flag| match flag.argument {
            FlagArgument::None if matches.get_flag(flag.name) => overrides.with(flag, None),
            FlagArgument::Number { .. } => match matches.get_one::<u32>(flag.name) {
                Some(number) => overrides.with(flag, Some(*number)),
                None => overrides,
            },
            FlagArgument::None => overrides,
        };
        Ok(Self(flags().fold(GuardOverrides::default(), given)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn argument(flag: &'static Flag) -> Arg {
    let argument = Arg::new(flag.name).long(flag.name).help(flag.help).help_heading("Guards");
    match flag.argument {
        FlagArgument::None => argument.action(ArgAction::SetTrue),
        FlagArgument::Number { name, max } => {
            argument.value_name(name).value_parser(value_parser!(u32).range(..=i64::from(max)))
        }
    }
}
