//! Text that may wait for the ARN of another secret.

use super::{Arn, SecretName};

/// Text that may hold ARNs of other secrets, which are known only when those exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

/// A piece of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text as it is.
    Text(String),
    /// The ARN of another secret: `${secret:NAME:arn}`.
    SecretArn(SecretName),
}

impl Template {
    /// Text without any reference.
    pub fn text(text: impl Into<String>) -> Self {
        Self { parts: vec![Part::Text(text.into())] }
    }

    /// A template of these pieces, in order.
    pub fn new(parts: Vec<Part>) -> Self {
        Self { parts }
    }

    /// Its pieces, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The secrets whose ARNs it needs.
    pub fn references(&self) -> impl Iterator<Item = &SecretName> {
        self.parts.iter().filter_map(|part| match part {
            Part::SecretArn(name) => Some(name),
            Part::Text(_) => None,
        })
    }

    /// The text, or the first secret whose ARN is not known yet.
    pub fn resolve(&self, arns: &dyn Fn(&SecretName) -> Option<Arn>) -> Result<String, SecretName> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(piece) => text.push_str(piece),
                Part::SecretArn(name) => text.push_str(arns(name).ok_or_else(|| name.clone())?.as_str()),
            }
        }
        Ok(text)
    }

    /// The template with every ARN filled in that is known; adjoining text becomes one piece.
    #[must_use]
    pub fn settle(&self, arns: &dyn Fn(&SecretName) -> Option<Arn>) -> Self {
        let mut parts: Vec<Part> = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let settled = match part {
                Part::Text(text) => Part::Text(text.clone()),
                Part::SecretArn(name) => arns(name).map_or_else(|| part.clone(), |arn| Part::Text(arn.to_string())),
            };
            match (parts.last_mut(), settled) {
                (Some(Part::Text(before)), Part::Text(text)) => before.push_str(&text),
                (_, settled) => parts.push(settled),
            }
        }
        Self { parts }
    }

    /// The text with `(known after apply)` for every ARN that is not known yet.
    pub fn preview(&self, arns: &dyn Fn(&SecretName) -> Option<Arn>) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(piece) => piece.clone(),
                Part::SecretArn(name) => {
                    arns(name).map_or_else(|| format!("(ARN of {name}, known after apply)"), |arn| arn.to_string())
                }
            })
            .collect()
    }
}
