//! `spec.value`: exactly one source, filled in correctly. Everything here is reported masked: a literal may be a pasted
//! secret.

use super::super::codes;
use super::super::diagnostic::{Problem, Report};
use super::super::field::{Field, Map};
use super::super::schema::{GenerateSpec, SopsSpec, SourceSpec, ValueSpec};
use super::super::source::Span;
use super::generate::check_generate;
use super::required;

/// The fields that `value` and the fields of its `json` have in common.
struct Sources<'a> {
    sops: &'a Field<SopsSpec>,
    env: &'a Field<String>,
    file: &'a Field<String>,
    binary_file: &'a Field<String>,
    has_text: bool,
    text: Option<Span>,
    generate: &'a Field<GenerateSpec>,
    json: &'a Field<Map<SourceSpec>>,
}

/// Checks a value; whether its files exist is seen when they are resolved. `key` is the place of `value`.
pub(crate) fn check_value(value: &ValueSpec, key: Span, report: &mut Report) {
    let ValueSpec { sops, env, file, binary_file, text, generate, json, ownership: _ } = value;
    let sources = Sources {
        sops,
        env,
        file,
        binary_file,
        has_text: !text.is_absent(),
        text: text.get().map(|text| text.span),
        generate,
        json,
    };
    check_sources(&sources, key, true, report);
}

pub(super) fn problem(span: Span, message: impl Into<String>) -> Problem {
    Problem::new(&codes::VALUE_SOURCE, span, message).masked(true)
}

fn check_sources(sources: &Sources<'_>, key: Span, top: bool, report: &mut Report) {
    let Sources { sops, env, file, binary_file, has_text, text, generate, json } = *sources;
    let places = [
        ("sops", !sops.is_absent(), sops.get().map(|set| set.span)),
        ("env", !env.is_absent(), env.get().map(|set| set.span)),
        ("file", !file.is_absent(), file.get().map(|set| set.span)),
        ("binaryFile", !binary_file.is_absent(), binary_file.get().map(|set| set.span)),
        ("text", has_text, text),
        ("generate", !generate.is_absent(), generate.get().map(|set| set.span)),
        ("json", !json.is_absent(), json.get().map(|set| set.span)),
    ];
    let given: Vec<_> = places.iter().filter(|(_, given, _)| *given).collect();
    match given.as_slice() {
        [] => report.push(
            Problem::new(
                &codes::VALUE_SOURCE,
                key,
                if top {
                    "`value` has no source"
                } else {
                    "a field of `json` \
                has no source"
                },
            )
            .label("where does it come from?")
            .help(
                "it has one of `sops`, `env`, `file`, `binaryFile`, `text`, `generate` and `json`; leave \
                    `value` out when people or rotation own it",
            )
            .masked(!top),
        ),
        [_] => {}
        [first, second, ..] => {
            if let (Some(one), Some(other)) = (first.2, second.2) {
                report.push(
                    problem(other, format!("a value has one source, and here are `{}` and `{}`", first.0, second.0))
                        .label("one of them is too many")
                        .related(one, "the other")
                        .help(
                            "where one comes from the defaults or the secret and is replaced by an override, put \
                            `unset: [value]` into the override",
                        ),
                );
            }
        }
    }
    check_source_fields(sources, top, report);
}

fn check_source_fields(sources: &Sources<'_>, top: bool, report: &mut Report) {
    if let Some(sops) = sources.sops.get() {
        let start = sops.span.begin();
        let _ = required(&sops.value.file, "Secret.spec.value.sops.file", start, report);
        if let Some(key) = sops.value.key.get()
            && !(key.value.is_empty() || key.value.starts_with('/'))
        {
            report.push(
                problem(key.span, "`key` of `sops` is a JSON pointer")
                    .label("begins with /")
                    .help("for example /db/password"),
            );
        }
    }
    if let Some(env) = sources.env.get() {
        check_env(&env.value, env.span, report);
    }
    if !top && let Some(binary) = sources.binary_file.get() {
        report.push(
            problem(binary.span, "`binaryFile` is the whole value, not a field of a JSON object")
                .label("not within `json`"),
        );
    }
    if let Some(generate) = sources.generate.get() {
        check_generate(&generate.value, generate.span, report);
    }
    if let Some(fields) = sources.json.get() {
        if fields.value.0.is_empty() {
            report.push(problem(fields.span, "`json` has no fields").label("at least one"));
        }
        for (key, source) in &fields.value.0 {
            let Some(source) = source.get() else { continue };
            let SourceSpec { sops, env, file, binary_file, text, generate, json } = &source.value;
            let inner = Sources {
                sops,
                env,
                file,
                binary_file,
                has_text: !text.is_absent(),
                text: text.get().map(|text| text.span),
                generate,
                json,
            };
            check_sources(&inner, key.span, false, report);
        }
    }
}

fn check_env(name: &str, span: Span, report: &mut Report) {
    let form = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.len() <= 256
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let upper = name.to_ascii_uppercase();
    if !form {
        report.push(
            problem(span, "`env` is the name of an environment variable")
                .label("letters, digits and _")
                .help("write the variable's name here, never its value"),
        );
    } else if upper.starts_with("AWS_") || upper.starts_with("SOPS_") {
        report.push(
            problem(span, "variables under AWS_ and SOPS_ are never read into a secret")
                .label("refused")
                .help("they hold the credentials that keywright itself works with; a manifest may come from anybody"),
        );
    }
}
