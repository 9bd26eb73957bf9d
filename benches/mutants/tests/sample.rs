//! The runner on a small crate of which each mutant's end is known. Needs cargo-mutants and git.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Of 43 mutants: those that no test can see, one that never ends, those that do not compile, and those of a
/// `const fn`. Three do not compile since a type has no default, one since `||` stands beside `let`. `cargo mutants`
/// alone, which compiles each by itself, comes to the same, and catches the four of the `const fn`.
const REPORT: &str = "\
| room | viable | caught | timed out | missed | of the viable | not viable | not expressed | not tried |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
| lib | 35 | 27 | 1 | 7 | 80.0 % | 4 | 4 | 0 |
| all | 35 | 27 | 1 | 7 | 80.0 % | 4 | 4 | 0 |

src/lib.rs:21:5: replace is_urgent -> bool with true: missed
src/lib.rs:21:20: replace && with || in is_urgent: missed
src/lib.rs:26:12: replace && with || in all: missed
src/lib.rs:32:26: replace < with <= in weight_of: missed
src/lib.rs:42:9: delete match arm 0 in zone: missed, no test reaches it
src/lib.rs:51:14: delete field weight from struct Parcel expression in letter: missed
src/lib.rs:72:5: replace twice -> u32 with 0: not expressed
src/lib.rs:72:5: replace twice -> u32 with 1: not expressed
src/lib.rs:72:12: replace * with + in twice: not expressed
src/lib.rs:72:12: replace * with / in twice: not expressed
src/lib.rs:77:5: replace forgotten -> bool with true: missed, no test reaches it
";

fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(folder).output().expect("a program that runs");
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn each_mutant_ends_as_it_must() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sample");
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fs::create_dir(folder.join("src")).expect("a folder");
    for file in ["Cargo.toml", "src/lib.rs"] {
        fs::copy(sample.join(file), folder.join(file)).expect("a copy");
    }
    fs::write(folder.join(".gitignore"), "/target\n").expect("a file");
    run(folder, "git", &["init", "--quiet"]);
    let runner = env!("CARGO_BIN_EXE_mutants");
    assert_eq!(run(folder, runner, &["src/**"]), REPORT);
    // What was found is kept, and nothing is run for it.
    assert_eq!(run(folder, runner, &["--report", "src/**"]), REPORT);
}
