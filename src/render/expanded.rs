//! Secrets as they are once matrices, lists, layers and variables are expanded: as manifests, as JSON, and one of them
//! field by field with the lines that gave it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::escape::{self, Escaped, Json, Terminal};
use super::escaped;
use super::paint::Paint;
use super::rows::place;
use crate::collect::CollectMap as _;
use crate::import::shown;
use crate::manifest::{EffectiveField, ExpandedSecret, Layer, TargetOutline};
use crate::origin::Origin;

/// The version of the format of [`json`].
pub const FORMAT_VERSION: &str = "1";

/// Manifests without variables, one document a secret, target by target. Literal values are `***`.
pub fn manifests(targets: &[TargetOutline], secrets: &[ExpandedSecret]) -> Escaped<Terminal> {
    let mut out = Escaped::default();
    for target in targets {
        let of_target = secrets.iter().filter(|secret| secret.target == target.name);
        let account = target.account.as_deref().unwrap_or("any account");
        let mut first = true;
        for secret in of_target {
            if first {
                let head = escaped!(
                    "# {}  {} · {}\n",
                    escape::line(&target.name),
                    escape::line(account),
                    escape::line(&target.region)
                );
                out.push(&head);
                first = false;
            }
            let item: Option<Escaped<Terminal>> = secret.item.as_ref().map(|item| escaped!(" for {}", place(item)));
            out.push(&escaped!("---\n# {}{}\n", place(&secret.origin), item));
            out.push(&yaml(&secret.document));
        }
    }
    out
}

/// A document as YAML that every reader, old or new, takes for what it is, and that a terminal can show.
fn yaml(document: &Value) -> Escaped<Terminal> {
    escape::block(&shown(document))
}

/// The targets and their secrets as one JSON document.
pub fn json(targets: &[TargetOutline], secrets: &[ExpandedSecret]) -> Escaped<Json> {
    let of_target = |target: &TargetOutline| {
        let secrets = secrets.iter().filter(|secret| secret.target == target.name);
        let secrets: Vec<Value> = secrets
            .map(|secret| {
                json!({
                    "name": secret.name,
                    "origin": at(&secret.origin),
                    "item": secret.item.as_ref().map(at),
                    "document": secret.document,
                })
            })
            .collect();
        json!({
            "name": target.name,
            "account": target.account,
            "region": target.region,
            "assumeRole": target.assume_role,
            "labels": target.labels,
            "vars": target.vars.iter().cloned().collect_map(),
            "combination": target.combination,
            "origin": target.origin.as_ref().map(at),
            "secrets": secrets,
        })
    };
    escape::json(&json!({
        "formatVersion": FORMAT_VERSION,
        "targets": targets.iter().map(of_target).collect::<Vec<_>>(),
    }))
}

fn at(origin: &Origin) -> Value {
    json!({ "file": &*origin.file, "line": origin.line, "column": origin.column })
}

/// One secret field by field: its value in each target, the line that gave it, and what that line belongs to.
pub fn effective(paint: Paint, secrets: &[ExpandedSecret]) -> Escaped<Terminal> {
    let Some(first) = secrets.first() else { return Escaped::default() };
    let item: Option<Escaped<Terminal>> = first.item.as_ref().map(|item| escaped!(", for the item at {}", place(item)));
    let mut out = escaped!("Declared at {}{}\n", place(&first.origin), item);
    let targets: BTreeSet<&str> = secrets.iter().map(|secret| secret.target.as_str()).collect();
    for path in paths(secrets) {
        out.push(&escaped!("\n  {}\n", paint.strong(escape::line(path))));
        let mut variants: Vec<(&EffectiveField, Vec<&str>)> = Vec::new();
        let mut missing = targets.clone();
        for secret in secrets {
            for field in secret.fields.iter().filter(|field| field.path == path) {
                missing.remove(secret.target.as_str());
                match variants.iter_mut().find(|(known, _)| *known == field) {
                    Some((_, targets)) => targets.push(&secret.target),
                    None => variants.push((field, vec![&secret.target])),
                }
            }
        }
        for (field, within) in variants {
            let value = field.value.to_string();
            let within = some_of(&within, targets.len());
            out.push(&escaped!("    {}{}\n", escape::line(&value), paint.faint(within)));
            out.push(&escaped!("        {}\n", paint.faint(given_by(field))));
        }
        if !missing.is_empty() {
            let missing: Vec<&str> = missing.into_iter().collect();
            out.push(&escaped!(
                "    {}{}\n",
                paint.faint("not managed"),
                paint.faint(some_of(&missing, targets.len()))
            ));
        }
    }
    out
}

/// The fields of all targets, in the order in which they are merged.
fn paths(secrets: &[ExpandedSecret]) -> Vec<&str> {
    let mut known = BTreeSet::new();
    let all = secrets.iter().flat_map(|secret| &secret.fields).map(|field| field.path.as_str());
    all.filter(|path| known.insert(*path)).collect()
}

fn some_of(within: &[&str], all: usize) -> Escaped<Terminal> {
    if within.len() == all && all > 1 {
        return "  in all targets".into();
    }
    escaped!("  in {}", Escaped::join(within.iter().map(|target| escape::line(target)), ", "))
}

fn given_by(field: &EffectiveField) -> Escaped<Terminal> {
    let layer: Escaped<Terminal> = match &field.layer {
        Layer::Shared => "shared defaults".into(),
        Layer::Project => "the project's defaults".into(),
        Layer::Folder(None) => "its folder's defaults".into(),
        Layer::Folder(Some(targets)) => escaped!("its folder's override for {}", escape::line(targets)),
        Layer::Secret => "the secret itself".into(),
        Layer::Override(targets) => escaped!("its override for {}", escape::line(targets)),
        Layer::Template => "a policy's template".into(),
    };
    let filled = field
        .filled
        .iter()
        .map(|(name, at)| -> Escaped<Terminal> { escaped!("{} at {}", escape::line(name), place(at)) });
    let filled = Escaped::join(filled, ", ");
    let with: Option<Escaped<Terminal>> = (!filled.is_empty()).then(|| escaped!("; {}", filled));
    escaped!("{}  {}{}", place(&field.origin), layer, with)
}
