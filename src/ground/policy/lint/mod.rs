//! What IAM takes in a policy of a secret, and nobody wants: grants to the world, statements that apply to nothing,
//! principals that are gone, and denials that shut out whoever would have to undo them.
//!
//! Pure, and tolerant: live policies are linted too, whatever they look like. A lint says what it is sure of; where it
//! is not, it is silent or only informs. What may not enter: anything live beyond the two names in [`LintContext`], and
//! the decision what becomes of a finding.
//!
//! ```text
//! grants.rs      who is let in               reach.rs      actions and resources that do not exist here
//! lock_out.rs    who is shut out             condition.rs  what a condition is for a caller
//! variables.rs   what IAM does not fill in   sid.rs        names of statements
//! caller.rs      by which names a caller is meant           statement.rs  a statement with its places
//! ```

mod caller;
mod condition;
mod grants;
mod lock_out;
mod reach;
mod sid;
mod statement;
#[cfg(test)]
mod tests;
mod variables;

use serde_json::Value;

use crate::domain::Partition;

pub(super) use self::caller::Caller;
pub(super) use self::condition::Verdict;
use self::statement::Statement;
use super::pattern::UNKNOWN;
use super::{PolicyDocument, PolicyProblem, vocabulary};

/// What is known of the secret that a policy is, or would be, attached to.
#[derive(Clone, Copy, Debug)]
pub enum LintedSecret<'a> {
    /// A live secret's ARN (DescribeSecret, `ARN`).
    Arn(&'a str),
    /// A secret of which only this is known, as before its creation.
    Named {
        /// The twelve-digit account, if it is known.
        account: Option<&'a str>,
        /// The region.
        region: &'a str,
        /// Its name.
        name: &'a str,
    },
}

/// What a policy is judged against.
#[derive(Clone, Copy, Debug)]
pub struct LintContext<'a> {
    /// The secret.
    pub secret: LintedSecret<'a>,
    /// The ARN of whoever will call Secrets Manager: as GetCallerIdentity gives it
    /// (`arn:aws:sts::111111111111:assumed-role/NAME/SESSION`, `arn:aws:iam::111111111111:user/NAME`), or the ARN of a
    /// role that is going to be assumed, which holds its path too. None finds only what shuts out every caller of the
    /// account.
    pub caller: Option<&'a str>,
}

impl<'a> LintContext<'a> {
    /// The account of the secret.
    fn account(&self) -> Option<&'a str> {
        match self.secret {
            LintedSecret::Arn(arn) => super::principal::account_of(arn),
            LintedSecret::Named { account, .. } => account,
        }
    }

    /// The partition of the secret.
    fn partition(&self) -> Partition {
        match self.secret {
            LintedSecret::Arn(arn) => Partition::of_region(arn.split(':').nth(3).unwrap_or_default()),
            LintedSecret::Named { region, .. } => Partition::of_region(region),
        }
    }

    /// The secret's ARN, with [`UNKNOWN`] for every character that is not known.
    fn arn(&self) -> String {
        match self.secret {
            LintedSecret::Arn(arn) => arn.to_owned(),
            LintedSecret::Named { account, region, name } => {
                let unknown = |length| UNKNOWN.to_string().repeat(length);
                let account = account.map_or_else(|| unknown(12), str::to_owned);
                let partition = Partition::of_region(region);
                // Secrets Manager ends every ARN in a hyphen and six random characters.
                format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{}", unknown(6))
            }
        }
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LintSeverity {
    /// Worth knowing in an audit. It may well be meant.
    Info,
    /// Probably a mistake.
    Warning,
    /// Must not be applied: it could not be undone.
    Error,
}

macro_rules! lints {
    ($($(#[$doc:meta])* $name:ident $severity:ident $id:literal,)*) => {
        /// What can be found. The ids are a public contract.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Lint {
            $($(#[$doc])* $name,)*
        }

        impl Lint {
            /// Every lint.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its stable name, in kebab case.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// How much it matters.
            pub fn severity(self) -> LintSeverity {
                match self { $(Self::$name => LintSeverity::$severity,)* }
            }
        }
    };
}

lints! {
    /// A principal of another partition: IAM does not know it.
    OtherPartition Warning "other-partition",
    /// An Allow for everyone, without a condition that narrows it.
    WildcardPrincipal Warning "wildcard-principal",
    /// An Allow for everyone, narrowed by a condition alone.
    LimitedWildcardPrincipal Info "wildcard-principal-limited",
    /// An Allow for everyone but a few.
    AllowNotPrincipal Warning "allow-not-principal",
    /// An Allow for every action but a few.
    AllowNotAction Warning "allow-not-action",
    /// An Allow for another account, without a condition that narrows it.
    CrossAccount Info "cross-account",
    /// An Allow for an AWS service, on behalf of any account.
    ConfusedDeputy Warning "confused-deputy",
    /// A principal that was deleted.
    DeletedPrincipal Warning "deleted-principal",
    /// An action that Secrets Manager does not have.
    UnknownAction Warning "unknown-action",
    /// A Resource that is not this secret.
    OtherResource Warning "other-resource",
    /// A Sid of other characters than letters and digits.
    Sid Warning "sid",
    /// A `${...}` that IAM does not fill in.
    Variable Warning "variable",
    /// A Deny that keeps everyone in the account, keywright included, from managing the secret.
    ShutsOutAccount Error "shuts-out-account",
    /// A Deny that keeps the caller from managing the secret.
    ShutsOutCaller Error "shuts-out-caller",
    /// A Deny that keeps the caller from managing the secret under a condition that cannot be judged here.
    MayShutOutCaller Info "may-shut-out-caller",
}

/// Something in a policy that is probably not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFinding {
    /// What it is.
    pub lint: Lint,
    /// The `Sid` of the statement, if it has one.
    pub sid: Option<String>,
    /// Where it is, what is wrong in a sentence, and what would be right. The pointer leads to the part of the
    /// statement that matters, or to the statement.
    pub problem: PolicyProblem,
}

/// Everything in a policy that is probably not meant, in the order of its statements.
pub fn lint(policy: &PolicyDocument, context: &LintContext<'_>) -> Vec<PolicyFinding> {
    let (account, arn) = (context.account(), context.arn());
    let caller = context.caller.and_then(Caller::read);
    let version = policy.as_written().get("Version").and_then(Value::as_str);
    let has_variables = version == Some(vocabulary::CURRENT_VERSION);
    let partition = context.partition();
    let mut findings = Vec::new();
    for statement in Statement::all(policy.as_written()) {
        let mut found = Vec::new();
        grants::lint(&statement, account, &partition, &mut found);
        reach::lint(&statement, &arn, &mut found);
        sid::lint(&statement, &mut found);
        variables::lint(&statement, has_variables, &mut found);
        lock_out::lint(&statement, account, &arn, caller.as_ref(), &mut found);
        let sid = statement.sid();
        findings.extend(found.into_iter().map(|(lint, problem)| PolicyFinding {
            lint,
            sid: sid.map(str::to_owned),
            problem,
        }));
    }
    findings
}

/// The first statement that certainly keeps the caller from managing the secret, for a guard before PutResourcePolicy.
pub fn shuts_out(policy: &PolicyDocument, context: &LintContext<'_>) -> Option<PolicyFinding> {
    lint(policy, context).into_iter().find(|finding| finding.lint.severity() == LintSeverity::Error)
}

/// What the parts of the room hand to each other.
type Found = Vec<(Lint, PolicyProblem)>;
