//! One file of the tree, with each of its mutants behind a switch.
//!
//! Nothing of the file is moved: switches are written around expressions, before bodies and into guards, on the lines
//! that are there. A mutant's text is always the original's with cargo-mutants' replacement in it, so that precedence
//! is what it would be in a tree with this mutant alone.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use proc_macro2::TokenStream;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Arm, BinOp, Block, Expr, ExprBinary, Signature};

use crate::list::{Genre, Mutant, Position};

/// How the switch of a mutant is written.
#[derive(Debug)]
enum Way {
    /// Around an expression.
    Around(Range<usize>),
    /// Before the first statement of a body.
    Before(Range<usize>),
    /// Around the statements of a body that answers with `impl Iterator`.
    Iterator(Range<usize>),
    /// As a guard after a pattern, beside the guard that is there.
    Guard { pattern: Range<usize>, guard: Option<Range<usize>> },
    /// The language forbids the mutant itself.
    Forbidden,
    /// It compiles perhaps, but a switch cannot be written there.
    None,
}

/// Which bytes of a file were written for which mutants.
#[derive(Clone, Debug)]
pub struct Written {
    /// The bytes.
    pub range: Range<usize>,
    /// The mutants.
    pub mutants: Vec<usize>,
    /// Whether they are in the place of an iterator, whose type is asked for where the function says what it returns.
    pub is_iterator: bool,
}

/// A file with switches.
#[derive(Debug, Default)]
pub struct Rewritten {
    /// Its text.
    pub text: String,
    /// What was written into it, in the order of the text.
    pub written: Vec<Written>,
    /// The mutants that the language forbids.
    pub forbidden: BTreeSet<usize>,
    /// The mutants that cannot be written behind a switch.
    pub not_expressed: BTreeSet<usize>,
}

/// Writes switches for the mutants of a file.
pub fn rewrite(text: &str, mutants: &[&Mutant]) -> Result<Rewritten, String> {
    let file = syn::parse_file(text).map_err(|error| error.to_string())?;
    let lines = Lines::of(text);
    let spans: Vec<_> = mutants.iter().map(|mutant| lines.range(mutant)).collect();
    let mut finder = Finder {
        mutants,
        spans: &spans,
        chain: Vec::new(),
        match_is_open: false,
        is_const: false,
        ways: BTreeMap::new(),
    };
    finder.visit_file(&file);
    let ways = finder.ways;
    let mut edits = Edits::new(text);
    let mut rewritten = Rewritten::default();
    let mut around: BTreeMap<(usize, usize), Vec<(usize, String)>> = BTreeMap::new();
    for (at, mutant) in mutants.iter().enumerate() {
        let (id, replacement) = (mutant.id, &mutant.replacement);
        match ways.get(&at) {
            Some(Way::Forbidden) => drop(rewritten.forbidden.insert(id)),
            None | Some(Way::None) => drop(rewritten.not_expressed.insert(id)),
            Some(Way::Before(body)) => {
                edits.insert(body.start, format!("if {} {{ return {replacement}; }} ", is_on(id)), &[id]);
            }
            Some(Way::Iterator(body)) => {
                let begin = format!("if {} {{ {OR}::Mutant({replacement}) }} else {{ {OR}::Original({{ ", is_on(id));
                edits.wrap(body, begin, " }) }", &[id]);
            }
            Some(Way::Guard { pattern, guard: None }) => {
                edits.insert(pattern.end, format!(" if !{}", is_on(id)), &[id]);
            }
            Some(Way::Guard { guard: Some(guard), .. }) => {
                edits.wrap(guard, format!("!{} && (", is_on(id)), ")", &[id]);
            }
            Some(Way::Around(root)) => {
                let span = &spans[at];
                let mutated = format!("{} {replacement} {}", &text[root.start..span.start], &text[span.end..root.end]);
                // On one line, so that no line below moves.
                match (syn::parse_str::<Expr>(&mutated), mutated.parse::<TokenStream>()) {
                    (Ok(_), Ok(tokens)) => {
                        // The longest first: what is within it is written within.
                        let place = (root.start, usize::MAX - root.end);
                        around.entry(place).or_default().push((id, tokens.to_string()));
                    }
                    _ => drop(rewritten.forbidden.insert(id)),
                }
            }
        }
    }
    for ((start, end), texts) in around {
        edits.alternatives(&(start..usize::MAX - end), &texts);
    }
    (rewritten.text, rewritten.written) = edits.finish();
    Ok(rewritten)
}

const OR: &str = "crate::mutant::Or";

fn is_on(id: usize) -> String {
    format!("crate::mutant::on({id})")
}

/// Finds where the switch of each mutant goes.
struct Finder<'a> {
    mutants: &'a [&'a Mutant],
    spans: &'a [Range<usize>],
    /// The operators from the outermost to this one, with nothing else between them.
    chain: Vec<&'a ExprBinary>,
    /// In a `match` without an arm that takes all: with a guard in each arm it would not be exhaustive.
    match_is_open: bool,
    /// Where no function can be called that is not `const`.
    is_const: bool,
    ways: BTreeMap<usize, Way>,
}

impl<'a> Finder<'a> {
    fn note(&mut self, genre: Genre, is_it: impl Fn(&Range<usize>) -> bool, way: impl Fn() -> Way) {
        for (at, mutant) in self.mutants.iter().enumerate() {
            if mutant.genre == genre && is_it(&self.spans[at]) {
                self.ways.insert(at, if self.is_const { Way::None } else { way() });
            }
        }
    }

    fn function(&mut self, signature: &'a Signature, body: &'a Block) {
        let outside = std::mem::replace(&mut self.is_const, signature.constness.is_some());
        if let (Some(first), Some(last)) = (body.stmts.first(), body.stmts.last()) {
            let statements = bytes(first).start..bytes(last).end;
            let result = match &signature.output {
                syn::ReturnType::Type(_, result) => Some(&**result),
                syn::ReturnType::Default => None,
            };
            let iterates = |bound: &syn::TypeParamBound| match bound {
                syn::TypeParamBound::Trait(bound) => {
                    bound.path.segments.last().is_some_and(|last| last.ident == "Iterator")
                }
                _ => false,
            };
            self.note(
                Genre::FnValue,
                |span| *span == statements,
                || match result {
                    Some(syn::Type::ImplTrait(result)) if result.bounds.iter().any(iterates) => {
                        Way::Iterator(statements.clone())
                    }
                    Some(syn::Type::ImplTrait(_)) => Way::None,
                    _ => Way::Before(statements.clone()),
                },
            );
        }
        visit::visit_block(self, body);
        self.is_const = outside;
    }

    /// What the operator of the innermost expression of the chain is replaced in. The operand of a `let` of a chain of
    /// conditions is one; the chain itself is none.
    fn operator(&mut self) {
        let Some((here, _)) = self.chain.split_last() else { return };
        let is_logical = |binary: &ExprBinary| matches!(binary.op, BinOp::And(_) | BinOp::Or(_));
        let within = |binary: &&&ExprBinary| is_logical(here) || !is_logical(binary);
        let Some(root) = self.chain.iter().rev().take_while(within).last() else { return };
        let (root, forbidden) = (bytes(root), is_logical(here) && has_let(root));
        let operator = bytes(&here.op);
        self.note(
            Genre::BinaryOperator,
            |span| *span == operator,
            || {
                if forbidden { Way::Forbidden } else { Way::Around(root.clone()) }
            },
        );
    }

    fn in_const(&mut self, visit: impl FnOnce(&mut Self)) {
        let outside = std::mem::replace(&mut self.is_const, true);
        visit(self);
        self.is_const = outside;
    }
}

/// Whether a chain of conditions has a `let`. `||` may not stand in such a chain.
fn has_let(binary: &ExprBinary) -> bool {
    [&binary.left, &binary.right].into_iter().any(|side| match &**side {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(binary),
        _ => false,
    })
}

impl<'a> Visit<'a> for Finder<'a> {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.function(&item.sig, body);
        }
    }

    fn visit_item_const(&mut self, item: &'a syn::ItemConst) {
        self.in_const(|finder| visit::visit_item_const(finder, item));
    }

    fn visit_impl_item_const(&mut self, item: &'a syn::ImplItemConst) {
        self.in_const(|finder| visit::visit_impl_item_const(finder, item));
    }

    fn visit_item_static(&mut self, item: &'a syn::ItemStatic) {
        self.in_const(|finder| visit::visit_item_static(finder, item));
    }

    fn visit_type(&mut self, item: &'a syn::Type) {
        self.in_const(|finder| visit::visit_type(finder, item));
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        let whole = bytes(expression);
        if let Expr::Binary(binary) = expression {
            self.chain.push(binary);
            self.operator();
            visit::visit_expr_binary(self, binary);
            self.chain.pop();
            return;
        }
        let outside = std::mem::take(&mut self.chain);
        match expression {
            Expr::Unary(unary) => {
                let operator = bytes(&unary.op);
                self.note(Genre::UnaryOperator, |span| *span == operator, || Way::Around(whole.clone()));
            }
            Expr::Struct(structure) => {
                for field in &structure.fields {
                    let field = bytes(field).start;
                    self.note(Genre::StructField, |span| span.start == field, || Way::Around(whole.clone()));
                }
            }
            _ => {}
        }
        visit::visit_expr(self, expression);
        self.chain = outside;
    }

    fn visit_expr_match(&mut self, item: &'a syn::ExprMatch) {
        let takes_all = |arm: &Arm| match &arm.pat {
            syn::Pat::Wild(_) => arm.guard.is_none(),
            // A name in small letters is a binding, another may be a variant without fields: `None`.
            syn::Pat::Ident(pattern) => {
                let is_binding = pattern.ident.to_string().starts_with(char::is_lowercase);
                arm.guard.is_none() && pattern.subpat.is_none() && is_binding
            }
            _ => false,
        };
        let outside = std::mem::replace(&mut self.match_is_open, !item.arms.iter().any(takes_all));
        visit::visit_expr_match(self, item);
        self.match_is_open = outside;
    }

    fn visit_arm(&mut self, arm: &'a Arm) {
        let pattern = bytes(&arm.pat);
        let guard = arm.guard.as_ref().map(|(_, guard)| guard);
        // A guard with a `let` makes bindings, which an expression cannot.
        let binds = guard.is_some_and(|guard| match &**guard {
            Expr::Let(_) => true,
            Expr::Binary(binary) => has_let(binary),
            _ => false,
        });
        let guard = guard.map(bytes);
        let (whole, is_open) = (bytes(arm), self.match_is_open);
        self.note(
            Genre::MatchArm,
            |span| span.start == whole.start && span.end >= whole.end - 1,
            || {
                let way = Way::Guard { pattern: pattern.clone(), guard: guard.clone() };
                if binds || is_open { Way::None } else { way }
            },
        );
        if let Some(guard) = &guard {
            self.note(
                Genre::MatchArmGuard,
                |span| span == guard,
                || {
                    if binds { Way::None } else { Way::Around(guard.clone()) }
                },
            );
        }
        visit::visit_arm(self, arm);
    }
}

fn bytes(node: &impl Spanned) -> Range<usize> {
    node.span().byte_range()
}

/// Where the lines of a text begin.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    fn byte(&self, position: Position) -> usize {
        let start = self.starts[position.line - 1];
        let line = &self.text[start..];
        start + line.char_indices().nth(position.column - 1).map_or(line.len(), |(at, _)| at)
    }

    fn range(&self, mutant: &Mutant) -> Range<usize> {
        self.byte(mutant.span.start)..self.byte(mutant.span.end)
    }
}

/// Texts that are written into another.
struct Edits<'a> {
    text: &'a str,
    /// By place: what is written at the end of something that ends here, the innermost first, then what is written
    /// before something that begins here, the outermost first.
    endings: BTreeMap<usize, Vec<Piece>>,
    beginnings: BTreeMap<usize, Vec<Piece>>,
}

/// A text, and for which mutants it is written.
struct Piece {
    text: String,
    mutants: Vec<usize>,
}

impl<'a> Edits<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, endings: BTreeMap::new(), beginnings: BTreeMap::new() }
    }

    fn insert(&mut self, at: usize, text: String, mutants: &[usize]) {
        self.beginnings.entry(at).or_default().push(Piece { text, mutants: mutants.to_vec() });
    }

    /// What was wrapped before, with the same beginning or the same end, is around this.
    fn wrap(&mut self, range: &Range<usize>, begin: String, end: &str, mutants: &[usize]) {
        self.insert(range.start, begin, mutants);
        self.end(range.end, end.to_owned(), mutants);
    }

    fn end(&mut self, at: usize, text: String, mutants: &[usize]) {
        self.endings.entry(at).or_default().insert(0, Piece { text, mutants: mutants.to_vec() });
    }

    /// The original comes first, since it decides the type of all.
    fn alternatives(&mut self, root: &Range<usize>, texts: &[(usize, String)]) {
        let all: Vec<usize> = texts.iter().map(|(id, _)| *id).collect();
        let any = all.iter().map(|id| is_on(*id)).collect::<Vec<_>>().join(" || ");
        self.insert(root.start, format!("(if !({any}) {{ "), &all);
        self.end(root.end, ")".to_owned(), &all);
        for (at, (id, text)) in texts.iter().enumerate().rev() {
            let condition = if at + 1 < texts.len() { format!("if {} ", is_on(*id)) } else { String::new() };
            self.end(root.end, format!(" else {condition}{{ {text} }}"), &[*id]);
        }
        self.end(root.end, " }".to_owned(), &all);
    }

    fn finish(mut self) -> (String, Vec<Written>) {
        let mut out = String::new();
        let mut written = Vec::new();
        let mut done = 0;
        let places: BTreeSet<usize> = self.endings.keys().chain(self.beginnings.keys()).copied().collect();
        for at in places {
            out.push_str(&self.text[done..at]);
            done = at;
            let pieces = [self.endings.remove(&at), self.beginnings.remove(&at)];
            for piece in pieces.into_iter().flatten().flatten() {
                let is_iterator = piece.text.contains(OR);
                let range = out.len()..out.len() + piece.text.len();
                written.push(Written { range, mutants: piece.mutants, is_iterator });
                out.push_str(&piece.text);
            }
        }
        out.push_str(&self.text[done..]);
        (out, written)
    }
}
