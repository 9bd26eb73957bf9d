//! The rules that manifests are checked by, each with the stable code that its diagnostics carry.
//!
//! Codes are a public contract: they stand in SARIF reports and in people's suppressions. A code is never given to
//! another rule.

use super::diagnostic::Severity;

/// A rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Its stable name, in kebab case.
    pub id: &'static str,
    /// How bad a breach is.
    pub severity: Severity,
    /// What it asks for, in one line.
    pub summary: &'static str,
}

macro_rules! codes {
    ($($name:ident $severity:ident $id:literal $summary:literal)*) => {
        $(
            #[doc = $summary]
            pub static $name: Code = Code { id: $id, severity: Severity::$severity, summary: $summary };
        )*
        /// Every rule, in the order of this file.
        pub static ALL: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    // Files.
    PROJECT_MISSING Error "project-missing" "A project has one keywright.yaml (or keywright.yml) at its root."
    PROJECT_TWICE Error "project-twice" "A project has one project file, with one Project document in it."
    FILE_UNREADABLE Error "file-unreadable" "Every manifest can be read."
    FILE_TOO_LARGE Error "file-too-large" "A manifest is at most 1 MiB, and a file that it names at most as large \
        as what it is for."
    FILE_NOT_UTF8 Error "file-not-utf8" "Manifests are UTF-8."
    TOO_MANY_FILES Error "too-many-files" "A project has at most 100,000 manifest files."
    FILE_OUTSIDE Error "file-outside-project" "Files that a manifest names are inside the project, symbolic links \
        resolved."
    FILE_MISSING Error "file-missing" "Files that a manifest names exist and are regular files."
    LFS_POINTER Error "lfs-pointer" "Files that Git LFS keeps have been fetched."
    PASSED_OVER Warning "passed-over" "Nothing among the manifests is passed over."
    NO_SECRETS Warning "no-secrets" "A project declares at least one secret."
    // YAML.
    YAML_SYNTAX Error "yaml-syntax" "Manifests are YAML 1.2."
    YAML_DUPLICATE_KEY Error "yaml-duplicate-key" "A key stands once in a map."
    YAML_KEY Error "yaml-key" "Keys of maps are text."
    YAML_TAG Error "yaml-tag" "YAML's own tags are the only ones that are known."
    YAML_MERGE_KEY Error "yaml-merge-key" "A merge key (<<) takes a map, or a list of maps, of the same document."
    YAML_ALIAS Error "yaml-alias" "An alias (*name) refers to an anchor (&name) earlier in the same document."
    YAML_TOO_DEEP Error "yaml-too-deep" "YAML is nested at most 64 deep."
    YAML_TOO_LARGE Error "yaml-too-large" "A file has at most 200,000 YAML nodes, those that aliases repeat included."
    // Structure.
    API_VERSION Error "api-version" "apiVersion is keywright/v1."
    KIND Error "kind" "kind is Project, Secret or Defaults."
    DEFAULTS_TWICE Error "defaults-twice" "A folder has one Defaults document."
    NOT_A_MANIFEST Error "not-a-manifest" "Every YAML file that is read is a keywright manifest."
    UNKNOWN_FIELD Error "unknown-field" "Every field is one that keywright knows."
    MISSING_FIELD Error "missing-field" "Required fields are there."
    WRONG_TYPE Error "wrong-type" "Every field has the type that it asks for."
    INVALID_CHOICE Error "invalid-choice" "A field with a fixed set of values has one of them."
    TOO_MANY_PROBLEMS Warning "too-many-problems" "Only the first 100 mistakes of a document are shown."
    // Variables.
    KEY_WITHOUT_VALUE Error "key-without-value" "A key has a value: null, [] or {} where there must be none."
    UNKNOWN_VARIABLE Error "unknown-variable" "Variables are declared in the target's vars."
    BAD_INTERPOLATION Error "bad-interpolation" "${...} holds a variable, a target's attribute or secret:NAME:arn."
    VARIABLE_CYCLE Error "variable-cycle" "Variables that use one another form no circle."
    REFERENCE_NOT_ALLOWED Error "reference-not-allowed" "${secret:NAME:arn} stands in descriptions, tags, policies \
        and text values only."
    UNKNOWN_SECRET Error "unknown-secret" "Secrets that are referred to are declared for the same target."
    DEPENDENCY_CYCLE Error "dependency-cycle" "Dependencies of secrets form no circle."
    // Project.
    PROJECT_NAME Error "project-name" "A project's name is lower-case letters, digits and hyphens, 63 characters at \
        most."
    TARGET_NAME Error "target-name" "A target's name is lower-case letters, digits and hyphens, and is given once."
    MATRIX Error "matrix" "A matrix makes at least one combination, and not too many."
    MATRIX_EXCLUDES_NOTHING Warning "matrix-excludes-nothing" "Every entry of a matrix's exclude fits a combination."
    TARGET_LABEL Error "target-label" "A label's key and value are letters, digits, -, _ and ., 63 at most."
    NO_TARGETS Error "no-targets" "A project has at least one target."
    UNKNOWN_TARGET Error "unknown-target" "Targets that are named are declared in the project."
    TARGET_GROUP Error "target-group" "A group of targets is a glob over names or a selector of labels."
    VARIABLE_NAME Error "variable-name" "A variable's name is a letter or underscore, then letters, digits, \
        underscores and hyphens."
    ACCOUNT Error "account" "An AWS account is twelve digits, in quotes."
    REGION Error "region" "A region looks like eu-west-1."
    ROLE_ARN Error "role-arn" "A role is an IAM role ARN, in the target's account."
    ENDPOINT Error "endpoint" "An endpoint in a manifest is an http or https URL on loopback."
    SCOPE Error "scope" "A project names the prefixes of the secrets that it may touch."
    SCOPE_OVERLAP Error "scope-overlap" "Two targets in one account and region never share names."
    GUARD_LIMIT Error "guard-limit" "A guard's limit is within its range."
    AUDIT Error "audit" "What an audit measures with is within its range, and what it excuses is a finding, until a \
        day."
    GLOB Error "glob" "Patterns over names of tags and secrets are valid globs."
    RULE Error "rule" "A rule of the project has a name of its own, valid patterns, and something that it requires."
    RULE_BROKEN Error "project-rule" "Secrets keep the rules of their project."
    RULE_BROKEN_WARNING Warning "project-rule-warning" "Secrets keep the rules of their project whose severity is \
        warning."
    // Secret.
    SECRET_NAME Error "secret-name" "A secret's name has 1 to 512 characters of A-Za-z0-9/_+=.@-"
    MANAGED_BY Error "managed-by" "Of a secret that an AWS service manages, a manifest declares only what its users \
        may change."
    SECRET_NAME_SUFFIX Warning "secret-name-suffix" "A secret's name doesn't end in a hyphen and six letters or \
        digits, which looks like the end of an ARN."
    SECRET_NAME_PARTS Warning "secret-name-parts" "No part of a secret's name, between its slashes or after the last, \
        is empty."
    SECRET_DUPLICATE Error "secret-duplicate" "A secret is declared once for each target."
    OUT_OF_SCOPE Error "out-of-scope" "A secret's name begins with a prefix of the project's scope."
    RENAMED_FROM Error "renamed-from" "renamedFrom is another name in the scope, which no manifest has and which is \
        given once."
    PROTECTED_ABSENT Error "protected-absent" "A protected secret is not declared absent."
    FOR_EACH Error "for-each" "A list of forEach holds texts, or maps of texts; 50,000 at most."
    TOO_MANY_SECRETS Error "too-many-secrets" "The lists of a project make at most 200,000 secrets over all targets."
    UNSET Error "unset" "unset names fields of spec."
    DESCRIPTION Error "description" "A description has at most 2,048 characters."
    TAG_LIMIT Error "tag-limit" "A secret has at most 50 tags, keywright's own included."
    TAG_KEY Error "tag-key" "A tag's key has 1 to 128 characters that AWS allows, and no reserved prefix."
    TAG_VALUE Error "tag-value" "A tag's value has at most 256 characters that AWS allows."
    TAG_VALUE_OPEN Warning "tag-value-character" "A tag's value has characters that AWS documents for every service."
    TAG_IGNORED Error "tag-ignored" "A tag that is declared is not ignored by ignoreTags."
    KMS_KEY Error "kms-key" "A KMS key is a key id, a key ARN, an alias or an alias ARN."
    NEW_REGION Warning "new-region" "Regions are ones that AWS has."
    POLICY_OTHER_PARTITION Warning "policy-other-partition" "Principals of a resource policy are in the secret's own \
        partition."
    POLICY_DEFAULT_KEY Warning "policy-default-key" "A secret that another account may read is encrypted with a key \
        of one's own."
    ARN_OF_OTHER_PLACE Warning "arn-of-other-place" "ARNs name the target's own account and region."
    RECOVERY_WINDOW Error "recovery-window" "A recovery window is 7 to 30 days, and excludes force."
    POLICY Error "policy" "A resource policy is a valid IAM policy document of at most 20,480 bytes."
    POLICY_TEMPLATE Error "policy-template" "A policy's template declares its parameters, and gets all of them."
    INCLUDE Error "include" "spec.include names folders of the same git work tree, with Defaults, Rules and templates."
    POLICY_WILDCARD_PRINCIPAL Warning "policy-wildcard-principal" "A resource policy doesn't open the secret to \
        everyone."
    POLICY_ALLOW_NOT_PRINCIPAL Warning "policy-allow-not-principal" "NotPrincipal stands only in a Deny."
    POLICY_ALLOW_NOT_ACTION Warning "policy-allow-not-action" "NotAction stands only in a Deny."
    POLICY_CONFUSED_DEPUTY Warning "policy-confused-deputy" "An AWS service is let in on behalf of known accounts only."
    POLICY_DELETED_PRINCIPAL Warning "policy-deleted-principal" "A resource policy names no principal that was deleted."
    POLICY_UNKNOWN_ACTION Warning "policy-unknown-action" "Actions of a resource policy are those of Secrets Manager."
    POLICY_OTHER_RESOURCE Warning "policy-other-resource" "The resource of a statement is the secret that the \
        policy is attached to."
    POLICY_SID Warning "policy-sid" "A Sid is made of letters and digits."
    POLICY_VARIABLE Warning "policy-variable" "Variables in a resource policy are ones that IAM fills in."
    POLICY_SHUTS_OUT Warning "policy-shuts-out" "A resource policy doesn't keep everyone from managing the secret."
    VALUE_SOURCE Error "value-source" "A value has exactly one source, correctly filled in."
    VALUE_FILE Error "value-file" "A file that a value comes from can be used: it is encrypted with SOPS, and has \
        what is selected; or it is taken as it stands, and is neither empty nor too large nor, for text, no UTF-8."
    VALUE_PARITY Warning "value-parity" "A value has the same keys in every target."
    LABEL Error "label" "A staging label is 1 to 256 characters, is not one of AWS's own, and points to git or a \
        version id; a secret has 20 at most, AWS's own included."
    CROSS_ACCOUNT Error "cross-account" "A secret is linked with one of another account, in the same region, and a \
        replica there has a key of its own and nothing else that is its primary's."
    CROSS_ACCOUNT_ONE_SIDED Warning "cross-account-one-sided" "Both sides of a link between accounts declare it."
    REPLICA Error "replica" "A replica is in another region, named once."
    REPLICA_PLACE Error "replica-place" "A replica is where no other target of the same account has a secret of its \
        name."
    ENFORCED_ROTATION Warning "enforced-rotation" "What rotation makes is not put back to git's value."
    ROTATION Error "rotation" "A rotation has a function and exactly one schedule."
    ROTATION_SCHEDULE Error "rotation-schedule" "A schedule is rate(...) or cron(...) in a form that Secrets Manager \
        lists, and comes."
    ROTATION_DURATION Error "rotation-duration" "A rotation window is 1 to 24 hours, and ends before the next one \
        begins and with the UTC day."
}
