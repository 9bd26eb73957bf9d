//! Unencrypted scalars, as sops hashes them: hundreds in one file beside one that is encrypted, so that the MAC tells.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;

const PER_FILE: usize = 200;

/// Which of these lines make a file that sops takes and we do not.
fn differing(genuine: &Genuine, lines: &[String]) -> Result<Vec<String>> {
    let text = format!("open_unencrypted:\n{}password: hidden\n", lines.concat());
    let Some(path) = genuine.encrypt("scalars.yaml", text.as_bytes(), &[])? else {
        // Something that sops itself does not take spoils the file for all.
        return halves(genuine, lines);
    };
    if genuine.run(&["decrypt"], &path)?.is_none() {
        return halves(genuine, lines);
    }
    match render(&sops_at(&path, Some("/password"))) {
        Ok(_) => Ok(Vec::new()),
        Err(error) if lines.len() == 1 => {
            let encrypted = std::fs::read_to_string(&path)?;
            Ok(vec![format!("{:?}: {error}\n{encrypted}", lines[0])])
        }
        Err(_) => halves(genuine, lines),
    }
}

fn halves(genuine: &Genuine, lines: &[String]) -> Result<Vec<String>> {
    if lines.len() < 2 {
        return Ok(Vec::new());
    }
    let (one, other) = lines.split_at(lines.len() / 2);
    let mut found = differing(genuine, one)?;
    // One is enough to be looked into.
    if found.is_empty() {
        found = differing(genuine, other)?;
    }
    Ok(found)
}

#[test]
#[ignore = "needs a genuine sops"]
fn genuine_sops_and_we_hash_scalars_alike() -> Result {
    let genuine = Genuine::new()?;
    let count = std::env::var("KEYWRIGHT_GENUINE_DOCUMENTS").ok().and_then(|count| count.parse().ok()).unwrap_or(200);
    let mut runner = TestRunner::default();
    let (scalar, broken) = (documents::any_scalar(), documents::any_broken_text());
    let mut hashed = 0;
    for file in 0..(count / 20).max(4) {
        let mut lines = Vec::new();
        for place in 0..PER_FILE {
            let text = if file % 4 == 3 {
                let text = broken.new_tree(&mut runner).map_err(|error| error.to_string())?.current();
                serde_json::to_string(&text)?
            } else {
                scalar.new_tree(&mut runner).map_err(|error| error.to_string())?.current()
            };
            lines.push(format!("  k{place}: {text}\n"));
        }
        let found = differing(&genuine, &lines)?;
        if let Some(first) = found.first() {
            return Err(format!("{hashed} scalars were hashed alike, then not {first}").into());
        }
        hashed += lines.len();
    }
    report(&format!("{hashed} unencrypted scalars hashed alike"))
}
