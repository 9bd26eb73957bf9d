//! A generated fleet, and the same written out by hand: what comes of both is the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;

use super::{Loaded, load_files};
use keywright::render::diagnostics;

/// What a fleet is made of.
#[derive(Clone, Debug)]
struct Fleet {
    stages: Vec<String>,
    regions: Vec<String>,
    /// A combination that is left out, by its place.
    excluded: Option<(usize, usize)>,
    /// Tenants with their plan and, where it is not all of them, the stage that they are in.
    tenants: BTreeMap<String, (String, Option<usize>)>,
    folder_tag: Option<String>,
    /// Overrides: the stage, and the tag's value.
    overrides: Vec<(usize, String)>,
    list_in_file: bool,
}

fn fleets() -> impl Strategy<Value = Fleet> {
    let words = || prop::sample::select(vec!["gold", "free", "${x}", "a b", "", "1.10", "true", "é"]);
    let stages = prop::sample::subsequence(vec!["dev", "test", "prod"], 1..=3);
    let regions = prop::sample::subsequence(vec!["eu-west-1", "us-east-1"], 1..=2);
    let tenants = prop::collection::btree_map("[a-z]{1,6}[0-9]?", (words(), prop::option::of(0..3_usize)), 0..6);
    let overrides = prop::collection::vec((0..3_usize, words()), 0..3);
    let excluded = prop::option::of((0..3_usize, 0..2_usize));
    (stages, regions, excluded, tenants, prop::option::of(words()), overrides, any::<bool>()).prop_map(
        |(stages, regions, excluded, tenants, folder_tag, overrides, list_in_file)| {
            let own = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect::<Vec<_>>();
            let tenants = tenants.into_iter().map(|(name, (plan, stage))| (name, (plan.to_owned(), stage)));
            Fleet {
                stages: own(stages),
                regions: own(regions),
                excluded,
                tenants: tenants.collect(),
                folder_tag: folder_tag.map(str::to_owned),
                overrides: overrides.into_iter().map(|(stage, tag)| (stage, tag.to_owned())).collect(),
                list_in_file,
            }
        },
    )
}

impl Fleet {
    /// The combinations that there are: stage and region. One is always left.
    fn targets(&self) -> Vec<(&str, &str)> {
        let mut targets = Vec::new();
        for (at, stage) in self.stages.iter().enumerate() {
            for (beside, region) in self.regions.iter().enumerate() {
                if self.excluded != Some((at, beside)) || self.stages.len() * self.regions.len() == 1 {
                    targets.push((stage.as_str(), region.as_str()));
                }
            }
        }
        targets
    }

    /// The stages of which there is a target.
    fn stage(&self, at: usize) -> Option<&str> {
        let stage = self.stages.get(at)?;
        self.targets().iter().any(|(known, _)| known == stage).then_some(stage.as_str())
    }

    fn exclude(&self) -> String {
        let excluded = self.excluded.filter(|_| self.stages.len() * self.regions.len() > 1);
        let pair = excluded.and_then(|(stage, region)| Some((self.stages.get(stage)?, self.regions.get(region)?)));
        pair.map_or_else(String::new, |(stage, region)| {
            format!("        exclude: [{{ stage: {stage}, region: {region} }}]\n")
        })
    }

    fn overrides(&self) -> Vec<(&str, &str)> {
        let mut overrides: Vec<(&str, &str)> = Vec::new();
        for (stage, tag) in &self.overrides {
            if let Some(stage) = self.stage(*stage)
                && overrides.iter().all(|(known, _)| *known != stage)
            {
                overrides.push((stage, tag));
            }
        }
        overrides
    }

    fn home(&self, stage: Option<usize>) -> String {
        stage.and_then(|stage| self.stage(stage)).map_or_else(|| "*".to_owned(), |stage| format!("stage={stage}"))
    }

    /// As the language has it.
    fn short(&self) -> Vec<(String, String)> {
        let project = format!(
            "apiVersion: keywright/v1\nkind: Project\nmetadata: {{ name: fleet }}\nspec:\n  vars: {{ host: \
             \"${{stage}}.example\" }}\n  maps: {{ accounts: {{ dev: \"111111111111\", test: \"222222222222\", prod: \
             \"333333333333\" }} }}\n  targets:\n    - name: \"${{stage}}-${{region}}\"\n      account: \
             \"${{accounts.${{stage}}}}\"\n      region: \"${{region}}\"\n      labels: {{ stage: \"${{stage}}\" \
             }}\n      \
             matrix:\n        stage: [{}]\n        region: [{}]\n{}  scope: {{ namePrefixes: [\"${{stage}}/\"] }}\n",
            self.stages.join(", "),
            self.regions.join(", "),
            self.exclude(),
        );
        let mut files = vec![("keywright.yaml".to_owned(), project)];
        if let Some(tag) = &self.folder_tag {
            let tag = quoted(&tag.replace("${", "$${"));
            let text = format!("apiVersion: keywright/v1\nkind: Defaults\nspec: {{ tags: {{ folder: {tag} }} }}\n");
            files.push(("s/defaults.yaml".to_owned(), text));
        }
        let mut csv = "name,plan,home\n".to_owned();
        let mut inline = String::new();
        for (name, (plan, stage)) in &self.tenants {
            let home = self.home(*stage);
            let _ = writeln!(csv, "{name},{plan},{home}");
            let plan = quoted(&plan.replace("${", "$${"));
            let _ = writeln!(inline, "  - {{ name: {name}, plan: {plan}, home: \"{home}\" }}");
        }
        let list = match (self.list_in_file, inline.is_empty()) {
            (true, _) => " { file: list.csv }\n".to_owned(),
            (false, true) => " []\n".to_owned(),
            (false, false) => format!("\n{inline}"),
        };
        let mut secret = format!(
            "apiVersion: keywright/v1\nkind: Secret\nforEach:{list}metadata:\n  name: ${{stage}}/t/${{each.name}}\n  \
             targets: [\"${{each.home}}\"]\nspec:\n  description: ${{each.name}} at ${{host}}, ${{target.account}}\n  \
             tags: {{ plan: \"${{each.plan}}\" }}\n"
        );
        let overrides = self.overrides();
        if !overrides.is_empty() {
            secret.push_str("  overrides:\n");
        }
        for (stage, tag) in overrides {
            let tag = quoted(&tag.replace("${", "$${"));
            let _ = writeln!(secret, "    \"stage={stage}\": {{ tags: {{ plan: {tag}, over: {tag} }} }}");
        }
        files.push(("s/secrets.yaml".to_owned(), secret));
        files.push(("s/list.csv".to_owned(), csv));
        files
    }

    /// The same by hand: every target, and every secret of it.
    fn long(&self) -> Vec<(String, String)> {
        let mut project =
            "apiVersion: keywright/v1\nkind: Project\nmetadata: { name: fleet }\nspec:\n  targets:\n".to_owned();
        let mut secrets = String::new();
        for (stage, region) in self.targets() {
            let account = match stage {
                "dev" => "111111111111",
                "test" => "222222222222",
                _ => "333333333333",
            };
            let _ = writeln!(
                project,
                "    - {{ name: {stage}-{region}, account: \"{account}\", region: {region}, vars: {{ stage: {stage} \
                 }} }}"
            );
            for (name, (plan, home)) in &self.tenants {
                if home.and_then(|home| self.stage(home)).is_some_and(|home| home != stage) {
                    continue;
                }
                let over = self.overrides().into_iter().find(|(over, _)| *over == stage).map(|(_, tag)| tag);
                let mut tags = vec![format!("plan: {}", quoted(&over.unwrap_or(plan).replace("${", "$${")))];
                let literal = |key: &str, tag: &str| format!("{key}: {}", quoted(&tag.replace("${", "$${")));
                tags.extend(over.map(|tag| literal("over", tag)));
                tags.extend(self.folder_tag.as_deref().map(|tag| literal("folder", tag)));
                let _ = write!(
                    secrets,
                    "---\napiVersion: keywright/v1\nkind: Secret\nmetadata: {{ name: {stage}/t/{name}, targets: \
                     [{stage}-{region}] }}\nspec:\n  description: \"{name} at {stage}.example, {account}\"\n  \
                     tags: {{ {} \
                     }}\n",
                    tags.join(", ")
                );
            }
        }
        project.push_str("  scope: { namePrefixes: [\"${stage}/\"] }\n");
        vec![("keywright.yaml".to_owned(), project), ("all.yaml".to_owned(), secrets)]
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// What is desired, without the places where it is written.
fn desired(loaded: &Loaded) -> Vec<String> {
    let places =
        regex::Regex::new(r"(origin|item): [^,}]*|[a-z/]+\.yaml:[0-9]+:[0-9]+").unwrap_or_else(|_| unreachable!());
    let of_target = |desired: &keywright::desired::Desired| {
        let all = format!("{:?} {:?} {:?}", desired.target, desired.scope, desired.secrets);
        places.replace_all(&all, "").into_owned()
    };
    loaded.desired.iter().map(of_target).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_fleet_means_the_same_as_its_secrets_written_out(fleet in fleets()) {
        let (short, long) = (load_files(&fleet.short(), &[]), load_files(&fleet.long(), &[]));
        for loaded in [&short, &long] {
            let text = diagnostics::text(&loaded.diagnostics, false);
            prop_assert!(!loaded.diagnostics.has_errors(), "{}", text);
        }
        prop_assert_eq!(short.desired.len(), fleet.targets().len());
        prop_assert_eq!(desired(&short), desired(&long));
    }
}
