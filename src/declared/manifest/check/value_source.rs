//! From what is written under `value` to the source that is read and rendered, its files found.

use std::collections::BTreeMap;

use super::super::diagnostic::Report;
use super::super::field::{Field, Map, Spanned, Text};
use super::super::named::Files;
use super::super::schema::{GenerateSpec, SopsAs, SopsFormatName, SopsSpec, SourceSpec, ValueSpec};
use super::super::source::Sources;
use crate::value::{GenerateOptions, SopsFormat, SopsPart, Source};

/// The source of a value; none where something about it is wrong, which is reported.
pub(crate) fn source_of(
    value: &ValueSpec,
    files: &mut Files,
    sources: &Sources,
    report: &mut Report,
) -> Option<Source> {
    let ValueSpec { sops, env, file, binary_file, text, generate, json, ownership: _ } = value;
    let written = Written { sops, env, file, binary_file, text, generate, json };
    Finder { files, sources, report }.find(&written)
}

/// The fields of which exactly one is given.
struct Written<'a> {
    sops: &'a Field<SopsSpec>,
    env: &'a Field<String>,
    file: &'a Field<String>,
    binary_file: &'a Field<String>,
    text: &'a Field<Text>,
    generate: &'a Field<GenerateSpec>,
    json: &'a Field<Map<SourceSpec>>,
}

struct Finder<'a> {
    files: &'a mut Files,
    sources: &'a Sources,
    report: &'a mut Report,
}

impl Finder<'_> {
    fn find(&mut self, written: &Written<'_>) -> Option<Source> {
        let Written { sops, env, file, binary_file, text, generate, json } = written;
        // Of several sources, which is reported, none is looked at: who mixes them up may have mixed up a value and a
        // path.
        let given = [sops.is_absent(), env.is_absent(), file.is_absent(), binary_file.is_absent()].map(|none| !none);
        let given = given.into_iter().chain([!text.is_absent(), !generate.is_absent(), !json.is_absent()]);
        if given.filter(|given| *given).count() > 1 {
            return None;
        }
        if let Some(sops) = sops.value() {
            let SopsSpec { file, key, format, as_, allow_unencrypted } = sops;
            let (file, shown) = self.file(file.get()?, "value.sops.file")?;
            return Some(Source::Sops(SopsPart {
                file,
                shown,
                key: key.value().filter(|key| !key.is_empty()).cloned(),
                format: format.value().copied().map(sops_format),
                as_string: as_.value() == Some(&SopsAs::String),
                allow_unencrypted: allow_unencrypted.value() == Some(&true),
            }));
        }
        if let Some(name) = env.value() {
            return Some(Source::Env(name.clone()));
        }
        if let Some(file) = file.get() {
            let (path, shown) = self.file(file, "value.file")?;
            return Some(Source::File { path, shown });
        }
        if let Some(file) = binary_file.get() {
            let (path, shown) = self.file(file, "value.binaryFile")?;
            return Some(Source::BinaryFile { path, shown });
        }
        if let Some(text) = text.value() {
            return Some(Source::Text(text.0.clone()));
        }
        if let Some(options) = generate.value() {
            return Some(Source::Generate(generated(options)));
        }
        // Every field is looked at, so that each missing file is reported.
        let fields: Vec<(String, Option<Source>)> =
            json.value()?.0.iter().map(|(key, source)| (key.value.clone(), self.nested(source))).collect();
        let fields: Option<BTreeMap<String, Source>> =
            fields.into_iter().map(|(key, source)| Some((key, source?))).collect();
        fields.map(Source::Json)
    }

    fn nested(&mut self, source: &Field<SourceSpec>) -> Option<Source> {
        let SourceSpec { sops, env, file, binary_file, text, generate, json } = source.value()?;
        self.find(&Written { sops, env, file, binary_file, text, generate, json })
    }

    fn file(&mut self, named: &Spanned<String>, field: &str) -> Option<(crate::files::ProjectFile, String)> {
        self.files.of_value((&named.value, field), named.span, self.sources, self.report)
    }
}

fn sops_format(name: SopsFormatName) -> SopsFormat {
    match name {
        SopsFormatName::Yaml => SopsFormat::Yaml,
        SopsFormatName::Json => SopsFormat::Json,
        SopsFormatName::Dotenv => SopsFormat::Dotenv,
        SopsFormatName::Ini => SopsFormat::Ini,
        SopsFormatName::Binary => SopsFormat::Binary,
    }
}

fn generated(written: &GenerateSpec) -> GenerateOptions {
    let GenerateSpec {
        length,
        exclude_characters,
        exclude_numbers,
        exclude_punctuation,
        exclude_uppercase,
        exclude_lowercase,
        include_space,
        require_each_included_type,
    } = written;
    let default = GenerateOptions::default();
    let flag = |field: &Field<bool>, default: bool| field.value().copied().unwrap_or(default);
    GenerateOptions {
        // The length was checked; one out of range stops the run before it is used.
        length: length.value().and_then(|length| u16::try_from(*length).ok()).unwrap_or(default.length),
        exclude_characters: exclude_characters.value().cloned().unwrap_or_default(),
        exclude_numbers: flag(exclude_numbers, default.exclude_numbers),
        exclude_punctuation: flag(exclude_punctuation, default.exclude_punctuation),
        exclude_uppercase: flag(exclude_uppercase, default.exclude_uppercase),
        exclude_lowercase: flag(exclude_lowercase, default.exclude_lowercase),
        include_space: flag(include_space, default.include_space),
        require_each_included_type: flag(require_each_included_type, default.require_each_included_type),
    }
}
