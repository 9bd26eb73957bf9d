//! The formats that text is escaped for.

use std::fmt;

/// A format. Text that is safe in one of them may be a command in another.
pub trait Format: Copy + Default + Ord + fmt::Debug + 'static {
    /// Whether lines may be commands of GitHub's runner.
    const COMMANDS: bool = false;
}

macro_rules! formats {
    ($($(#[$doc:meta])* $name:ident { $($body:tt)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name;

        impl Format for $name {
            $($body)*
        }
    )*};
}

formats! {
    /// A terminal or a log: nothing moves the cursor, hides or reorders text.
    Terminal {}
    /// HTML, SVG and XML, between tags and as the value of an attribute.
    Markup {}
    /// Markdown as GitHub and GitLab read it.
    Markdown {}
    /// A label of a mermaid diagram.
    Mermaid {}
    /// A string of the language DOT.
    Dot {}
    /// Prometheus' text format.
    Prometheus {}
    /// Workflow commands of GitHub's runner: `::error file=…::message`.
    Workflow { const COMMANDS: bool = true; }
    /// The text of a Slack message.
    Slack {}
    /// A field of CSV (RFC 4180), which a spreadsheet takes as text.
    Csv {}
    /// JSON, and what is written in it: SARIF, the body of a webhook.
    Json {}
}
