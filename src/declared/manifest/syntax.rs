//! What granit-parser's errors mean to somebody who writes a manifest.

use granit_parser::ErrorKind;

use super::codes;
use super::diagnostic::Problem;
use super::parse::MAX_DEPTH;
use super::source::Span;

/// A syntax error with what is usually meant. Nothing of the source is in it.
pub(crate) fn problem(kind: &ErrorKind, span: Span) -> Problem {
    if matches!(kind, ErrorKind::RecursionLimitExceeded) {
        return Problem::new(&codes::YAML_TOO_DEEP, span, format!("this is nested more than {MAX_DEPTH} deep"));
    }
    let (message, help) = describe(kind);
    Problem::new(&codes::YAML_SYNTAX, span, message)
        .label("the YAML stops making sense here")
        .help_if(help.map(str::to_owned))
}

const INDENT: Option<&str> =
    Some("keys of one map begin in the same column; what belongs to a key is indented with spaces");
const QUOTE: Option<&str> =
    Some("a text with `: `, ` #`, or a first character such as { [ * & ! % @ ` is written in quotes");

fn describe(kind: &ErrorKind) -> (&'static str, Option<&'static str>) {
    use ErrorKind as K;
    match kind {
        K::UnexpectedEofFlowSequence | K::UnclosedFlowCollection { open: '[' } => {
            ("a `[` is never closed", Some("close it with `]`"))
        }
        K::UnexpectedEofFlowMapping | K::UnexpectedEofImplicitFlowMapping | K::UnclosedFlowCollection { .. } => {
            ("a `{` is never closed", Some("close it with `}`"))
        }
        K::ExpectedFlowMappingSeparator => (
            "expected `,` or `}` in a map that began with `{`",
            Some("end the map with `}`, or put `,` between its entries"),
        ),
        K::ExpectedFlowSequenceSeparator => (
            "expected `,` or `]` in a list that began with `[`",
            Some("end the list with `]`, or put `,` between its items"),
        ),
        K::MisplacedFlowCollectionEnd | K::MismatchedFlowCollectionEnd { .. } => {
            ("a closing bracket that matches no opening one", None)
        }
        K::UnclosedQuotedScalar => {
            ("a quote is never closed", Some("close the text with the quote that it began with"))
        }
        K::InvalidTrailingSingleQuotedScalar | K::InvalidTrailingDoubleQuotedScalar => (
            "text after a closing quote",
            Some("a quote within quoted text is written \\\" in double quotes, '' in single quotes"),
        ),
        K::UnknownQuotedScalarEscape => (
            "an unknown escape in double quotes",
            Some("write \\\\ for a backslash, or use single quotes, in which nothing is escaped"),
        ),
        K::InvalidQuotedScalarHexEscape
        | K::InvalidLowSurrogateHexEscape
        | K::InvalidLowSurrogate
        | K::MissingLowSurrogate
        | K::UnpairedLowSurrogate
        | K::InvalidUnicodeEscape => ("an escape in double quotes that is no character", None),
        K::TabNotAllowed
        | K::TabInBlockIndentation
        | K::TabInIndentation
        | K::TabAtBlockScalarStart
        | K::TabInPlainScalar => ("a tab where YAML allows only spaces", Some("indent with spaces")),
        K::InvalidIndentation
        | K::InvalidBlockScalarIndent
        | K::InvalidQuotedScalarIndent
        | K::InvalidFlowScalarIndent => ("the indentation fits no line above", INDENT),
        K::ExpectedBlockMappingKey | K::UnexpectedEofBlockMapping => ("expected a key of the map above", INDENT),
        K::ExpectedBlockSequenceEntry | K::UnexpectedEofBlockSequence => {
            ("expected `- ` and an item of the list above", INDENT)
        }
        K::SimpleKeyExpected | K::InvalidSimpleKey => {
            ("expected `:` after a key", Some("a key and its value are written `key: value`"))
        }
        K::MappingValueNotAllowed
        | K::MappingKeyNotAllowed
        | K::InvalidMappingValueWhitespace
        | K::InvalidColonPlacement => ("a `:` where no key can be", QUOTE),
        K::BlockEntryInFlowCollection
        | K::BlockSequenceEntryNotAllowed
        | K::InvalidBlockEntryWhitespace
        | K::PlainScalarStartsWithDashFlowIndicator => ("a `-` where no list item can be", INDENT),
        K::UnexpectedCharacter { .. } => ("a character that cannot begin a text", QUOTE),
        K::CommentNotSeparated | K::CommentInterceptedScalar => {
            ("a `#` in the wrong place", Some("a comment has a space before `#`; a text with `#` is written in quotes"))
        }
        K::MissingAnchorOrAliasName => {
            ("a `&` or `*` without a name", Some("a text that begins with & or * is written in quotes"))
        }
        K::UndeclaredTagHandle
        | K::InvalidTagTerminator
        | K::MissingTagUri
        | K::UnclosedVerbatimTag
        | K::ExpectedTagBang => {
            ("a `!` begins a YAML tag, and this is none", Some("a text that begins with ! is written in quotes"))
        }
        K::ExpectedDocumentStart | K::InvalidDocumentEnd | K::MissingDocumentEndBeforeDirective => {
            ("text that belongs to no document", Some("documents are separated by a line `---`"))
        }
        K::BomInsideDocument => {
            ("a byte-order mark in the middle of the file", Some("remove the invisible character U+FEFF"))
        }
        K::ZeroBlockScalarIndent | K::InvalidBlockScalarHeader => {
            ("`|` and `>` are followed by a line break, and perhaps + or - before it", None)
        }
        K::DocumentIndicatorInQuotedScalar => {
            ("`---` inside quoted text, where a quote may never have been closed", None)
        }
        K::UnsupportedYamlMajorVersion | K::DuplicateVersionDirective | K::MissingYamlVersion => {
            ("a %YAML line that is not valid", Some("remove it: manifests need none"))
        }
        _ => ("this is not valid YAML", QUOTE),
    }
}
