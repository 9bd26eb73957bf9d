//! The words for what `keywright doctor` found, with or without names.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use super::super::{count, hint};
use crate::aws::{ConnectError, CredentialKind, CredentialProblem};
use crate::domain::AccountId;
use crate::live::ServiceError;
use crate::value::{AgeHeld, AgePlace};
use crate::workflow::{Answer, Check, ProjectState, Verdict};

/// What stands for names where they are left out: one number for each, so that equal ones can be told.
pub(super) struct Names {
    show: bool,
    seen: RefCell<BTreeMap<(&'static str, String), usize>>,
}

impl Names {
    pub(super) fn new(show: bool) -> Self {
        Self { show, seen: RefCell::default() }
    }

    /// Whether they are shown.
    pub(super) fn shown(&self) -> bool {
        self.show
    }

    /// A name of some kind: itself, or `target-1`.
    pub(super) fn of(&self, kind: &'static str, name: &str) -> String {
        if self.show {
            return name.to_owned();
        }
        let mut seen = self.seen.borrow_mut();
        let next = seen.keys().filter(|(other, _)| *other == kind).count() + 1;
        let number = *seen.entry((kind, name.to_owned())).or_insert(next);
        format!("{kind}-{number}")
    }

    pub(super) fn account(&self, account: &AccountId) -> String {
        self.of("account", account.as_str())
    }

    fn path(&self, path: &Path) -> String {
        if self.show { path.display().to_string() } else { "a path that is left out".to_owned() }
    }
}

/// A check in words; they are not escaped.
pub(super) struct Words {
    /// What was looked at: a stable word.
    pub(super) subject: &'static str,
    pub(super) message: String,
    pub(super) to_do: Option<String>,
}

pub(super) fn words(check: &Check, names: &Names) -> Words {
    let (subject, message, to_do) = match check {
        Check::Project(state) => project(state),
        Check::Proxy(set) if set.is_empty() => ("proxy", "none is set in the environment".to_owned(), None),
        Check::Proxy(set) => ("proxy", format!("{} in force", set.join(", ")), None),
        Check::Certificates(Some(true)) => ("certificates", "those that AWS_CA_BUNDLE names".to_owned(), None),
        Check::Certificates(Some(false)) => (
            "certificates",
            "AWS_CA_BUNDLE names no file".to_owned(),
            Some("name a file with certificates, or unset it".to_owned()),
        ),
        Check::Certificates(None) => ("certificates", "the system's, unless a profile has ca_bundle".to_owned(), None),
        Check::Sops { needed: _, program: Some(path) } => {
            ("sops-program", format!("found: {}; only --allow-sops-program runs it", names.path(path)), None)
        }
        Check::Sops { needed: _, program: None } => {
            ("sops-program", "not found; only --allow-sops-program needs it".to_owned(), None)
        }
        Check::AgeKeys { needed, places } => age_keys(*needed, places, names),
        Check::Kms { keys: 0 } => ("sops-kms", "no SOPS file needs a KMS key".to_owned(), None),
        Check::Kms { keys } => (
            "sops-kms",
            format!("{} in SOPS files; only decrypting tells whether it may be used", count(*keys, "KMS key")),
            Some("keywright iam-policy --for apply prints the permissions; plan --read-values decrypts".to_owned()),
        ),
        Check::Credentials(kind) => ("credentials", format!("from {}", credential_kind(*kind)), None),
        Check::Connect(error) => connect(error, names),
        Check::Caller(arn) => ("caller", if names.shown() { arn.clone() } else { caller_kind(arn).to_owned() }, None),
        Check::Account { declared: true, found } => {
            let account = found.as_ref().map_or_else(String::new, |account| names.account(account));
            ("account", format!("{account}, as the project says"), None)
        }
        Check::Account { declared: false, found } => {
            let account = found.as_ref().map_or_else(|| "unknown".to_owned(), |account| names.account(account));
            (
                "account",
                format!("{account}; the project names none, so that any credentials are taken"),
                Some("write `account` in the target".to_owned()),
            )
        }
        Check::Endpoint { place, answered } => network(place.as_deref(), *answered, names),
        Check::NotLookedAt => (
            "targets",
            "not looked at, nor keys of values, since the project has mistakes".to_owned(),
            Some("mend them, and ask again".to_owned()),
        ),
        Check::Clock(skew) => clock(*skew, check.verdict()),
        Check::Call { operation, always, answer } => call(operation, *always, answer, names),
        Check::Writing => (
            "writing",
            "only writing tells what may be written".to_owned(),
            Some("compare the role's policy with what keywright iam-policy --for apply prints".to_owned()),
        ),
    };
    Words { subject, message, to_do }
}

type Told = (&'static str, String, Option<String>);

fn project(state: &ProjectState) -> Told {
    let (message, to_do) = match state {
        ProjectState::Missing => (
            "there is no keywright.yaml here".to_owned(),
            Some("name its folder with --project, or make one with keywright init".to_owned()),
        ),
        ProjectState::Wrong { errors, codes } => (
            format!("{} in the manifests: {}", count(*errors, "error"), codes.join(", ")),
            Some("keywright validate shows each with its place".to_owned()),
        ),
        ProjectState::Valid { secrets, files, targets, warnings } => {
            let warned = match warnings {
                0 => String::new(),
                warnings => format!("; {}", count(*warnings, "warning")),
            };
            let (secrets, files) = (count(*secrets, "secret"), count(*files, "file"));
            (
                format!("valid: {secrets} in {files}, {}{warned}", count(*targets, "target")),
                (*warnings > 0).then(|| "keywright validate shows them".to_owned()),
            )
        }
    };
    ("project", message, to_do)
}

fn age_keys(needed: bool, places: &[(AgePlace, AgeHeld)], names: &Names) -> Told {
    if !needed {
        return ("age-keys", "no value comes from a SOPS file".to_owned(), None);
    }
    let place = |place: &AgePlace| match place {
        AgePlace::Variable(name) => (*name).to_owned(),
        AgePlace::Named(path) => format!("SOPS_AGE_KEY_FILE ({})", names.path(path)),
        AgePlace::File(path) => names.path(path),
    };
    if places.is_empty() {
        return (
            "age-keys",
            "none found, and values come from SOPS files".to_owned(),
            Some("set SOPS_AGE_KEY_FILE, where no KMS key opens the files".to_owned()),
        );
    }
    let found: Vec<String> =
        places.iter().filter(|(_, held)| matches!(held, AgeHeld::Keys(_))).map(|(at, _)| place(at)).collect();
    let mut told = Vec::new();
    if !found.is_empty() {
        told.push(format!("found: {}; whether they open the files was not tried", found.join(", ")));
    }
    for (at, held) in places {
        match held {
            AgeHeld::Keys(_) => {}
            AgeHeld::Command => told.push(format!("{}: the command was not run", place(at))),
            AgeHeld::Nothing(problems) => told.push(format!("{}: {}", place(at), problems.join(", "))),
        }
    }
    let wrong = places.iter().any(|(_, held)| matches!(held, AgeHeld::Nothing(_)));
    let to_do = wrong.then(|| "put an age key there (AGE-SECRET-KEY-1...), or take the place away".to_owned());
    ("age-keys", told.join("; "), to_do)
}

fn credential_kind(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Sandbox => "the sandbox itself",
        CredentialKind::Environment => "the environment (AWS_ACCESS_KEY_ID)",
        CredentialKind::Profile => "a profile with keys",
        CredentialKind::SignIn => "a profile that is signed in (IAM Identity Center)",
        CredentialKind::Process => "a profile's credential_process",
        CredentialKind::WebIdentity => "web identity (OIDC)",
        CredentialKind::AssumedRole => "a role that was assumed (STS AssumeRole)",
        CredentialKind::Container => "the container's endpoint (ECS, EKS)",
        CredentialKind::Instance => "the EC2 instance's metadata",
        CredentialKind::Other => "a place that the SDK does not name",
    }
}

/// `an assumed role`, of an ARN such as `arn:aws:sts::111111111111:assumed-role/ci/run`.
fn caller_kind(arn: &str) -> &'static str {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    match resource.split('/').next().unwrap_or_default() {
        "assumed-role" => "a session of a role",
        "federated-user" => "a federated user",
        "user" => "an IAM user",
        "root" => "the account's root user",
        _ => "somebody whose kind is unknown",
    }
}

fn connect(error: &ConnectError, names: &Names) -> Told {
    match error {
        ConnectError::NoCredentials { search, reason } => {
            let (message, to_do) = if names.shown() {
                (format!("no usable ones: {reason}"), hint::credentials(search))
            } else {
                let to_do = match &search.problem {
                    Some(CredentialProblem::UnknownProfile { .. }) => "the profile that is named does not exist",
                    Some(CredentialProblem::SsoSession { .. }) => "sign in again: aws sso login",
                    Some(CredentialProblem::Role { .. }) => {
                        "the role may not be assumed: keywright iam-policy --caller prints what that needs"
                    }
                    None => "set AWS_PROFILE or sign in; --show-names says where they were looked for",
                };
                ("no usable ones".to_owned(), to_do.to_owned())
            };
            ("credentials", message, Some(to_do))
        }
        ConnectError::WrongAccount { expected, found } => {
            let (expected, found) = (names.account(expected), names.account(found));
            (
                "account",
                format!("the credentials are of {found}, the target is in {expected}"),
                Some("use the profile, role or credentials of the target's account".to_owned()),
            )
        }
        ConnectError::OtherAccount { account } => (
            "account",
            format!("{} is not one of those that --only-account allows", names.of("account", account)),
            Some("allow it, or choose other targets".to_owned()),
        ),
        ConnectError::Setting(error) => (
            "settings",
            if names.shown() { error.to_string() } else { "the environment or the profile has a wrong one".to_owned() },
            Some("look at AWS_MAX_ATTEMPTS, AWS_RETRY_MODE, AWS_CA_BUNDLE and at the profile".to_owned()),
        ),
        ConnectError::Service(error) => {
            let (message, to_do) = failed(error, names);
            ("caller", message, to_do)
        }
    }
}

fn network(place: Option<&str>, answered: bool, names: &Names) -> Told {
    let where_to = match place {
        None => "AWS's own endpoint".to_owned(),
        Some("sandbox") => "the embedded sandbox".to_owned(),
        Some(origin) => names.of("endpoint", origin),
    };
    if answered {
        return ("network", format!("{where_to} answers"), None);
    }
    (
        "network",
        format!("{where_to} gives no answer of Secrets Manager's"),
        Some("look at the proxy, the VPC endpoint and the region's name; a proxy's own page is no answer".to_owned()),
    )
}

fn clock(skew: Option<i64>, verdict: Verdict) -> Told {
    let Some(skew) = skew else { return ("clock", "the service did not say its time".to_owned(), None) };
    let seconds = usize::try_from(skew.unsigned_abs()).unwrap_or(usize::MAX);
    let message = match skew {
        0 => "as the service's".to_owned(),
        // The service tells whole seconds.
        -1 | 1 => "as the service's, within a second".to_owned(),
        2.. => format!("{} behind the service's", count(seconds, "second")),
        _ => format!("{} ahead of the service's", count(seconds, "second")),
    };
    let to_do = (verdict != Verdict::Good)
        .then(|| "set this machine's clock (NTP): each request that is five minutes off is sent twice".to_owned());
    ("clock", message, to_do)
}

fn call(operation: &'static str, always: bool, answer: &Answer, names: &Names) -> Told {
    match answer {
        Answer::Allowed => (operation, "allowed".to_owned(), None),
        Answer::NothingToAsk => (operation, "no secret in scope was found to ask about".to_owned(), None),
        Answer::NotListed => (operation, "not asked: the secrets in scope are not known".to_owned(), None),
        Answer::Failed(error) => {
            let (message, to_do) = failed(error, names);
            let needed = if always { "" } else { "; not every command needs it" };
            (operation, format!("{message}{needed}"), to_do)
        }
    }
}

fn failed(error: &ServiceError, names: &Names) -> (String, Option<String>) {
    let message = match (&error.code, names.shown()) {
        (_, true) => error.to_string(),
        // Whoever answers writes it, and may write anything.
        (Some(code), false) if is_plain(code) => format!("{} answered {code}", error.operation),
        (Some(_), false) => format!("{} answered with a code that AWS has not", error.operation),
        (None, false) => format!("{} got no answer of AWS's", error.operation),
    };
    (message, error.hint().map(|hint| hint::service(hint).to_owned()))
}

/// Whether a code looks like one of AWS's: letters, and points between words.
fn is_plain(code: &str) -> bool {
    code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::ServiceErrorKind;

    #[test]
    fn equal_names_have_one_number_and_others_another() {
        let names = Names::new(false);
        let told = ["a", "b", "a"].map(|name| names.of("target", name));
        assert_eq!(told, ["target-1", "target-2", "target-1"]);
        assert_eq!(names.of("account", "a"), "account-1");
        assert_eq!(Names::new(true).of("target", "a"), "a");
    }

    #[test]
    fn the_services_own_text_is_left_out_with_the_names() {
        let error = ServiceError {
            operation: "ListSecrets",
            kind: ServiceErrorKind::AccessDenied,
            code: Some("AccessDeniedException".to_owned()),
            message: "User: arn:aws:iam::111111111111:user/alice is not authorized".to_owned(),
            request_id: None,
        };
        let hostile = ServiceError { code: Some("acct 111111111111 @team".to_owned()), ..error.clone() };
        let check = Check::Call { operation: "ListSecrets", always: true, answer: Answer::Failed(hostile) };
        assert_eq!(words(&check, &Names::new(false)).message, "ListSecrets answered with a code that AWS has not");
        let check = Check::Call { operation: "ListSecrets", always: true, answer: Answer::Failed(error) };
        let told = words(&check, &Names::new(false));
        assert_eq!(told.message, "ListSecrets answered AccessDeniedException");
        assert!(words(&check, &Names::new(true)).message.contains("alice"));
        let caller = Check::Caller("arn:aws:sts::111111111111:assumed-role/ci/run".to_owned());
        assert_eq!(words(&caller, &Names::new(false)).message, "a session of a role");
    }

    #[test]
    fn a_clock_is_told_by_its_sign() {
        for (skew, verdict, message) in [
            (0, Verdict::Good, "as the service's"),
            (1, Verdict::Good, "as the service's, within a second"),
            (-31, Verdict::Warning, "31 seconds ahead of the service's"),
            (301, Verdict::Warning, "301 seconds behind the service's"),
        ] {
            let check = Check::Clock(Some(skew));
            assert_eq!(check.verdict(), verdict, "{skew}");
            let told = words(&check, &Names::new(false));
            assert_eq!((told.message.as_str(), told.to_do.is_some()), (message, verdict != Verdict::Good));
        }
        assert_eq!(Check::Clock(None).verdict(), Verdict::Unknown);
    }

    #[test]
    fn only_what_answered_is_said_to_answer() {
        let of = |answered: bool, place: Option<&str>| {
            let check = Check::Endpoint { place: place.map(str::to_owned), answered };
            (check.verdict(), words(&check, &Names::new(false)).message)
        };
        assert_eq!(of(true, None), (Verdict::Good, "AWS's own endpoint answers".to_owned()));
        let silent = "AWS's own endpoint gives no answer of Secrets Manager's".to_owned();
        assert_eq!(of(false, None), (Verdict::Failed, silent));
        assert_eq!(of(true, Some("https://vault.example")), (Verdict::Good, "endpoint-1 answers".to_owned()));
    }

    #[test]
    fn a_place_without_an_age_key_is_told_with_what_is_wrong() {
        let of = |places: Vec<(AgePlace, AgeHeld)>| {
            let check = Check::AgeKeys { needed: true, places };
            let told = words(&check, &Names::new(false));
            (check.verdict(), told.message, told.to_do.is_some())
        };
        let keys = (AgePlace::File("/home/alice/keys.txt".into()), AgeHeld::Keys(2));
        let found = "found: a path that is left out; whether they open the files was not tried";
        assert_eq!(of(vec![keys.clone()]), (Verdict::Good, found.to_owned(), false));
        let named =
            (AgePlace::Named("/home/alice/gone".into()), AgeHeld::Nothing(vec!["there is no such file".into()]));
        let gone = "SOPS_AGE_KEY_FILE (a path that is left out): there is no such file";
        assert_eq!(of(vec![named.clone()]), (Verdict::Warning, gone.to_owned(), true));
        assert_eq!(of(vec![named, keys]), (Verdict::Warning, format!("{found}; {gone}"), true));
        let command = (AgePlace::Variable("SOPS_AGE_KEY_CMD"), AgeHeld::Command);
        let not_run = "SOPS_AGE_KEY_CMD: the command was not run";
        assert_eq!(of(vec![command]), (Verdict::Unknown, not_run.to_owned(), false));
        assert_eq!(of(Vec::new()).0, Verdict::Warning);
    }

    #[test]
    fn a_file_of_certificates_that_is_not_there_is_a_failure() {
        let of = |there: Option<bool>| {
            let told = words(&Check::Certificates(there), &Names::new(false));
            (Check::Certificates(there).verdict(), told.to_do.is_some())
        };
        assert_eq!(of(Some(false)), (Verdict::Failed, true));
        assert_eq!([of(Some(true)), of(None)], [(Verdict::Good, false); 2]);
    }
}
