//! Addresses of resources, as Terraform writes them.

use std::fmt;

use super::super::yaml::quoted;
use super::ResourceKind;
use super::attributes::Loose;

/// A resource's address without any index: what a `removed` block takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceAddress {
    /// The type.
    pub kind: ResourceKind,
    /// `module.a.module.b`; none in the root module.
    pub module: Option<String>,
    /// The name.
    pub name: String,
}

impl fmt::Display for ResourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(module) = &self.module {
            write!(f, "{module}.")?;
        }
        write!(f, "{}.{}", self.kind.name(), self.name)
    }
}

/// The path of a module without the indexes in it; none when it is not the path of a module.
pub(super) fn module_path(written: &str) -> Option<String> {
    let mut path = String::with_capacity(written.len());
    let mut rest = written.chars();
    while let Some(c) = rest.next() {
        if c == '[' {
            skip_index(&mut rest)?;
        } else {
            path.push(c);
        }
    }
    let mut steps = path.split('.');
    loop {
        match (steps.next(), steps.next()) {
            (Some("module"), Some(name)) if is_identifier(name) => {}
            (None, None) => return Some(path),
            _ => return None,
        }
    }
}

/// Skips to the end of `[0]` or `["key"]`, in which a key may hold anything.
fn skip_index(rest: &mut std::str::Chars<'_>) -> Option<()> {
    let mut in_quotes = false;
    loop {
        match rest.next()? {
            '\\' if in_quotes => {
                rest.next()?;
            }
            '"' => in_quotes = !in_quotes,
            ']' if !in_quotes => return Some(()),
            _ => {}
        }
    }
}

/// The index of an instance as it stands in an address: nothing, `[0]` or `["key"]`.
pub(super) fn index(key: Option<&Loose>) -> String {
    match key {
        Some(Loose::Number(number)) => format!("[{number}]"),
        // In HCL `${` and `%{` begin a template, also in a key.
        Some(Loose::Text(text)) => format!("[{}]", quoted(text).replace("${", "$${").replace("%{", "%%{")),
        _ => String::new(),
    }
}

/// A name as Terraform takes it.
pub(super) fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_lose_their_indexes() {
        assert_eq!(module_path("module.a").as_deref(), Some("module.a"));
        assert_eq!(module_path("module.a[\"x].\\\"y\"].module.b[0]").as_deref(), Some("module.a.module.b"));
        assert_eq!(module_path("module.a[\"x"), None);
        assert_eq!(module_path("module"), None);
        assert_eq!(module_path("module.a\n}"), None);
    }

    #[test]
    fn indexes_are_quoted_as_hcl() {
        assert_eq!(index(Some(&Loose::Number(3))), "[3]");
        assert_eq!(index(Some(&Loose::Text("a\"b\n${c}".to_owned()))), "[\"a\\\"b\\n$${c}\"]");
        assert_eq!(index(None), "");
    }
}
