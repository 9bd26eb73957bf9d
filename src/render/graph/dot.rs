//! The drawing as DOT text, for Graphviz and what reads its language.

use std::fmt::Write as _;

use super::super::escape;
use super::{ARROW, Graph, GraphTarget, Node, Status, palette};

/// The graph in the language DOT: one cluster for each target.
pub fn dot(graph: &Graph) -> String {
    let mut out = String::from("digraph keywright {\n");
    let title = format!("Secrets of {} ({ARROW})", graph.project);
    // Writing to a String cannot fail.
    let _ = writeln!(out, "  label=\"{}\"; labelloc=t; rankdir=LR; fontname=\"Helvetica\";", escape::dot(&title));
    out.push_str("  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11];\n");
    out.push_str("  edge [color=\"#57606a\", arrowsize=0.7];\n");
    for (at, target) in graph.targets.iter().enumerate() {
        cluster(&mut out, at, target);
    }
    out.push_str("}\n");
    out
}

fn cluster(out: &mut String, at: usize, target: &GraphTarget) {
    let mut heading = escape::dot(&target.heading());
    if let (Some(note), false) = (target.note, target.nodes.is_empty()) {
        let _ = write!(heading, "\\n{}", escape::dot(note));
    }
    let _ = writeln!(out, "  subgraph cluster_{at} {{\n    label=\"{heading}\"; color=\"#8c959f\"; style=rounded;");
    if target.nodes.is_empty() {
        let note = escape::dot(target.note.unwrap_or("nothing to draw"));
        let _ = writeln!(out, "    t{at}nothing [label=\"{note}\", shape=plaintext, style=\"\"];");
    }
    for (index, node) in target.nodes.iter().enumerate() {
        let palette::Colours { fill, stroke, text } = palette::light(node.status);
        let style = if palette::dashed(node.status) { ", style=\"rounded,filled,dashed\"" } else { "" };
        let _ = writeln!(
            out,
            "    t{at}n{index} [label=\"{}\", fillcolor=\"{fill}\", color=\"{stroke}\", fontcolor=\"{text}\"{style}];",
            label(node)
        );
    }
    for edge in &target.edges {
        let _ = writeln!(out, "    t{at}n{} -> t{at}n{};", edge.needed, edge.waiting);
    }
    out.push_str("  }\n");
}

fn label(node: &Node) -> String {
    let mut label = escape::dot(&node.name);
    if let Some(status) = Status::label(node.status) {
        let _ = write!(label, "\\n{}", escape::dot(&status));
    }
    if !node.replicas.is_empty() {
        let _ = write!(label, "\\n{}", escape::dot(&format!("replicas: {}", node.replicas.join(", "))));
    }
    label
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn targets_are_clusters() {
        insta::assert_snapshot!(dot(&samples::graph()));
    }

    /// Reads quoted strings as Graphviz's lexer does: a backslash takes the next character with it.
    #[test]
    fn no_text_leaves_its_quotation_marks() {
        for text in samples::HOSTILE {
            let drawn = dot(&samples::hostile(text));
            let (mut bare, mut quoted, mut chars) = (String::new(), false, drawn.chars());
            while let Some(c) = chars.next() {
                match c {
                    '"' => quoted = !quoted,
                    '\\' if quoted => assert!(chars.next().is_some_and(|c| matches!(c, '"' | '\\' | 'n')), "{drawn}"),
                    c if quoted => assert!(!c.is_control(), "{drawn}"),
                    c => bare.push(c),
                }
            }
            assert!(!quoted, "{drawn}");
            assert_eq!(bare.matches("label=").count(), 4, "{bare}");
            assert!(!bare.contains(['<', '&', '\'', '%']), "{bare}");
        }
    }
}
