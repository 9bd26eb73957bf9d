//! The targets of a project as they are once matrices are expanded and variables filled in.

use super::escape::{self, Escaped, Terminal};
use super::escaped;
use super::paint::Paint;
use crate::manifest::TargetOutline;

/// One target a block: where it is, what made it, and what can be said of it.
pub fn text(paint: Paint, targets: &[TargetOutline]) -> Escaped<Terminal> {
    let mut out = Escaped::default();
    for (at, target) in targets.iter().enumerate() {
        if at > 0 {
            out.push(&"\n");
        }
        out.push(&block(paint, target));
    }
    out
}

fn block(paint: Paint, target: &TargetOutline) -> Escaped<Terminal> {
    let TargetOutline { name, account, region, assume_role, labels, vars, combination, origin, prefixes, defaults: _ } =
        target;
    let account = account.as_deref().unwrap_or("any account");
    let mut out =
        escaped!("{}  {} · {}", paint.strong(escape::line(name)), escape::line(account), escape::line(region.as_str()));
    if let Some(origin) = origin {
        out.push(&escaped!("  {}:{}", escape::line(&origin.file), u64::from(origin.line)));
    }
    out.push(&"\n");
    let mut row = |name: &'static str, text: String| {
        if !text.is_empty() {
            out.push(&escaped!("  {}  {}\n", name, escape::line(&text)));
        }
    };
    row("matrix", combination.clone());
    row("role  ", assume_role.clone().unwrap_or_default());
    row("labels", pairs(labels.iter(), "=", ","));
    row("vars  ", pairs(vars.iter().map(|(name, text)| (name, text)), " = ", "; "));
    let prefixes: Vec<&str> = prefixes.iter().map(|prefix| prefix.filled.as_str()).collect();
    row("scope ", prefixes.join(", "));
    out
}

fn pairs<'a>(pairs: impl Iterator<Item = (&'a String, &'a String)>, equals: &str, between: &str) -> String {
    let pairs: Vec<String> = pairs.map(|(name, text)| format!("{name}{equals}{text}")).collect();
    pairs.join(between)
}
