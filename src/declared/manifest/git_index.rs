//! git's index of a work tree, as far as it says what the work tree leaves out: entries marked skip-worktree, which a
//! sparse checkout sets, and folders of a sparse index (gitformat-index(5), versions 2 to 4).
//!
//! What may not enter: which files these are for, and where the bytes come from.

/// What an index says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    /// What the work tree leaves out, below its folder.
    pub(super) left_out: Vec<LeftOut>,
    /// The hash of a shared index, in hexadecimal, whose entries come before these (`core.splitIndex`).
    pub(super) shared: Option<String>,
    /// Entries of the shared index are replaced by ones that are left out. Which they are is not looked up: it may be
    /// any of them.
    pub(super) replaces: bool,
}

/// Which entries may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entries {
    /// Those that are marked.
    Marked,
    /// Every one: an index that is split from this one says which, by their numbers.
    All,
}

/// An entry that is left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) path: String,
    /// A folder of which nothing is there: of a sparse index, or a submodule's.
    pub(super) is_folder: bool,
}

/// Lengths of hashes in bytes: SHA-1, and SHA-256. An index does not say which it has; read by the wrong one, it makes
/// no sense.
const HASHES: [usize; 2] = [20, 32];

/// Before the hash of an entry: times, device, inode, mode, user, group and size.
const STAT: usize = 40;

/// Where the mode stands in it.
const MODE: usize = 24;

const EXTENDED: u16 = 0x4000;
const SKIP_WORKTREE: u16 = 0x4000;
const FOLDER: u32 = 0o040_000;
const SUBMODULE: u32 = 0o160_000;
const KINDS: [u32; 5] = [FOLDER, SUBMODULE, 0o100_644, 0o100_755, 0o120_000];

/// Reads an index; none where it is not understood.
pub(super) fn read(bytes: &[u8], entries: Entries) -> Option<Index> {
    HASHES.into_iter().find_map(|hash| read_with(bytes, hash, entries))
}

/// Reads on from the beginning of what is left.
struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn number32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_be_bytes)
    }

    fn number16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes)
    }

    /// A number of several bytes, as offsets in packs are written.
    fn varied(&mut self) -> Option<usize> {
        let mut byte = *self.take(1)?.first()?;
        let mut number = usize::from(byte & 0x7f);
        while byte & 0x80 != 0 {
            byte = *self.take(1)?.first()?;
            number = number.checked_add(1)?.checked_mul(0x80)? | usize::from(byte & 0x7f);
        }
        Some(number)
    }

    /// What stands before the next zero byte, which is passed.
    fn until_zero(&mut self) -> Option<&'b [u8]> {
        let length = self.bytes.get(self.at..)?.iter().position(|byte| *byte == 0)?;
        let text = self.take(length)?;
        self.take(1)?;
        Some(text)
    }
}

fn read_with(bytes: &[u8], hash: usize, which: Entries) -> Option<Index> {
    let end = bytes.len().checked_sub(hash)?;
    let mut reader = Reader { bytes: bytes.get(..end)?, at: 0 };
    if reader.take(4)? != b"DIRC" {
        return None;
    }
    let version = reader.number32()?;
    if !(2..=4).contains(&version) {
        return None;
    }
    let entries = reader.number32()?;
    let mut index = Index::default();
    let mut path: Vec<u8> = Vec::new();
    for _ in 0..entries {
        let begin = reader.at;
        let stat = reader.take(STAT)?;
        let mode = stat.get(MODE..MODE + 4)?.try_into().ok().map(u32::from_be_bytes)?;
        if !KINDS.contains(&mode) {
            return None;
        }
        reader.take(hash)?;
        let flags = reader.number16()?;
        let extended = if flags & EXTENDED == 0 { 0 } else { reader.number16()? };
        if version == 4 {
            let kept = path.len().checked_sub(reader.varied()?)?;
            path.truncate(kept);
            path.extend(reader.until_zero()?);
        } else {
            path = reader.until_zero()?.to_vec();
            // Each entry is filled up to a multiple of eight bytes, with at least one zero.
            let length = reader.at - begin - 1;
            reader.take((length + 8) / 8 * 8 - length - 1)?;
        }
        let marked = extended & SKIP_WORKTREE != 0;
        // In a split index an entry without a name replaces one of the shared index.
        index.replaces |= marked && path.is_empty();
        if path.is_empty() || (which == Entries::Marked && !marked) {
            continue;
        }
        let path = String::from_utf8_lossy(&path).trim_end_matches('/').to_owned();
        index.left_out.push(LeftOut { path, is_folder: matches!(mode, FOLDER | SUBMODULE) });
    }
    while reader.at < end {
        let name = reader.take(4)?;
        let length = reader.number32()?;
        let content = reader.take(usize::try_from(length).ok()?)?;
        match name {
            b"link" => {
                let shared = content.get(..hash)?;
                let is_one = shared.iter().any(|byte| *byte != 0);
                index.shared = is_one.then(|| shared.iter().map(|byte| format!("{byte:02x}")).collect());
            }
            // Without the others that begin with a small letter, an index cannot be understood.
            b"sdir" => {}
            [first, ..] if first.is_ascii_uppercase() => {}
            _ => return None,
        }
    }
    Some(index)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An index of these entries: mode, whether it is left out, path. In version 4 no path has anything of the one
    /// before it.
    pub(in super::super) fn index(
        version: u32,
        hash: usize,
        entries: &[(u32, bool, &str)],
        extensions: &[u8],
    ) -> Vec<u8> {
        let mut bytes = b"DIRC".to_vec();
        bytes.extend(version.to_be_bytes());
        bytes.extend(u32::try_from(entries.len()).unwrap_or_default().to_be_bytes());
        let mut before = 0;
        for (mode, left_out, path) in entries {
            let begin = bytes.len();
            bytes.extend([7; MODE]);
            bytes.extend(mode.to_be_bytes());
            bytes.extend([7; STAT - MODE - 4]);
            bytes.extend(vec![9; hash]);
            let length = u16::try_from(path.len()).unwrap_or_default();
            bytes.extend((length | if *left_out { EXTENDED } else { 0 }).to_be_bytes());
            if *left_out {
                bytes.extend(SKIP_WORKTREE.to_be_bytes());
            }
            if version == 4 {
                bytes.push(before);
                before = u8::try_from(path.len()).unwrap_or_default();
            }
            bytes.extend(path.as_bytes());
            bytes.push(0);
            while version < 4 && !(bytes.len() - begin).is_multiple_of(8) {
                bytes.push(0);
            }
        }
        bytes.extend(extensions);
        bytes.extend(vec![3; hash]);
        bytes
    }

    fn found(bytes: &[u8]) -> Option<Vec<(String, bool)>> {
        let index = read(bytes, Entries::Marked)?;
        Some(index.left_out.into_iter().map(|entry| (entry.path, entry.is_folder)).collect())
    }

    #[test]
    fn what_is_marked_is_left_out_in_every_version_and_with_either_hash() {
        let entries = [
            (0o100_644, false, "a.yaml"),
            (0o100_644, true, "secrets/b.yaml"),
            (0o120_000, false, "secrets/longer-name.yaml"),
            (FOLDER, true, "secrets/sub/"),
            (SUBMODULE, true, "team"),
        ];
        let expected = [("secrets/b.yaml", false), ("secrets/sub", true), ("team", true)];
        let expected: Vec<_> = expected.map(|(path, is_folder)| (path.to_owned(), is_folder)).into();
        for version in [3, 4] {
            for hash in HASHES {
                assert_eq!(found(&index(version, hash, &entries, b"")).as_ref(), Some(&expected), "{version} {hash}");
            }
        }
        assert_eq!(found(&index(2, 20, &[(0o100_644, false, "a")], b"TREE\0\0\0\x02ab")), Some(Vec::new()));
        assert_eq!(found(&index(2, 20, &[], b"sdir\0\0\0\0")), Some(Vec::new()));
    }

    #[test]
    fn the_shared_index_of_a_split_one_is_named() {
        let link = [&b"link\0\0\0\x14"[..], &[0xab; 20]].concat();
        let marked = |bytes: &[u8]| read(bytes, Entries::Marked);
        let shared = marked(&index(2, 20, &[], &link)).and_then(|index| index.shared);
        assert_eq!(shared, Some("ab".repeat(20)));
        let none = [&b"link\0\0\0\x14"[..], &[0; 20]].concat();
        assert_eq!(marked(&index(2, 20, &[], &none)), Some(Index::default()));
        // An entry that is left out in place of one of the shared index.
        assert_eq!(marked(&index(3, 20, &[(0o100_644, true, "")], &link)).map(|index| index.replaces), Some(true));
        let all = read(&index(2, 20, &[(0o100_644, false, "a.yaml")], b""), Entries::All);
        assert_eq!(all.map(|index| index.left_out.len()), Some(1));
    }

    #[test]
    fn what_makes_no_sense_is_not_believed() {
        let read = |bytes: &[u8]| read(bytes, Entries::Marked);
        let good = index(3, 20, &[(0o100_644, true, "a.yaml")], b"");
        assert!(read(&good).is_some());
        for length in 0..good.len() {
            assert_eq!(read(&good[..length]), None, "{length}");
        }
        assert_eq!(read(&index(5, 20, &[], b"")), None, "a later version");
        assert_eq!(read(&index(3, 20, &[(0o1, true, "a")], b"")), None, "a mode that is none");
        assert_eq!(read(&index(3, 20, &[], b"some\0\0\0\0")), None, "an extension that must be understood");
        assert_eq!(read(b"an index"), None);
    }
}
