//! The rooms of the sandbox: each may know of those below it, and of nothing else of ours.

use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up. A room imports from itself and from what stands before it.
const ROOMS: [&str; 8] = ["clock", "home", "wire", "state", "auth", "faults", "operations", "server"];

/// What the sandbox shares with the rest of the crate: the ground floor, the doors for files, policy documents, and the
/// loop that accepts connections.
const SHARED: [&str; 4] = ["domain", "files", "policy", "serving"];

/// Every file of the rooms with its room and its text, without its unit tests.
fn files() -> Vec<(String, PathBuf, String)> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { collect(&path, found) } else { found.push(path) }
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sandbox");
    let mut found = Vec::new();
    collect(&folder, &mut found);
    let files = found.into_iter().filter_map(|path| {
        let inside = path.strip_prefix(&folder).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        let room = first.trim_end_matches(".rs").to_owned();
        let tests = room == "tests" || room == "mod" || path.file_name().is_some_and(|name| name == "tests.rs");
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap().to_owned();
        (!tests).then_some((room, path, text))
    });
    files.collect()
}

/// The first two names of each path that begins with `crate::`.
fn paths(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("crate::").skip(1).map(|path| {
        let mut names = path.split("::").map(|name| name.split(|c: char| !c.is_alphanumeric() && c != '_').next());
        let mut next = || names.next().flatten().unwrap_or_default();
        (next(), next())
    })
}

#[test]
fn a_room_imports_only_from_the_rooms_below_it() {
    let files = files();
    assert!(ROOMS.iter().all(|room| files.iter().any(|(of, ..)| of == room)), "every room has a file");
    for (room, path, text) in files {
        let height = |room: &str| ROOMS.iter().position(|other| *other == room);
        let own = height(&room).unwrap_or_else(|| panic!("{room} is in no order"));
        assert!(!text.contains("super::super::"), "{}: another room is named from the crate", path.display());
        for (first, second) in paths(&text) {
            if first == "sandbox" {
                let other = height(second);
                assert!(other.is_some_and(|other| other <= own), "{}: {room} knows of {second}", path.display());
            } else {
                assert!(SHARED.contains(&first), "{}: the sandbox knows of {first}", path.display());
            }
        }
    }
}
