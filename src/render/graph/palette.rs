//! The colours of the drawings: one for what becomes of a secret, the same in every format.
//!
//! The word stands on each node too, so that nobody has to tell colours apart.

use super::Status;
use crate::plan::Verb;

/// Every status, in the order of a legend.
pub(super) const ALL: [Status; 14] = [
    Status::Planned(Verb::Create),
    Status::Planned(Verb::Move),
    Status::Planned(Verb::Restore),
    Status::Planned(Verb::Adopt),
    Status::Planned(Verb::Change),
    Status::Planned(Verb::Release),
    Status::Planned(Verb::Delete),
    Status::Blocked,
    Status::HeldBack,
    Status::AwaitsValue,
    Status::Unchanged,
    Status::Absent,
    Status::Declared,
    Status::Outside,
];

/// Colours of a node, as `#rrggbb`.
pub(super) struct Colours {
    pub(super) fill: &'static str,
    pub(super) stroke: &'static str,
    pub(super) text: &'static str,
}

/// The class of a node, a word that every format takes for a name.
pub(super) fn class(status: Status) -> &'static str {
    match status {
        Status::Planned(Verb::Create) => "create",
        Status::Planned(Verb::Move) => "move",
        Status::Planned(Verb::Restore) => "restore",
        Status::Planned(Verb::Adopt) => "adopt",
        Status::Planned(Verb::Change) => "change",
        Status::Planned(Verb::Release) => "release",
        Status::Planned(Verb::Delete) => "delete",
        Status::Blocked => "error",
        Status::HeldBack => "heldback",
        Status::AwaitsValue => "awaits",
        Status::Unchanged => "unchanged",
        Status::Absent => "absent",
        Status::Declared => "declared",
        Status::Outside => "outside",
    }
}

/// Whether the outline is dashed: the secret is not, or will not be, or is none of these targets'.
pub(super) fn dashed(status: Status) -> bool {
    matches!(status, Status::Planned(Verb::Delete) | Status::Absent | Status::Blocked | Status::Outside)
}

/// On a light page, and wherever the page's colour is not known.
pub(super) fn light(status: Status) -> Colours {
    let (fill, stroke, text) = match status {
        Status::Planned(Verb::Create) => ("#dafbe1", "#1a7f37", "#0a3d1c"),
        Status::Planned(Verb::Move) => ("#eef1d6", "#66720c", "#343a06"),
        Status::Planned(Verb::Restore) => ("#d3f5f0", "#0f766e", "#083b37"),
        Status::Planned(Verb::Adopt) => ("#ddf4ff", "#0969da", "#0a3069"),
        Status::Planned(Verb::Change) => ("#fff8c5", "#9a6700", "#4d3300"),
        Status::Planned(Verb::Release) => ("#fbefff", "#8250df", "#3e1f79"),
        Status::Planned(Verb::Delete) => ("#ffebe9", "#cf222e", "#66121a"),
        Status::Blocked => ("#fff1e5", "#bc4c00", "#5c2500"),
        Status::HeldBack => ("#eef0f7", "#5a6a8f", "#2b3550"),
        Status::AwaitsValue => ("#f3eee8", "#8a6d4b", "#46341f"),
        Status::Unchanged => ("#f6f8fa", "#8c959f", "#424a53"),
        Status::Absent => ("#ffffff", "#8c959f", "#57606a"),
        Status::Declared => ("#ffffff", "#57606a", "#1f2328"),
        Status::Outside => ("#fdf2f8", "#a83279", "#5c1a42"),
    };
    Colours { fill, stroke, text }
}

/// On a dark page.
pub(super) fn dark(status: Status) -> Colours {
    let (fill, stroke, text) = match status {
        Status::Planned(Verb::Create) => ("#0f2e1a", "#3fb950", "#aff5b4"),
        Status::Planned(Verb::Move) => ("#26290b", "#a9b53a", "#e6ecb0"),
        Status::Planned(Verb::Restore) => ("#0b2f2c", "#2dd4bf", "#b5f5ea"),
        Status::Planned(Verb::Adopt) => ("#0c2d53", "#58a6ff", "#cae8ff"),
        Status::Planned(Verb::Change) => ("#332701", "#d29922", "#f8e3a1"),
        Status::Planned(Verb::Release) => ("#2a1a4a", "#a371f7", "#e2c5ff"),
        Status::Planned(Verb::Delete) => ("#3c1316", "#f85149", "#ffdcd7"),
        Status::Blocked => ("#3d1d05", "#f0883e", "#ffdfb6"),
        Status::HeldBack => ("#1b2236", "#8fa0c8", "#d3dcf2"),
        Status::AwaitsValue => ("#2b241b", "#b89b76", "#ecdcc6"),
        Status::Unchanged => ("#161b22", "#6e7681", "#b1bac4"),
        Status::Absent => ("#0d1117", "#6e7681", "#8b949e"),
        Status::Declared => ("#0d1117", "#8b949e", "#e6edf3"),
        Status::Outside => ("#2f1225", "#e27bb8", "#fbd5ea"),
    };
    Colours { fill, stroke, text }
}
