//! The rooms of the sandbox: each may know of those below it. What else of ours they may know of, `Cargo.toml` says.

use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up. A room imports from itself and from what stands before it.
const ROOMS: [&str; 8] = ["clock", "home", "wire", "state", "auth", "faults", "operations", "server"];

/// Every file of the rooms with its room and its text, without its unit tests.
fn files() -> Vec<(String, PathBuf, String)> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    collect(folder, &mut found);
    let files = found.into_iter().filter_map(|path| {
        let inside = path.strip_prefix(folder).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        let room = first.trim_end_matches(".rs").to_owned();
        let tests = room == "tests" || room == "lib" || path.file_name().is_some_and(|name| name == "tests.rs");
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap().to_owned();
        (!tests).then_some((room, path, text))
    });
    files.collect()
}

/// The first name of each path that begins with `crate::`.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let first = |path: &str| path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
    text.split("crate::").skip(1).map(move |path| &path[..first(path)])
}

#[test]
fn a_room_imports_only_from_the_rooms_below_it() {
    let files = files();
    assert!(ROOMS.iter().all(|room| files.iter().any(|(of, ..)| of == room)), "every room has a file");
    for (room, path, text) in files {
        let height = |room: &str| ROOMS.iter().position(|other| *other == room);
        let own = height(&room).unwrap_or_else(|| panic!("{room} is in no order"));
        assert!(!text.contains("super::super::"), "{}: another room is named from the crate", path.display());
        for first in named(&text) {
            let other = height(first);
            assert!(other.is_some_and(|other| other <= own), "{}: {room} knows of {first}", path.display());
        }
    }
}
