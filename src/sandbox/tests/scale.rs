//! Fifty thousand secrets. These tests measure, so they mean something in a release build only, and are asked for by
//! name: `cargo test --release -- --ignored scale`.

use std::time::{Duration, Instant};

use super::*;

const SECRETS: usize = 50_000;

fn fixtures() -> String {
    let secret = |number| {
        format!(
            "- {{ name: 'team/{number}', region: {REGION}, description: number {number}, \
             tags: {{ team: t, stage: s }}, value: 'value-{number}' }}"
        )
    };
    (0..SECRETS).map(secret).collect::<Vec<_>>().join("\n")
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let before = Instant::now();
    let done = work();
    (done, before.elapsed())
}

#[test]
#[ignore = "takes a minute unless it is optimised"]
fn fifty_thousand_secrets_open_at_once_and_list_in_constant_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.redb");
    let open = || Sandbox::open(&path, Options { rng_seed: 1, clock: Clock::System }).unwrap();
    let sandbox = open();
    let (made, making) = timed(|| sandbox.make_fixtures(&fixtures()).unwrap());
    assert_eq!(made, SECRETS);
    drop(sandbox);
    let (sandbox, opening) = timed(open);
    let client = Client::of(sandbox, Clock::System);
    let mut input = json!({"MaxResults": 100});
    let mut pages = Vec::new();
    loop {
        let (page, took) = timed(|| client.ok("ListSecrets", input.clone()));
        pages.push(took);
        let Some(next) = page.get("NextToken") else { break };
        input["NextToken"] = next.clone();
    }
    assert_eq!(pages.len(), SECRETS / 100);
    let mean = |pages: &[Duration]| pages.iter().sum::<Duration>() / u32::try_from(pages.len()).unwrap();
    let (first, last) = (mean(&pages[..50]), mean(&pages[pages.len() - 50..]));
    let ((), describing) =
        timed(|| (0..1000).for_each(|number| drop(client.describe(&format!("team/{}", number * 50)))));
    let shown = format!(
        "making {making:?}, opening {opening:?}, first pages {first:?}, last pages {last:?}, \
         describing a thousand {describing:?}"
    );
    assert!(opening < Duration::from_secs(1), "{shown}");
    assert!(last < first * 2, "{shown}");
    assert!(std::env::var_os("KEYWRIGHT_TEST_SHOW").is_none(), "{shown}");
}
