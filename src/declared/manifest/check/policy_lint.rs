//! What is probably not meant in a policy, found offline: warnings, since IAM would take it.
//!
//! Only what needs nothing live is found here. The rest, such as who calls, is judged when a plan is made.

use super::super::codes::{self, Code};
use super::super::diagnostic::{Problem, Report};
use super::super::source::Span;
use super::super::tree::Node;
use super::policy::place_of;
use super::target::TargetModel;
use crate::desired::PolicyTemplate;
use crate::domain::{AccountId, Arn};
use crate::policy::{Lint, LintContext, LintedSecret, PolicyFinding, lint};

/// Where a policy is written.
pub(crate) enum Written<'a> {
    /// In the manifest.
    Inline(&'a Node),
    /// In a file, of which nothing is shown; the place is where the manifest names it.
    File(Span),
}

/// Reports what is probably not meant in the policy of the secret `name`.
pub(crate) fn lint_policy(
    template: &PolicyTemplate,
    written: &Written<'_>,
    name: &str,
    target: &TargetModel,
    default_key: bool,
    report: &mut Report,
) {
    let target = &target.target;
    let account = target.account.as_ref().map(AccountId::as_str);
    let arn = |name: &crate::domain::SecretName| {
        let account = account.unwrap_or("111111111111");
        Some(Arn::of_service(format!("arn:aws:secretsmanager:{}:{account}:secret:{name}-abcdef", target.region)))
    };
    let Ok(policy) = template.resolve(&arn) else { return };
    let context =
        LintContext { secret: LintedSecret::Named { account, region: target.region.as_str(), name }, caller: None };
    for finding in lint(&policy, &context) {
        let PolicyFinding { lint, sid: _, mut problem } = finding;
        let code = if lint == Lint::CrossAccount && default_key {
            problem.help = Some(DEFAULT_KEY.to_owned());
            Some(&codes::POLICY_DEFAULT_KEY)
        } else {
            code(lint)
        };
        let Some(code) = code else { continue };
        report.push(match written {
            Written::Inline(node) => {
                Problem::new(code, place_of(node, &problem.pointer), problem.message).help_if(problem.help)
            }
            Written::File(named) => Problem::new(code, *named, format!("in this policy file, {}", problem.unquoted))
                .label(format!("at {}", problem.pointer))
                .help_if(problem.help)
                .about(problem.pointer),
        });
    }
}

/// Why a grant to another account can be worth nothing ("Access secrets from a different account", in the user guide).
const DEFAULT_KEY: &str = "other accounts can never decrypt what aws/secretsmanager, the default key, encrypts: \
                           declare `kmsKeyId` with a key of your own, whose policy lets them in; a live secret that \
                           has one already needs nothing";

/// The code of what is shown for manifests.
fn code(lint: Lint) -> Option<&'static Code> {
    match lint {
        Lint::WildcardPrincipal => Some(&codes::POLICY_WILDCARD_PRINCIPAL),
        Lint::AllowNotPrincipal => Some(&codes::POLICY_ALLOW_NOT_PRINCIPAL),
        Lint::AllowNotAction => Some(&codes::POLICY_ALLOW_NOT_ACTION),
        Lint::ConfusedDeputy => Some(&codes::POLICY_CONFUSED_DEPUTY),
        Lint::DeletedPrincipal => Some(&codes::POLICY_DELETED_PRINCIPAL),
        Lint::UnknownAction => Some(&codes::POLICY_UNKNOWN_ACTION),
        Lint::OtherResource => Some(&codes::POLICY_OTHER_RESOURCE),
        Lint::ShutsOutAccount => Some(&codes::POLICY_SHUTS_OUT),
        Lint::Sid => Some(&codes::POLICY_SID),
        Lint::OtherPartition => Some(&codes::POLICY_OTHER_PARTITION),
        Lint::Variable => Some(&codes::POLICY_VARIABLE),
        // Who names another account in a reviewed manifest means it, and a condition that narrows is what one hopes
        // for. The other two need to know the caller.
        Lint::CrossAccount | Lint::LimitedWildcardPrincipal | Lint::ShutsOutCaller | Lint::MayShutOutCaller => None,
    }
}
