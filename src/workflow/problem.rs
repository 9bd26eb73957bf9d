//! Problems of commands that have no data of their own: one sentence each.

use std::net::SocketAddr;

/// A problem without data of its own that other parts look at: one sentence each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each says what it is in its text")]
pub enum Problem {
    #[error("the folder's name cannot be a project's")]
    NoProjectName,
    #[error("--interval is at least 1s: each round asks AWS")]
    IntervalTooShort,
    #[error(
        "--page on an address beyond loopback names secrets, tags and policies to whoever reaches it: say with \
         --page-host under which name it is meant to be read"
    )]
    PageBeyondLoopback,
    #[error("two of the files to write are the same: the later report would replace the earlier one")]
    FileTwice,
    #[error("the webhook's URL cannot be used")]
    Webhook,
    #[error("--output is not a folder inside the project")]
    OutputOutside,
    #[error("--output is where the project does not look for manifests")]
    OutputNotListed,
    #[error("spec.manifests of the project lists no folder")]
    NoManifestFolder,
    #[error("the clock only goes forward")]
    ClockBackwards,
    #[error("{0} can be reached from other machines")]
    BeyondLoopback(SocketAddr),
    #[error("--audit goes with --for drift and inventory")]
    AuditNeedsDrift,
    #[error("--all goes with --for inventory")]
    AllNeedsInventory,
    #[error("--who goes with --for plan, drift, inventory and versions")]
    WhoNeedsReading,
    #[error("--validate-policies goes with --for plan: an apply always does")]
    ValidateByApply,
    #[error("--validate-policies goes with --for plan")]
    ValidateNeedsPlan,
    #[error("--allow-delete-unowned goes with --for apply: nothing else deletes")]
    DeleteNeedsApply,
    #[error("--allow-replace-replicas and --key-policies go with --for apply: nothing else makes replicas")]
    LinksNeedApply,
    #[error("these manifests link no secrets with other accounts")]
    NoLinks,
    #[error("--read-values goes with --for plan, apply, drift and versions: the others read no value")]
    ReadsNoValues,
    #[error("none of these targets assumes a role")]
    NoRole,
    #[error("the policy could not be written")]
    PolicyNotWritten,
    #[error("the page could not be made")]
    ManualPage,
    #[error("the runtime could not be started")]
    Runtime,
    #[error("the sandbox could not be moved in time")]
    SandboxClock,
    #[error("the sandbox could not be emptied")]
    SandboxReset,
    #[error("the state holds secrets of several accounts in this region")]
    StateOfSeveralAccounts,
    #[error("there is nothing to explain")]
    NothingToExplain,
    #[error("the project has no targets")]
    NoTargets,
    #[error("Interrupted. Nothing was applied.")]
    InterruptedBefore,
    #[error("Interrupted. The rotation goes on without being watched.")]
    InterruptedRotation,
    #[error("Nothing was applied.")]
    Declined,
}
