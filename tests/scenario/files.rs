//! What an unlucky operator does to the files of a project, beside writing them.

use std::path::Path;

use super::sections::Header;

/// Carries out a section that changes files.
pub(crate) fn change(project: &Path, header: &Header, body: &str) -> std::io::Result<()> {
    let place = |name: &str| project.join(name);
    match header {
        Header::Bytes(name) => std::fs::write(place(name), unescaped(body.trim_end_matches('\n'))),
        Header::Remove(name) if place(name).symlink_metadata()?.is_dir() => std::fs::remove_dir_all(place(name)),
        Header::Remove(name) => std::fs::remove_file(place(name)),
        Header::Move { from, to } => {
            if let Some(parent) = place(to).parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::rename(place(from), place(to))
        }
        Header::Link { path, target } => std::os::unix::fs::symlink(target, place(path)),
        _ => Ok(()),
    }
}

/// The bytes that a line of text writes: `\n`, `\r`, `\0` and `\xFF` with a backslash, everything else as it is.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let (byte, length) = match after.as_bytes() {
            [b'n', ..] => (b'\n', 1),
            [b'r', ..] => (b'\r', 1),
            [b'0', ..] => (0, 1),
            [b'x', ..] => (after.get(1..3).and_then(|hex| u8::from_str_radix(hex, 16).ok()).expect("\\xFF"), 3),
            _ => (b'\\', usize::from(after.starts_with('\\'))),
        };
        bytes.push(byte);
        rest = &after[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}
