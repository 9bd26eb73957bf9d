//! `keywright iam-policy`: the least identity policy that a command needs for these manifests.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};

use super::args::ProjectArgs;
use super::begin::load;
use super::report::{print_warning, report_all};
use super::shell::Shell;
use crate::desired::Desired;
use crate::domain::AccountId;
use crate::exit_code::ExitCode;
use crate::iam::{
    IdentityPolicy, KeyPolicies, MANAGED_POLICY_LIMIT, Purpose, Scope, TargetNeeds, caller_policy, key_policies,
    target_policy,
};
use crate::render::{escape, escaped};
use crate::workflow::{Error, ErrorKind, Hint, Problem, load_linked, sops_keys};

/// Print the least IAM policy that a command needs.
///
/// Only what these manifests make use of is in it, on the names of the project's scope: no permission to put values
/// where no manifest declares one, none to delete where nothing is pruned or absent. It changes when the manifests make
/// use of something new. Needs no credentials and no network.
///
/// Standard output is one policy for all chosen targets. It belongs to the role that a target assumes; where it assumes
/// none, to whoever runs keywright. KMS keys are in it as far as the manifests name them: the key of a secret without
/// `kmsKeyId` and the one that a secret had before are yours to add.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright iam-policy --for plan --target prod > plan-policy.json\n  \
    keywright iam-policy --for apply --target prod > apply-policy.json\n  \
    aws iam put-role-policy --role-name keywright --policy-name keywright \\\n    \
    --policy-document file://apply-policy.json")]
#[expect(clippy::struct_excessive_bools, reason = "each stands for one flag of the command line")]
pub(super) struct IamPolicyArgs {
    #[command(flatten)]
    project: ProjectArgs,
    /// Only this target, or those that a glob (prod-*) or a label selector (stage=prod) fits; may be given several
    /// times [default: all]
    #[arg(short, long = "target", value_name = "TARGETS")]
    targets: Vec<String>,
    /// The command that the policy is for
    #[arg(long = "for", value_name = "COMMAND")]
    purpose: PurposeArg,
    /// The command will run with --read-values
    #[arg(long)]
    read_values: bool,
    /// The command will run with --validate-policies: the service lets only those ask who may put policies
    #[arg(long)]
    validate_policies: bool,
    /// The command will run with --who
    #[arg(long)]
    who: bool,
    /// The command will run with --audit
    #[arg(long)]
    audit: bool,
    /// The command will run with --all: the policy covers every secret of the account and region of each target
    #[arg(long)]
    all: bool,
    /// The command will run with --allow-delete-unowned
    #[arg(long)]
    allow_delete_unowned: bool,
    /// The command will run with --allow-replace-replicas: replicas of another primary than git says are deleted at
    /// once, and made anew
    #[arg(long)]
    allow_replace_replicas: bool,
    /// Print what the caller of the targets' roles needs instead: to assume them, and the keys of SOPS files
    #[arg(long)]
    caller: bool,
    /// Print a proposal instead: what the policies of the KMS keys need that protect replicas in other accounts and
    /// their primaries. keywright never changes a key's policy
    #[arg(long, conflicts_with = "caller")]
    key_policies: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PurposeArg {
    /// Read only
    Plan,
    /// Read and write
    Apply,
    /// Read only, on a schedule
    Drift,
    /// Read only: what is there
    Inventory,
    /// Show the versions of one secret
    Versions,
    /// Move AWSCURRENT back to an earlier version
    Rollback,
    /// Start, repair or cancel a rotation
    Rotate,
    /// Cancel a scheduled deletion
    Restore,
    /// Stop managing one secret
    Release,
    /// Make a replica a secret of its own
    Promote,
}

impl From<PurposeArg> for Purpose {
    fn from(purpose: PurposeArg) -> Self {
        match purpose {
            PurposeArg::Plan => Self::Plan,
            PurposeArg::Apply => Self::Apply,
            PurposeArg::Drift => Self::Drift,
            PurposeArg::Inventory => Self::Inventory,
            PurposeArg::Versions => Self::Versions,
            PurposeArg::Rollback => Self::Rollback,
            PurposeArg::Rotate => Self::Rotate,
            PurposeArg::Restore => Self::Restore,
            PurposeArg::Release => Self::Release,
            PurposeArg::Promote => Self::Promote,
        }
    }
}

pub(super) fn iam_policy(args: &IamPolicyArgs, shell: &Shell) -> Result<ExitCode, Error> {
    check_usage(args)?;
    let loaded = load(&args.project, &args.targets, shell)?;
    let beside = load_linked(&args.project.folder, &loaded.desired)?;
    if args.key_policies {
        return print_key_policies(&key_policies(&loaded.desired, &beside), shell);
    }
    let keys = match sops_keys(&loaded.desired) {
        Ok(keys) => keys,
        Err(wrong) => return Ok(report_all(&wrong, shell)),
    };
    let targets: Vec<TargetNeeds<'_>> =
        loaded.desired.iter().zip(&keys).map(|(desired, sops_keys)| TargetNeeds { desired, sops_keys }).collect();
    let scope = Scope {
        purpose: args.purpose.into(),
        read_values: args.read_values,
        validate_policies: args.validate_policies,
        who: args.who,
        audit: args.audit,
        all: args.all,
        delete_unowned: args.allow_delete_unowned,
        replace_replicas: args.allow_replace_replicas,
    };
    let policy = if args.caller { caller_policy(&targets, scope) } else { target_policy(&targets, &beside, scope) };
    if policy.statements.is_empty() {
        return Err(Error::from(ErrorKind::Local(Problem::NoRole)).hint(Hint::WithoutCaller));
    }
    shell.out.write(escape::json(&policy));
    if !args.caller {
        print_roles(&loaded.desired, shell);
        warn_of_accounts(&loaded.desired, shell);
        if scope.purpose == Purpose::Apply && !key_policies(&loaded.desired, &beside).key_policies.is_empty() {
            let hint = "The keys of linked secrets need statements in policies of their own, which keywright never \
                        applies: --key-policies prints a proposal";
            shell.err.line(escaped!("{}.", hint));
        }
    }
    warn_of_size(&policy, loaded.desired.len(), shell);
    Ok(ExitCode::Success)
}

fn check_usage(args: &IamPolicyArgs) -> Result<(), Error> {
    let wrong = match args.purpose {
        purpose if args.audit && !matches!(purpose, PurposeArg::Drift | PurposeArg::Inventory) => {
            Problem::AuditNeedsDrift
        }
        purpose if args.all && purpose != PurposeArg::Inventory => Problem::AllNeedsInventory,
        PurposeArg::Inventory if args.read_values => Problem::ReadsNoValues,
        purpose if args.who && !asks_who(purpose) => Problem::WhoNeedsReading,
        PurposeArg::Apply if args.validate_policies => Problem::ValidateByApply,
        purpose if args.validate_policies && purpose != PurposeArg::Plan => Problem::ValidateNeedsPlan,
        purpose if args.allow_delete_unowned && purpose != PurposeArg::Apply => Problem::DeleteNeedsApply,
        purpose if (args.allow_replace_replicas || args.key_policies) && purpose != PurposeArg::Apply => {
            Problem::LinksNeedApply
        }
        purpose if args.read_values && Purpose::from(purpose).is_day_two() && purpose != PurposeArg::Versions => {
            Problem::ReadsNoValues
        }
        _ => return Ok(()),
    };
    Err(ErrorKind::WrongUsage(wrong).into())
}

/// Whether a command has `--who`.
fn asks_who(purpose: PurposeArg) -> bool {
    matches!(purpose, PurposeArg::Plan | PurposeArg::Drift | PurposeArg::Inventory | PurposeArg::Versions)
}

/// Nothing of it is an identity policy, so it never stands beside one.
fn print_key_policies(proposal: &KeyPolicies, shell: &Shell) -> Result<ExitCode, Error> {
    if proposal.key_policies.is_empty() {
        return Err(ErrorKind::Local(Problem::NoLinks).into());
    }
    shell.out.write(escape::json(proposal));
    shell.err.line(escaped!("A proposal: {}.", "whoever owns a key adds its statements to the key's own policy"));
    Ok(ExitCode::Success)
}

fn print_roles(targets: &[Desired], shell: &Shell) {
    let roles: BTreeSet<&str> = targets.iter().filter_map(|desired| desired.target.assume_role.as_deref()).collect();
    for role in &roles {
        let role = escape::line(role);
        shell.err.line(escaped!("For {}, which is assumed: --caller prints what its caller needs.", role));
    }
}

fn warn_of_accounts(targets: &[Desired], shell: &Shell) {
    for desired in targets.iter().filter(|desired| desired.target.account.is_none()) {
        let name = escape::line(&desired.target.name);
        print_warning(
            escaped!("{} names no account: its part holds for any; write spec.targets[].account", name),
            shell,
        );
    }
    let accounts: BTreeSet<&str> =
        targets.iter().filter_map(|desired| desired.target.account.as_ref().map(AccountId::as_str)).collect();
    if accounts.len() > 1 {
        let number = accounts.len();
        let hint = "an identity belongs to one account: print one for each with --target";
        print_warning(escaped!("the targets are in {} accounts; {}", number, hint), shell);
    }
}

/// A policy that is too large is printed all the same: an inline policy of a role may be larger.
fn warn_of_size(policy: &IdentityPolicy, targets: usize, shell: &Shell) {
    let size = policy.size();
    if size > MANAGED_POLICY_LIMIT {
        let split = if targets > 1 { "print one for each target with --target, " } else { "" };
        let text = escaped!(
            "it has {} characters without white space, and a managed policy may have {}: {}cover the scope with fewer \
             prefixes, or make it an inline policy of the role, which may have 10240",
            size,
            MANAGED_POLICY_LIMIT,
            split,
        );
        print_warning(text, shell);
    }
}
