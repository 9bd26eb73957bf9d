//! The words for hints: what can be done about an error. They quote what people wrote, and are not escaped.

use crate::aws::{CredentialPlace, CredentialProblem, CredentialSearch, NamedBy};
use crate::live::{Denial, DeniedBy, ServiceHint};
use crate::manifest::explain::ExplainError;
use crate::manifest::nearest;
use crate::value::{EncodingHint, KeySearch, MOST_LISTED, ValueHint, first_of};
use crate::workflow::{AskedOtherwise, Hint};

/// What can be done about a secret of its own that has the owner tag of a target in another region.
pub(super) const ONCE_REPLICA: &str = "it was probably a replica of that target's secret, promoted by hand, and has \
     its tag still: `aws secretsmanager untag-resource --secret-id NAME --tag-keys keywright:project` in this target's \
     region takes it off, and a manifest here adopts it then; `keywright release` in the other target would release \
     the primary";

/// What can be done about a secret that has the owner tag of a target which the project does not have.
pub(super) const FORMER_TARGET: &str = "no target of this project has that name: one that was renamed gets its old \
     name back in keywright.yaml, or `aws secretsmanager untag-resource --secret-id NAME --tag-keys keywright:project` \
     in this target's region takes the tag off, and a manifest here adopts the secret then";

/// What can be done about a failed call.
pub(super) fn service(hint: ServiceHint) -> &'static str {
    match hint {
        ServiceHint::AllowInvoke => {
            "allow lambda:InvokeFunction to secretsmanager.amazonaws.com in the function's own policy, and check its \
             ARN"
        }
        ServiceHint::Denied(None) => {
            "the caller lacks this permission: keywright iam-policy prints what the role needs; or check which role is \
             used"
        }
        ServiceHint::Denied(Some(denial)) => denied(denial),
        ServiceHint::SlowDown => {
            "another client uses up the account's request quota: lower --concurrency, or try again later"
        }
        ServiceHint::CheckNetwork => {
            "check the target's region and endpoint, and the network (proxy, VPC endpoint, DNS)"
        }
        ServiceHint::QuotaReached => {
            "a quota of Secrets Manager is used up, and waiting does not help: remove what is not needed (versions, \
             labels, secrets), or ask AWS for more"
        }
        ServiceHint::CheckPrincipal => {
            "a principal that the policy names does not exist in its account, or was created moments ago: check its \
             ARN, or apply again"
        }
        ServiceHint::NameTaken => "the name was free when this was planned: plan again to see what has it now",
        ServiceHint::CheckCredentials => "check that the credentials are current: aws sts get-caller-identity",
    }
}

/// What can be done where AWS names the kind of policy. Only a missing identity policy is mended by writing one.
fn denied(Denial { by, explicit }: Denial) -> &'static str {
    match (by, explicit) {
        (DeniedBy::Identity, false) => {
            "no policy of the caller allows it: keywright iam-policy prints what is needed (--for says for which \
             command); or check which role is used"
        }
        (DeniedBy::Identity, true) => {
            "a policy of the caller denies it, and nothing that allows it counts against that: look for the Deny in \
             the policies of the user, its groups or the role"
        }
        (DeniedBy::Resource, true) => {
            "the resource policy of the secret denies it, and no permission of the caller counts against that: look at \
             its Deny statements, and change them as a caller that they leave out"
        }
        (DeniedBy::Resource, false) => {
            "the secret is in another account than the caller: its resource policy must allow the caller, beside the \
             caller's own policy"
        }
        (DeniedBy::ServiceControl, true) => {
            "a service control policy of the organisation denies it, and no permission in the account counts against \
             that: ask whoever manages the organisation's policies"
        }
        (DeniedBy::ServiceControl, false) => {
            "the service control policies of the organisation do not allow it, and no permission in the account counts \
             against that: ask whoever manages them"
        }
        (DeniedBy::ResourceControl, _) => {
            "a resource control policy of the organisation keeps the caller out, and no permission in the account \
             counts against that: ask whoever manages the organisation's policies"
        }
        (DeniedBy::Boundary, true) => {
            "the caller's permissions boundary denies it: whoever manages the boundary must take the Deny out, since \
             other policies do not count against it"
        }
        (DeniedBy::Boundary, false) => {
            "the caller's permissions boundary does not allow it: it must, beside a policy of the caller; ask whoever \
             manages the boundary"
        }
        (DeniedBy::Session, _) => {
            "the policy of the session narrows the role: look at what assumes it, such as the policy that a CI job or \
             a permission set hands over; the role's own policy does not count against it"
        }
        (DeniedBy::VpcEndpoint, _) => {
            "the policy of the VPC endpoint for Secrets Manager does not let the call through: it must allow the \
             action for the caller and the secret; permissions of the caller do not count against it"
        }
        (DeniedBy::RoleTrust, _) => {
            "the trust policy of the role must allow the caller to assume it; keywright iam-policy --caller prints \
             what the caller itself needs"
        }
        (DeniedBy::Key, _) => {
            "the policy of the KMS key must let the caller use it through Secrets Manager (kms:Decrypt and \
             kms:GenerateDataKey, kms:ViaService); where it leaves that to IAM, keywright iam-policy prints what the \
             caller needs. A key that is disabled or scheduled for deletion says the same"
        }
    }
}

/// Where credentials were looked for in vain, and what to do about it.
pub(super) fn credentials(search: &CredentialSearch) -> String {
    let CredentialSearch { places, role, problem } = search;
    match problem {
        Some(CredentialProblem::UnknownProfile { name, named_by: _, known }) => {
            match nearest(name, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None if known.is_empty() => {
                    "there are no profiles at all; `aws configure sso` or `aws configure` makes one".to_owned()
                }
                None => format!("there are: {}", first_of(known)),
            }
        }
        Some(CredentialProblem::SsoSession { profile }) => format!("sign in again: aws sso login --profile {profile}"),
        Some(CredentialProblem::Role { role }) => format!(
            "the trust policy of {role} must allow the caller, and a policy of the caller must allow sts:AssumeRole: \
             keywright iam-policy --caller prints it"
        ),
        None => {
            let places = places.iter().map(place).collect::<Vec<_>>().join(", ");
            let role =
                role.as_ref().map_or_else(String::new, |role| format!("; then the role {role} was to be assumed"));
            format!("looked in: {places}{role}. Without an account at hand, try --sandbox")
        }
    }
}

fn place(place: &CredentialPlace) -> String {
    let words = match place {
        CredentialPlace::Environment => "the environment (AWS_ACCESS_KEY_ID)",
        CredentialPlace::WebIdentity => "web identity (AWS_WEB_IDENTITY_TOKEN_FILE)",
        CredentialPlace::Container => "the container's endpoint (ECS, EKS)",
        CredentialPlace::Instance => "the EC2 instance's metadata",
        CredentialPlace::Profile { name, named_by } => {
            return format!("the profile {name} in ~/.aws/config and ~/.aws/credentials{}", names(*named_by));
        }
    };
    words.to_owned()
}

/// Who names a profile.
pub(super) fn names(named_by: NamedBy) -> &'static str {
    match named_by {
        NamedBy::Target => ", which the target names",
        NamedBy::Variable => ", which AWS_PROFILE names",
        NamedBy::Default => "",
    }
}

/// What can be done about a value that cannot be made; several lines for keys.
pub(super) fn value(hint: &ValueHint) -> String {
    let words = match hint {
        ValueHint::Keys(search) => return keys(search),
        ValueHint::NameOneOf { existing } => return format!("there are {}", existing.join(", ")),
        ValueHint::Encoding(hint) => encoding(*hint),
        ValueHint::LfsPull => "`git lfs pull` fetches the content",
        ValueHint::FileFormat => {
            "the ending of the name tells the format: .yaml, .yml, .json, .env and .ini; anything else is binary, \
             unless `format` beside `file` says what it is. `sops encrypt` makes such a file"
        }
        ValueHint::TakeOneSide => {
            "take one side whole (`git checkout --ours` or `--theirs` with the file's name), and make the other side's \
             change again with `sops edit`: sides that are put together by hand have no `mac` that fits"
        }
        ValueHint::RestoreMac => {
            "`mac` in its metadata (`sops_mac` in dotenv) is gone, as after a merge that went wrong: take the file \
             from the last commit that has it, and make the change again with `sops edit`; where there is none, look \
             through what `sops decrypt --ignore-mac` prints, and encrypt that anew"
        }
        ValueHint::UntrustedFile => {
            "an encrypted file comes from the repository, and so from whoever may write a branch"
        }
        ValueHint::EncryptValue => "put a value into it, or leave `value` out",
        ValueHint::LookAtHistory => {
            "look at what changed in git since the file was last good; `sops edit` changes values in a way that keeps \
             the file whole"
        }
        ValueHint::AddWithSops => "add values with `sops edit` or `sops set`, which encrypt them",
        ValueHint::AllowUnencrypted => {
            "version ids are public, and the hash of an unencrypted value could be guessed: encrypt it, give it as \
             `text`, or set `allowUnencrypted: true` where an encrypted value stands beside it"
        }
        ValueHint::ChooseEncrypted => "choose a key with at least one encrypted value",
        ValueHint::DistinctKeys => "give the documents different keys, or put them in files of their own",
        ValueHint::NameKey => "name the part that is the value with `key`",
        ValueHint::LeaveKeyOut => {
            "leave `key` out: the file as a whole is the value; `as: string` makes a SecretString of it"
        }
        ValueHint::BytesAlone => {
            "use it as a value of its own; text in a binary SOPS file can be given with `as: string`"
        }
        ValueHint::AllowProgram => "allow the program with --allow-sops-program",
        ValueHint::InstallProgram => "install sops, or encrypt the file to an age or AWS KMS key as well",
        ValueHint::RunProgram => "run `sops decrypt` on the file yourself to see why",
        ValueHint::UseBinaryFile => "use `binaryFile` for bytes, or leave `as: string` out",
        ValueHint::AllowEnv => "permit it with --allow-env PATTERN",
        ValueHint::KeepElsewhere => "keep the bulk elsewhere, and only its key here",
        ValueHint::PutByHand => {
            "put a value of the declared form by hand, or leave `generate` out and declare the value whole"
        }
        ValueHint::NoEmptyValues => "Secrets Manager stores no empty values",
    };
    words.to_owned()
}

fn encoding(hint: EncodingHint) -> &'static str {
    match hint {
        EncodingHint::AsText => "an encrypted file is text: is it this one?",
        EncodingHint::AsUtf8 => "save the file as UTF-8 (in PowerShell: Out-File -Encoding utf8NoBOM)",
        EncodingHint::AsUtf8OrBytes => {
            "save it as UTF-8 (in PowerShell: Out-File -Encoding utf8NoBOM); where its bytes are the value, use \
             `binaryFile`, or leave `as: string` out"
        }
        EncodingHint::WithoutMark => "save the file as UTF-8 without it",
        EncodingHint::WithoutMarkInValue => {
            "save the file as UTF-8 without it; if it was there before the file was encrypted, take it away with `sops \
             edit`"
        }
        EncodingHint::WithLineFeeds => {
            "git may have made them on checkout: write `*.env text eol=lf` into .gitattributes and run `git add \
             --renormalize .`, or save the file with LF"
        }
        EncodingHint::AllWithLineFeeds => {
            "save the file with a line feed alone (LF) at the end of each line: an editor or a merge may have left \
             CRLF on some"
        }
    }
}

/// What a file was encrypted to, and where its keys were looked for.
fn keys(search: &KeySearch) -> String {
    let KeySearch { recipients, places, problems, program_only } = search;
    let mut lines = vec![format!("it was encrypted to {}", first_of(recipients))];
    if !places.is_empty() {
        lines.push(format!("keys were looked for in {}", first_of(places)));
    }
    lines.extend(problems.iter().take(MOST_LISTED).cloned());
    if problems.len() > MOST_LISTED {
        lines.push(format!("and {} more problems", problems.len() - MOST_LISTED));
    }
    if !program_only.is_empty() {
        lines.push(format!("{} could be used by the sops program: --allow-sops-program", first_of(program_only)));
    }
    // Recipients come from the file: a line feed in one must not begin a line of its own.
    lines.into_iter().map(|line| line.replace(['\n', '\r'], " ")).collect::<Vec<_>>().join("\n")
}

/// What would be right instead of a path that cannot be explained.
fn explained(error: &ExplainError) -> String {
    match error {
        ExplainError::UnknownKind { .. } => {
            "for example Secret.spec.policy; keywright explain --codes lists the codes".to_owned()
        }
        ExplainError::UnknownField { parent, nearest: Some(near), .. } => format!("did you mean `{parent}.{near}`?"),
        ExplainError::UnknownField { parent, known, .. } if known.is_empty() => format!("`{parent}` has no fields"),
        ExplainError::UnknownField { parent, known, .. } => format!("`{parent}` has {}", known.join(", ")),
    }
}

/// What is to be as it was when a plan was approved.
fn plan_as_approved(otherwise: &[AskedOtherwise]) -> String {
    let names = otherwise.iter().map(|asked| match asked {
        AskedOtherwise::Targets => "the targets (--target)",
        AskedOtherwise::Select => "--select",
        AskedOtherwise::Shard => "--shard",
        AskedOtherwise::ReadValues => "--read-values",
        AskedOtherwise::Overrides => "the flags that override guards",
    });
    let again = "plan again and have it approved";
    match names.collect::<Vec<_>>().as_slice() {
        [] => again.to_owned(),
        [one] => format!("{again}; {one} must be as in the approved plan"),
        [most @ .., last] => format!("{again}; {} and {last} must be as in the approved plan", most.join(", ")),
    }
}

/// Where to work on a replica.
fn target_of_primary(targets: &[String]) -> String {
    let there = match targets {
        [] => "no target of this project is where its primary is: it is changed there".to_owned(),
        [one] => format!("change the primary with --target {one}"),
        several => format!("change the primary, with the right one of --target {}", several.join(", --target ")),
    };
    format!("{there}; `keywright promote` makes the replica a secret of its own")
}

/// What can be done about the error of a command.
pub(super) fn command(hint: &Hint) -> String {
    let words = match hint {
        Hint::ChooseTarget { targets } => return format!("say which with --target: {}", targets.join(", ")),
        Hint::NamesBeginWith { target, prefixes } => {
            return format!("names in the scope of {target} begin with {}", prefixes.join(" or "));
        }
        Hint::SelectInstead { name } => return format!("select {name}: the old one goes with it"),
        Hint::DidYouMean { name } => return format!("did you mean {name}?"),
        Hint::ReplicasIn { regions } if regions.is_empty() => "it has no replica",
        Hint::ReplicasIn { regions } => return format!("it has replicas in {}", regions.join(", ")),
        Hint::NotInJournal { lines } => return format!("these calls are not in it:\n{}", lines.join("\n")),
        Hint::ListedFolders { folders } => return format!("spec.manifests lists: {}", folders.join(", ")),
        Hint::NameAccount { target } => return format!("name the account of target {target} in the project file"),
        Hint::Explained(error) => return explained(error),
        Hint::Schedule(fault) => return fault.help.clone(),
        Hint::RestoreCancelsDeletion => "keywright restore cancels the deletion",
        Hint::OnceReplica => ONCE_REPLICA,
        Hint::FormerTarget => FORMER_TARGET,
        Hint::TargetOfPrimary { targets } => return target_of_primary(targets),
        Hint::LeaveRegionOut => "leave --region out",
        Hint::TakeOwnerTagOff => {
            "until the tag is gone no project can manage it: in the replica's region, \
             aws secretsmanager untag-resource --secret-id NAME --tag-keys keywright:project"
        }
        Hint::DeclareRotation => "declare `rotation` in its manifest and apply that first",
        Hint::ApplyRotation => "its manifest declares `rotation`: an apply sets it up",
        Hint::GiveValue => "declare `value`, or put one by hand; the next apply sets rotation up",
        Hint::RepairStuckRotation => "it may be under way; one that is stuck is repaired with --repair",
        Hint::AllowCancelRotation => {
            "that version may hold the only credential that works; --allow-cancel-rotation switches rotation off all \
             the same"
        }
        Hint::LookAtFunctionLog => "look at the function's log; Secrets Manager tries again by itself for some hours",
        Hint::VersionsShows => "keywright versions shows what there is",
        Hint::NameAnotherFolder => "name a folder that you may write to with --project",
        Hint::NameAnotherManFolder => "name a folder that you may write to with --dir",
        Hint::NameProjectOtherwise => {
            "choose another name: it is written to every secret as its owner, and projects of one name take each \
             other's secrets for orphans"
        }
        Hint::NameProject => {
            "give one: keywright init NAME makes the folder NAME, and keywright init NAME --project . takes this one"
        }
        Hint::NameJournal => "name a file with --journal",
        Hint::SandboxFile => "give a file with --sandbox=FILE",
        Hint::ApprovedByPlanOut => "keywright plan --out FILE writes one",
        Hint::ApprovedBySandboxMixUp => {
            "keywright plan --out FILE writes one; the sandbox's own file is named with --sandbox=FILE"
        }
        Hint::ApproveAgain => "plan and approve again",
        Hint::PlanAsApproved { otherwise } => return plan_as_approved(otherwise),
        Hint::GiveYes => "give --yes to apply without a question",
        Hint::DeleteItFirst => "name another file; to have it overwritten, delete it first",
        Hint::NothingIsOverwritten => "nothing is overwritten: move it away, or name another file",
        Hint::OutputRelative => "write it relative to the project's folder",
        Hint::AddManifestFolder => "add one, for example secrets/",
        Hint::LeaveInitOut => "leave --init out to import into it",
        Hint::StatePullNewer => {
            "in its folder, `terraform state pull > FILE` of Terraform 0.12 or later writes it as version 4"
        }
        Hint::TofuStatePull => "in its folder, `tofu state pull > FILE` writes it decrypted: keep that file safe",
        Hint::StatePull => "`terraform state pull > FILE` writes the state of any backend into a file",
        Hint::WriteInventory => "`keywright inventory --format json --out FILE` writes one",
        Hint::OtherPort => "choose another port with --port",
        Hint::OtherListen => "choose another --listen",
        Hint::BeyondLoopback => {
            "anybody who reaches it may do everything: say --beyond-loopback when that is what you want"
        }
        Hint::HttpsWebhook => "take an https URL; --webhook-insecure allows http beyond loopback",
        Hint::WhoPermission => "`keywright iam-policy --who` prints the permission: cloudtrail:LookupEvents on *",
        Hint::WithoutCaller => "without --caller, the policy is for whoever runs keywright",
        Hint::ReplicasGoOn => "they go on by themselves; keywright plan shows how they stand",
        Hint::InitWithImport => "or `keywright import --init NAME --prefix PREFIX` writes one along with the manifests",
        Hint::NothingWritten => "nothing was written",
        Hint::DryRunShows => "--dry-run shows the manifests",
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_search_for_keys_is_told_in_short_lines() {
        let recipients: Vec<String> = (0..400).map(|number| format!("age1{number}\nx")).collect();
        let places = recipients.iter().map(|name| format!("AWS KMS {name}")).collect();
        let search = Box::new(KeySearch { places, problems: recipients.clone(), recipients, program_only: Vec::new() });
        let words = value(&ValueHint::Keys(search));
        assert!(words.starts_with("it was encrypted to age10 x, age11 x") && words.contains("and 390 more"), "{words}");
        assert!(words.contains("\nkeys were looked for in AWS KMS age10 x") && words.len() < 1000, "{words}");
        assert_eq!(words.lines().count(), 2 + MOST_LISTED + 1);
    }

    #[test]
    fn what_is_wrong_with_a_sops_file_says_what_to_do() {
        for (hint, words) in [
            (ValueHint::RestoreMac, &["`sops_mac` in dotenv", "`sops edit`", "--ignore-mac"][..]),
            (
                ValueHint::Encoding(EncodingHint::WithLineFeeds),
                &["*.env text eol=lf", ".gitattributes", "--renormalize"],
            ),
            (ValueHint::Encoding(EncodingHint::AllWithLineFeeds), &["LF", "CRLF on some"]),
            (ValueHint::Encoding(EncodingHint::AsUtf8), &["as UTF-8", "utf8NoBOM"]),
            (ValueHint::Encoding(EncodingHint::AsUtf8OrBytes), &["as UTF-8", "`binaryFile`"]),
            (ValueHint::Encoding(EncodingHint::WithoutMark), &["as UTF-8 without"]),
            (ValueHint::AllowProgram, &["--allow-sops-program"]),
        ] {
            let shown = value(&hint);
            assert!(words.iter().all(|word| shown.contains(word)), "{hint:?}: {shown}");
        }
    }

    #[test]
    fn iam_policy_is_named_only_where_it_helps() {
        for explicit in [false, true] {
            for (by, helps) in [
                (DeniedBy::Identity, !explicit),
                (DeniedBy::Resource, false),
                (DeniedBy::ServiceControl, false),
                (DeniedBy::ResourceControl, false),
                (DeniedBy::Boundary, false),
                (DeniedBy::Session, false),
                (DeniedBy::VpcEndpoint, false),
                (DeniedBy::RoleTrust, true),
                (DeniedBy::Key, true),
            ] {
                let words = service(ServiceHint::Denied(Some(Denial { by, explicit })));
                assert_eq!(words.contains("keywright iam-policy"), helps, "{by:?}: {words}");
            }
        }
    }

    #[test]
    fn credentials_name_the_nearest_profile_and_the_way_to_sign_in() {
        let search = |problem| CredentialSearch { problem: Some(problem), ..CredentialSearch::default() };
        let unknown = |known: &[&str]| {
            let known = known.iter().map(|name| (*name).to_owned()).collect();
            let name = "payments-prd".to_owned();
            search(CredentialProblem::UnknownProfile { name, named_by: NamedBy::Target, known })
        };
        assert_eq!(credentials(&unknown(&["dev", "payments-prod"])), "did you mean payments-prod?");
        assert_eq!(credentials(&unknown(&["a", "b"])), "there are: a, b");
        let session = search(CredentialProblem::SsoSession { profile: "payments-prod".to_owned() });
        assert_eq!(credentials(&session), "sign in again: aws sso login --profile payments-prod");
    }

    #[test]
    fn a_wrong_path_names_what_would_be_right() {
        let unknown = |nearest: Option<&str>, known: &[&str]| ExplainError::UnknownField {
            parent: "Secret.spec".to_owned(),
            given: "polcy".to_owned(),
            nearest: nearest.map(str::to_owned),
            known: known.iter().map(|field| (*field).to_owned()).collect(),
        };
        assert_eq!(explained(&unknown(Some("policy"), &["policy"])), "did you mean `Secret.spec.policy`?");
        assert_eq!(explained(&unknown(None, &["policy", "tags"])), "`Secret.spec` has policy, tags");
        assert_eq!(explained(&unknown(None, &[])), "`Secret.spec` has no fields");
    }
}
