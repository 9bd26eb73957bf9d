//! What stands for the values of a rehearsal: texts that are equal where the values are known to be equal, and differ
//! where they may differ. None is made of a value.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::apply::WriteSecrets;
use crate::desired::Desired;
use crate::domain::SecretName;
use crate::value::{Arns, GenerateOptions, Identity, SecretValue, Source, ValueError, Values};

/// Names values as the real run does, and makes none.
pub(super) struct Placeholders<'a, V, W> {
    stock: &'a Stock<'a>,
    real: &'a V,
    writer: &'a W,
}

impl<'a, V, W> Placeholders<'a, V, W> {
    /// `real` is asked for version ids alone. `writer` is the copy's, and makes passwords.
    pub(super) fn new(stock: &'a Stock<'a>, real: &'a V, writer: &'a W) -> Self {
        Self { stock, real, writer }
    }
}

impl<V: Values, W: WriteSecrets> Values for Placeholders<'_, V, W> {
    async fn render(&self, source: &Source, _: Option<&SecretValue>, _: &Arns<'_>) -> Result<SecretValue, ValueError> {
        // The password is of no use, but whether the service would make one is.
        for options in generated(source) {
            let made = self.writer.random_password(options).await;
            made.map_err(|error| ValueError::Generate { message: error.to_string() })?;
        }
        Ok(SecretValue::text(self.stock.of(source)))
    }

    fn identity(&self, name: &SecretName, source: &Source, arns: &Arns<'_>) -> Result<Identity, ValueError> {
        self.real.identity(name, source, arns)
    }
}

/// What stands for the values that git declares: one text for each source.
pub(super) struct Stock<'a> {
    /// The different sources by what can be shown of them, which is not enough to tell texts apart.
    sources: BTreeMap<String, Vec<&'a Source>>,
}

impl<'a> Stock<'a> {
    pub(super) fn new(desired: &'a Desired) -> Self {
        let mut sources: BTreeMap<String, Vec<&Source>> = BTreeMap::new();
        for value in desired.secrets.values().filter_map(|desired_secret| desired_secret.value.as_ref()) {
            let alike = sources.entry(shown(&value.source)).or_default();
            if !alike.contains(&&value.source) {
                alike.push(&value.source);
            }
        }
        Self { sources }
    }

    /// What stands for the value of a source.
    pub(super) fn of(&self, source: &Source) -> Zeroizing<String> {
        let shown = shown(source);
        let place = self.sources.get(&shown).and_then(|alike| alike.iter().position(|other| *other == source));
        Zeroizing::new(format!("rehearsed value of git, {shown} {}", place.unwrap_or_default()))
    }
}

/// A source without what it holds.
fn shown(source: &Source) -> String {
    format!("{source:?}")
}

/// What stands for the value of a version that nothing in git is known to be equal to.
pub(super) fn of_version(name: &SecretName, id: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("rehearsed version {id} of {name}"))
}

/// The passwords that a source asks for.
fn generated(source: &Source) -> Vec<&GenerateOptions> {
    match source {
        Source::Generate(options) => vec![options],
        Source::Json(fields) => fields.values().flat_map(generated).collect(),
        Source::Sops(_) | Source::Env(_) | Source::File { .. } | Source::BinaryFile { .. } | Source::Text(_) => {
            Vec::new()
        }
    }
}
