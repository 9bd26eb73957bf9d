//! One secret in one target: from merged and interpolated trees to its desired state.

use std::collections::{BTreeMap, BTreeSet};

use super::super::codes;
use super::super::decode::decode;
use super::super::diagnostic::{Problem, Report};
use super::super::effective::{Expand, ExpandedSecret};
use super::super::field::{Field, Spanned};
use super::super::interpolate::{Reference, Variables, fill};
use super::super::layers::Layers;
use super::super::named::Files;
use super::super::schema::{
    Defaults, DeletionSpec, Ownership as OwnershipChoice, PolicySource, SecretMetadata, StateChoice, TagModeChoice,
};
use super::super::source::{Sources, Span};
use super::super::tree::{Kind, Node};
use super::arn::{Home, check_kms_key};
use super::cross_account::CrossAccountFields;
use super::dependencies::Built;
use super::managed::{check_managed, managed_by};
use super::name::check_secret_name;
use super::policy::inline_policy;
use super::policy_lint::{Written, lint_policy};
use super::policy_template;
use super::project::{Project, key_span, recovery_window};
use super::renamed::renamed_from;
use super::replica_place::replica_spans;
use super::required;
use super::rotation::{check_labels, check_replicas, check_rotation};
use super::rule_kept::Declaration;
use super::tags::{TagRules, check_tags};
use super::target::TargetModel;
use super::value::check_value;
use super::value_source::source_of;
use crate::collect::CollectMap as _;
use crate::desired::{
    DEFAULT_RECOVERY_WINDOW_DAYS, Declared, Deletion, DesiredReplica, DesiredRotation, DesiredSecret, DesiredValue,
    LabelHolder, Ownership, PolicyTemplate, RotationSetup, Rotator, State, TagMode,
};
use crate::domain::{AccountId, Arn, KmsKey, Region, SecretName, StagingLabel, Template, VersionId};
use crate::origin::Origin;
use crate::value::{Known, ValueError};

/// Longest description, in characters (CreateSecret, `Description`).
const MAX_DESCRIPTION: usize = 2_048;

/// Longest type, in characters (CreateSecret, `Type`).
const MAX_TYPE: usize = 256;

/// What every secret is built with.
pub(crate) struct Builder<'a> {
    pub(crate) project: &'a Project,
    pub(crate) sources: &'a mut Sources,
    pub(crate) files: &'a mut Files,
    pub(crate) report: &'a mut Report,
    /// The secrets that are shown as they are once everything is expanded.
    pub(crate) expand: Option<&'a Expand>,
    pub(crate) expanded: &'a mut Vec<ExpandedSecret>,
}

/// A Secret document in one target.
pub(crate) struct Document<'a> {
    pub(crate) tree: &'a Node,
    pub(crate) layers: &'a Layers<'a>,
    /// The merged layers.
    pub(crate) spec: &'a Node,
}

/// One secret of a document.
pub(crate) struct Instance<'a> {
    pub(crate) target: &'a TargetModel,
    /// The target's variables, and those of an item.
    pub(crate) variables: &'a dyn Variables,
    /// Where the item is written that it is made of.
    pub(crate) item: Option<Span>,
}

impl Builder<'_> {
    /// Whether `metadata.targets`, with an item filled in, names a target.
    pub(crate) fn is_for(&mut self, tree: &Node, variables: &dyn Variables, target: &TargetModel) -> bool {
        let Some(mut targets) = tree.get("metadata").and_then(|metadata| metadata.get("targets")).cloned() else {
            return true;
        };
        fill(&mut targets, variables, self.sources, self.report);
        let Kind::Seq(groups) = &targets.kind else { return false };
        let mut is_for = false;
        for group in groups {
            match group.as_str().map(|text| self.project.members(text, group.span)) {
                Some(Ok(members)) => is_for |= members.contains(&target.target.name),
                Some(Err(problem)) => self.report.push(*problem),
                None => {}
            }
        }
        is_for
    }

    /// Builds the desired state of one secret; when that cannot be done, gives at least the name, if it is known.
    pub(crate) fn build(
        &mut self,
        document: &Document<'_>,
        instance: &Instance<'_>,
    ) -> Result<Built, Option<SecretName>> {
        let (tree, target) = (document.tree, instance.target);
        let mut metadata = tree.get("metadata").ok_or(None)?.clone();
        let service = managed_by(&metadata);
        let mut spec = document.spec.clone();
        let mut references = fill(&mut spec, instance.variables, self.sources, self.report);
        // Names never hold references; the typed read says so.
        fill(&mut metadata, instance.variables, self.sources, self.report);
        if let Some(expand) = self.expand {
            let expanded = ExpandedSecret::of(document, instance, (&metadata, &spec), expand, self.sources);
            self.expanded.extend(expanded);
        }
        let typed: SecretMetadata = decode(&metadata, false, self.report).ok_or(None)?;
        let named = required(&typed.name, "Secret.metadata.name", key_span(tree, &["metadata"]), self.report);
        let name_fits =
            named.is_some_and(|name| check_secret_name(&name.value, service.as_deref(), name.span, self.report));
        if let Some(name) = named.filter(|_| name_fits) {
            self.check_scope(&name.value, name.span, target);
        }
        // A wrong name is no reason not to report what else is wrong.
        let unbuilt = || named.map(|name| SecretName::new(name.value.as_str()));
        references.extend(dependencies(&typed));
        let fields: Defaults = decode(&spec, false, self.report).ok_or_else(unbuilt)?;
        let state = match typed.state.value() {
            Some(StateChoice::Absent) => State::Absent,
            Some(StateChoice::Present) | None => State::Present,
        };
        let protect = typed.protect.value().copied();
        if protect == Some(true) && state == State::Absent {
            self.protected_and_absent(&metadata);
        }
        if let Some(service) = &service {
            check_managed(service, &metadata, &spec, self.report);
        }
        if let Some(name) = named.filter(|_| name_fits) {
            let (name, name_span) = (name.value.as_str(), name.span);
            let declared = Declaration { name, name_span, state, fields: &fields, spec: &spec, target };
            self.project.rules.check(&declared, self.report);
        }
        let name_span = named.map_or_else(|| key_span(tree, &["metadata"]), |name| name.span);
        let mut value = self.value(&fields, &spec, named.map_or("", |name| name.value.as_str()));
        let mut value_keys = None;
        if let (Some(value), Some(name)) = (&mut value, named.filter(|_| name_fits && state == State::Present)) {
            let known = Known::of_source(&value.source, self.files.encrypted());
            let declared =
                Declaration { name: &name.value, name_span: name.span, state, fields: &fields, spec: &spec, target };
            let span = key_span(&spec, &["value"]);
            value.shapes = self.project.rules.check_value(&declared, (&known, span), self.report);
            value_keys = known.keys().map(|keys| (keys, span));
        }
        let renamed_span = typed.renamed_from.get().map(|name| name.span);
        let renamed_from = renamed_from(&typed, state, target, self.sources, self.report);
        let CrossAccountFields { primary, replica, links } = self.cross_account(&fields, &spec, target);
        let secret = DesiredSecret {
            name: named.map_or_else(|| SecretName::new(""), |name| SecretName::new(name.value.as_str())),
            origin: self.sources.origin(name_span),
            item: instance.item.map(|item| self.sources.origin(item)),
            managed_by: service.clone(),
            state,
            renamed_from,
            protect,
            depends_on: references.iter().map(|reference| reference.name.clone()).collect::<BTreeSet<_>>(),
            description: self.description(&fields, &spec),
            kms_key_id: self.kms_key(&fields, &spec, target),
            tags: fields.tags.get().map(|tags| {
                let mode = match fields.tag_mode.value() {
                    Some(TagModeChoice::Additive) => TagMode::Additive,
                    Some(TagModeChoice::Exact) | None => TagMode::Exact,
                };
                let rules = TagRules {
                    ignored: &self.project.ignore_tags,
                    own: if service.is_some() { 0 } else { 1 + usize::from(protect == Some(true)) },
                    sources: self.sources,
                };
                check_tags(tags.value.as_ref(), key_span(&spec, &["tags"]), mode, &rules, self.report)
            }),
            policy: self.policy(&fields, &spec, named.map_or("", |name| name.value.as_str()), target),
            block_public_policy: fields.block_public_policy.value().copied().unwrap_or(true),
            deletion: deletion(&fields.deletion, self.report),
            value,
            value_expected: fields.value_expected.value().copied().unwrap_or(true),
            labels: self.labels(&fields),
            no_labels: self.no_labels(&fields),
            secret_type: self.secret_type(&fields, &spec),
            rotation: self.rotation(&fields, &spec, target, service.is_some()),
            replicas: self.replicas(&fields, &spec, target),
            cross_account_primary: primary,
            cross_account_replica: replica,
        };
        if name_fits {
            let (item, replica_spans) = (instance.item, replica_spans(&fields));
            Ok(Built { secret, name_span, item, references, links, replica_spans, renamed_span, value_keys })
        } else {
            Err(unbuilt())
        }
    }

    fn check_scope(&mut self, name: &str, span: Span, target: &TargetModel) {
        // A scope that could not be read is reported; every name would be outside it.
        if target.scope.contains(name) || target.scope.prefixes().is_empty() {
            return;
        }
        let prefixes = super::super::diagnostic::listed(target.scope.prefixes().iter().map(String::as_str));
        self.report.push(
            Problem::new(&codes::OUT_OF_SCOPE, span, format!("secret `{name}` is outside the project's scope"))
                .label("begins with no prefix of the scope")
                .help(format!(
                    "in target `{}` names begin with {prefixes} (spec.scope.namePrefixes of the project)",
                    target.target.name
                )),
        );
    }

    fn protected_and_absent(&mut self, metadata: &Node) {
        let state = key_span(metadata, &["state"]);
        let protect = key_span(metadata, &["protect"]);
        self.report.push(
            Problem::new(&codes::PROTECTED_ABSENT, state, "a protected secret cannot be declared absent")
                .label("asks for its deletion")
                .related(protect, "forbids it")
                .help(
                    "to delete the secret, set protect: false and apply that first; to keep it, remove `state: absent`",
                ),
        );
    }

    fn description(&mut self, fields: &Defaults, spec: &Node) -> Option<Declared<Template>> {
        let description = fields.description.get()?;
        let value = description.value.as_ref().map(|text| text.0.clone());
        let length =
            value.as_ref().map_or(0, |text| text.preview(&|_| Some(Arn::of_service(String::new()))).chars().count());
        if length > MAX_DESCRIPTION {
            self.report.push(Problem::new(
                &codes::DESCRIPTION,
                description.span,
                format!("a description has at most {MAX_DESCRIPTION} characters, this one has {length}"),
            ));
        }
        Some(Declared { value, origin: self.sources.origin(key_span(spec, &["description"])) })
    }

    fn kms_key(&mut self, fields: &Defaults, spec: &Node, target: &TargetModel) -> Option<Declared<KmsKey>> {
        let key = fields.kms_key_id.get()?;
        if let Some(value) = &key.value {
            check_kms_key(value, key.span, home(target), self.report);
        }
        let value = key.value.clone().map(KmsKey::of_service);
        Some(Declared { value, origin: self.sources.origin(key_span(spec, &["kmsKeyId"])) })
    }

    fn policy(
        &mut self,
        fields: &Defaults,
        spec: &Node,
        name: &str,
        target: &TargetModel,
    ) -> Option<Declared<PolicyTemplate>> {
        let policy = fields.policy.get()?;
        let key = key_span(spec, &["policy"]);
        // One that is left out may be live all the same, but a new secret gets the default.
        let default_key = fields
            .kms_key_id
            .get()
            .and_then(|key| key.value.as_deref())
            .is_none_or(|key| key == "alias/aws/secretsmanager");
        let origin = self.sources.origin(key);
        let value = match &policy.value {
            None => None,
            Some(PolicySource::Template(file)) => {
                let file = file.get()?;
                let filled = self.filled_template(file, spec.get("policy")?)?;
                let mut found = Report::default();
                let read = inline_policy(&filled, self.sources, &mut found);
                for problem in found.into_problems() {
                    self.report.push(problem.related(file.span, "the template is named here"));
                }
                let (template, is_good) = read?;
                if is_good {
                    lint_policy(&template, &Written::File(file.span), name, target, default_key, self.report);
                }
                Some(template)
            }
            Some(PolicySource::Inline) => {
                let node = spec.get("policy")?;
                let (template, is_good) = inline_policy(node, self.sources, self.report)?;
                if is_good {
                    lint_policy(&template, &Written::Inline(node), name, target, default_key, self.report);
                }
                Some(template)
            }
            Some(PolicySource::File(file)) => {
                if let Some((extra, _)) = spec.get("policy")?.entries().iter().find(|(key, _)| &*key.text != "file") {
                    self.report.push(
                        Problem::new(&codes::POLICY, extra.span, "a policy is either a file or a document, not both")
                            .label("beside `file`")
                            .help(
                                "where one comes from the defaults and is replaced by an override, put `unset: \
                                [policy]` into the override",
                            ),
                    );
                }
                let file = file.get()?;
                let template = self.files.policy(&file.value, file.span, self.sources, self.report)?;
                lint_policy(&template, &Written::File(file.span), name, target, default_key, self.report);
                Some(template)
            }
        };
        Some(Declared { value, origin })
    }

    /// The policy of a template, with its parameters filled in.
    fn filled_template(&mut self, file: &Spanned<String>, policy: &Node) -> Option<Node> {
        let mut others = policy.entries().iter().filter(|(key, _)| !matches!(&*key.text, "template" | "with"));
        if let Some((extra, _)) = others.next() {
            let message = "a policy is either a template or a document, not both";
            self.report.push(Problem::new(&codes::POLICY, extra.span, message).label("beside `template`"));
        }
        let with = policy.get("with");
        if let Some(wrong) = with.filter(|with| !matches!(with.kind, Kind::Map(_) | Kind::Poison)) {
            let message = format!("`with` is a map of parameters, and this is {}", wrong.kind_name());
            self.report.push(Problem::new(&codes::POLICY_TEMPLATE, wrong.span, message));
            return None;
        }
        let template = self.files.template(&file.value, file.span, self.sources, self.report)?;
        policy_template::fill(&template, with, file.span, self.report)
    }

    fn secret_type(&mut self, fields: &Defaults, spec: &Node) -> Option<Declared<String>> {
        let kind = fields.r#type.get()?;
        let value = kind.value.clone();
        if value.as_ref().is_some_and(|text| !(1..=MAX_TYPE).contains(&text.chars().count())) {
            let message = format!("a type has 1 to {MAX_TYPE} characters");
            self.report.push(Problem::new(&codes::ROTATION, kind.span, message));
        }
        Some(Declared { value, origin: self.sources.origin(key_span(spec, &["type"])) })
    }

    fn rotation(
        &mut self,
        fields: &Defaults,
        spec: &Node,
        target: &TargetModel,
        managed: bool,
    ) -> Option<Declared<DesiredRotation>> {
        let rotation = fields.rotation.get()?;
        let key = key_span(spec, &["rotation"]);
        let value = match &rotation.value {
            Some(rotation) => Some(check_rotation(rotation, managed, key, home(target), self.report)?),
            None => None,
        };
        if let Some(DesiredRotation { setup: RotationSetup { rotator: Rotator::External { .. }, .. }, .. }) = &value
            && fields.r#type.set().is_none()
        {
            self.report.push(
                Problem::new(&codes::ROTATION, key, "rotation by a partner needs the secret's `type`")
                    .help("`type` names the partner, for example SalesforceClientSecret"),
            );
        }
        Some(Declared { value, origin: self.sources.origin(key) })
    }

    fn replicas(
        &mut self,
        fields: &Defaults,
        spec: &Node,
        target: &TargetModel,
    ) -> Option<Declared<BTreeMap<Region, DesiredReplica>>> {
        let replicas = fields.replicas.get()?;
        let value =
            replicas.value.as_ref().map(|replicas| check_replicas(replicas, home(target), self.sources, self.report));
        Some(Declared { value, origin: self.sources.origin(key_span(spec, &["replicas"])) })
    }

    /// `spec.value`, checked, with its files found.
    fn value(&mut self, fields: &Defaults, spec: &Node, name: &str) -> Option<DesiredValue> {
        let value = fields.value.get()?;
        let key = key_span(spec, &["value"]);
        check_value(&value.value, key, self.report);
        let source = source_of(&value.value, self.files, self.sources, self.report)?;
        // What is wrong with an encrypted file is seen without its key.
        let wrong = source.identity(&SecretName::new(name), &|_| None, self.files.encrypted()).err();
        for error in wrong.into_iter().chain(source.wrong_files()) {
            let is_pointer = matches!(error, ValueError::LfsPointer { .. });
            let code = if is_pointer { &codes::LFS_POINTER } else { &codes::VALUE_FILE };
            let problem = Problem::new(code, key, error.to_string()).hint(error.hint());
            self.report.push(problem.masked(true).about(error.to_string()).naming_targets());
        }
        let ownership = value.value.ownership.value().map(|ownership| match ownership {
            OwnershipChoice::Enforce => Ownership::Enforce,
            OwnershipChoice::Seed => Ownership::Seed,
        });
        self.warn_of_enforced_rotation(fields);
        Some(DesiredValue { source, shapes: Vec::new(), ownership, origin: self.sources.origin(key) })
    }

    /// Git's value put back over a rotated one is a password that the database no longer takes.
    fn warn_of_enforced_rotation(&mut self, fields: &Defaults) {
        let rotation = fields.rotation.get().filter(|rotation| rotation.value.is_some());
        let ownership = fields.value.get().and_then(|value| value.value.ownership.get());
        if let (Some(rotation), Some(ownership)) = (rotation, ownership)
            && matches!(ownership.value, OwnershipChoice::Enforce)
        {
            let message = "git's value would be put back over every one that rotation makes";
            self.report.push(
                Problem::new(&codes::ENFORCED_ROTATION, ownership.span, message)
                    .label("git owns the value")
                    .related(rotation.span, "and this rotates it")
                    .help(
                        "leave `ownership` out, or write `seed`: git sets the first value, and rotation owns it from \
                         then on",
                    ),
            );
        }
    }

    /// Where `spec.labels` says that there are none.
    fn no_labels(&self, fields: &Defaults) -> Option<Origin> {
        let declared = fields.labels.get()?;
        let none = declared.value.as_ref().is_none_or(|labels| labels.0.is_empty());
        none.then(|| self.sources.origin(declared.span))
    }

    /// `spec.labels`, checked.
    fn labels(&mut self, fields: &Defaults) -> BTreeMap<StagingLabel, (LabelHolder, Origin)> {
        let Some((labels, _)) = fields.labels.set() else { return BTreeMap::new() };
        let is_rotated = fields.rotation.get().is_some_and(|rotation| rotation.value.is_some());
        check_labels(labels, fields.value.get().is_some(), is_rotated, self.report);
        labels
            .0
            .iter()
            .filter_map(|(label, holder)| {
                let holder = holder.get()?;
                let desired = match holder.value.as_str() {
                    "git" => LabelHolder::Git,
                    id => LabelHolder::Version(VersionId::of_service(id)),
                };
                Some((StagingLabel::of_service(label.value.as_str()), (desired, self.sources.origin(label.span))))
            })
            .collect_map()
    }
}

fn dependencies(metadata: &SecretMetadata) -> Vec<Reference> {
    let listed = metadata.depends_on.value().map_or(&[][..], Vec::as_slice);
    listed
        .iter()
        .filter_map(Field::get)
        .map(|name| Reference { name: SecretName::new(name.value.clone()), span: name.span, masked: false })
        .collect()
}

fn home(target: &TargetModel) -> Home<'_> {
    Home {
        target: &target.target.name,
        account: target.target.account.as_ref().map(AccountId::as_str),
        region: target.target.region.as_str(),
    }
}

fn deletion(field: &Field<DeletionSpec>, report: &mut Report) -> Deletion {
    let Some(deletion) = field.value() else { return Deletion::Window(DEFAULT_RECOVERY_WINDOW_DAYS) };
    let window = recovery_window(&deletion.recovery_window_days, report);
    if deletion.force.value() != Some(&true) {
        return Deletion::Window(window.unwrap_or(DEFAULT_RECOVERY_WINDOW_DAYS));
    }
    if let (Some(force), Some(days)) = (deletion.force.get(), deletion.recovery_window_days.get()) {
        report.push(
            Problem::new(
                &codes::RECOVERY_WINDOW,
                force.span,
                "a secret is deleted with a recovery window or at \
                once, not both",
            )
            .label("deletes at once")
            .related(days.span, "keeps it for a while")
            .help(
                "where the window comes from the defaults, put `unset: [deletion]` into an override, or leave \
                    `force` out",
            ),
        );
    }
    Deletion::Force
}
