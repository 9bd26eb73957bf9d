//! What holds of every history: commits back and forth, what people and tools do by hand in between, and runs with and
//! without the flags of guards, in parts, narrowed, and killed.
//!
//! `git` is what commits say, `hands` what others do, `troubles` what goes wrong on the way, `world` goes on and keeps
//! the ledger, `model` says what must hold, in its own words: nothing is lost, nothing is claimed that is not so, and
//! every command ends. `KEYWRIGHT_HISTORIES_MINUTES=60 cargo test --test properties histories` goes on for an hour.

mod git;
mod hands;
mod model;
mod troubles;
mod world;

use std::time::{Duration, Instant};

use keywright::exit_code::ExitCode;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

use crate::stage::{cases, nothing_to_apply};
use crate::support;
use git::{Edit, Git, NAMES, TARGETS, edits, first_commit};
use hands::{Hand, hands};
use model::{FLAGS, Flags, Run};
use troubles::{Trouble, troubles};
use world::{Done, World};

/// How a run is narrowed.
#[derive(Clone, Copy, Debug)]
enum Narrowed {
    Not,
    Parts(usize),
    Select(usize),
    Target(usize),
}

/// What happens between one run and the next, and the run.
#[derive(Clone, Debug)]
struct Round {
    edits: Vec<Edit>,
    hands: Vec<Hand>,
    flags: Flags,
    narrowed: Narrowed,
    killed: Option<usize>,
    trouble: Trouble,
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let flags = prop_oneof![
        4 => Just(Flags::None),
        3 => Just(Flags::All),
        3 => (0..FLAGS.len()).prop_map(Flags::One),
    ];
    let narrowed = prop_oneof![
        6 => Just(Narrowed::Not),
        2 => (2_usize..4).prop_map(Narrowed::Parts),
        1 => (0..NAMES.len()).prop_map(Narrowed::Select),
        1 => (0..TARGETS.len()).prop_map(Narrowed::Target),
    ];
    let round = (
        proptest::collection::vec(edits(), 0..3),
        proptest::collection::vec(hands(), 0..3),
        flags,
        narrowed,
        option::weighted(0.15, 0_usize..6),
        troubles(),
    )
        .prop_map(|(edits, hands, flags, narrowed, killed, trouble)| Round {
            edits,
            hands,
            flags,
            narrowed,
            killed,
            trouble,
        });
    proptest::collection::vec(round, 2..7)
}

/// What a failed history shows.
fn fail(what: &str, wrong: &[String], shown: &[&support::Run]) -> TestCaseError {
    let shown: String = shown.iter().map(|run| format!("{}{}\n", run.out, run.err)).collect();
    TestCaseError::fail(format!("{what}: {wrong:#?}\n{shown}"))
}

/// What a run narrowed in this way looks at, part by part.
fn arguments(narrowed: Narrowed, git: &Git) -> Vec<Vec<String>> {
    match narrowed {
        Narrowed::Not => vec![Vec::new()],
        Narrowed::Parts(count) => {
            (1..=count).map(|part| vec!["--shard".to_owned(), format!("{part}/{count}")]).collect()
        }
        Narrowed::Select(name) => vec![vec!["--select".to_owned(), git.prefix() + NAMES[name]]],
        Narrowed::Target(target) => vec![vec!["--target".to_owned(), TARGETS[target].0.to_owned()]],
    }
}

/// What differs is in the plan and in the report of drift, and neither says otherwise.
fn check_reports(world: &World) -> Result<(), TestCaseError> {
    let live = world.snapshot();
    let plan = world.look(&["plan", "--sandbox", "--format", "json", "--detailed-exitcode"]);
    let drift = world.look(&["drift", "--sandbox", "--format", "json"]);
    let run = Run { world, git: world.git(), flags: Flags::None, all_targets: true, by_name: false, plan: &plan.out };
    let differing = run.differing(&live);
    let left_over = run.left_over(&live);
    for (report, of) in [(&plan, "the plan"), (&drift, "drift")] {
        let untold = |name: &&String| !report.out.contains(&format!("\"{name}\""));
        let wrong: Vec<String> = differing.iter().chain(&left_over).filter(untold).cloned().collect();
        if !wrong.is_empty() {
            return Err(fail(&format!("{of} does not name"), &wrong, &[&plan, &drift]));
        }
    }
    if !differing.is_empty() && plan.code == ExitCode::Success {
        return Err(fail("the plan says that nothing differs", &differing, &[&plan, &drift]));
    }
    let known = [ExitCode::Success, ExitCode::Changes, ExitCode::Guard].contains(&plan.code);
    if known { Ok(()) } else { Err(fail("no plan was made", &[], &[&plan])) }
}

/// What an apply says to be so is so: that there is nothing to do, that all is as the manifests say, that it is done.
/// Looked at without any trouble, with the same narrowing.
fn check_claims(world: &World, done: &Done, narrowing: &[String]) -> Result<(), TestCaseError> {
    let out = &done.run.out;
    let ended_well = done.run.code == ExitCode::Success;
    // Of several targets each may say so of itself; the first line is about all of them.
    let first = out.lines().next().unwrap_or_default();
    let said =
        if first.contains(" targets: ") { first.contains("nothing to do") } else { out.contains("Nothing to do:") };
    let nothing = said && !done.writes.is_empty() && !out.contains("read again");
    if nothing {
        return Err(fail("nothing was said to be done", &[format!("{} writes", done.writes.len())], &[&done.run]));
    }
    if !ended_well {
        return Ok(());
    }
    let plan = ["plan", "--sandbox", "--format", "json"].into_iter();
    let plan = world.look(&plan.chain(narrowing.iter().map(String::as_str)).collect::<Vec<_>>());
    if nothing_to_apply(&plan) {
        return Ok(());
    }
    Err(fail("an apply said that all is done, and a plan has more", &[], &[&done.run, &plan]))
}

fn run_once(world: &mut World, round: &Round) -> Result<(), TestCaseError> {
    let Round { flags, narrowed, killed, .. } = *round;
    let trouble = &round.trouble;
    let git = world.git().clone();
    let mut parts: Vec<Done> = Vec::new();
    let mut left = killed;
    let all_targets = !matches!(narrowed, Narrowed::Target(_));
    let by_name = matches!(narrowed, Narrowed::Select(_));
    for narrowing in arguments(narrowed, &git) {
        let narrowed: Vec<&str> = narrowing.iter().map(String::as_str).collect();
        let plan = ["plan", "--sandbox", "--format", "json"].into_iter();
        let plan = world.look(&plan.chain(narrowed.iter().copied()).collect::<Vec<_>>());
        let apply = ["apply", "--yes", "--sandbox", "--concurrency", "1"].into_iter();
        let done = world.run(&apply.chain(flags.args()).chain(narrowed).collect::<Vec<_>>(), left, trouble)?;
        // Later parts of a killed run do not go further.
        left = left.map(|left| left.saturating_sub(done.writes.len()));
        check_claims(world, &done, &narrowing)?;
        let run = Run { world, git: &git, flags, all_targets, by_name, plan: &plan.out };
        let wrong = run.wrong(&done);
        if !wrong.is_empty() {
            return Err(fail("a run did what it must not", &wrong, &[&plan, &done.run]));
        }
        parts.push(done);
    }
    let run = Run { world, git: &git, flags, all_targets, by_name, plan: "" };
    let wrong = run.wrong_over_all(&parts);
    if !wrong.is_empty() {
        let shown: Vec<_> = parts.iter().map(|part| &part.run).collect();
        return Err(fail("a run as a whole did what it must not", &wrong, &shown));
    }
    let unhindered = matches!((flags, narrowed, killed), (Flags::All, Narrowed::Not, None)) && trouble.is_none();
    if let (true, Some(done)) = (unhindered, parts.last()) {
        prop_assert_eq!(done.run.code, ExitCode::Success, "{}{}", done.run.out, done.run.err);
        let plan = world.look(&["plan", "--sandbox", "--format", "json"]);
        prop_assert!(nothing_to_apply(&plan), "{}\nand then\n{}{}", done.run.out, plan.out, plan.err);
    }
    check_reports(world)
}

fn history(first: Git, rounds: &[Round]) -> Result<(), TestCaseError> {
    let mut world = World::new(first);
    let nothing = (Vec::new(), Vec::new());
    let begun = Round {
        edits: nothing.0,
        hands: nothing.1,
        flags: Flags::All,
        narrowed: Narrowed::Not,
        killed: None,
        trouble: Trouble::None,
    };
    run_once(&mut world, &begun)?;
    for round in rounds {
        for edit in &round.edits {
            let git = world.git().edited(edit, &world.commits);
            world.commit(git);
        }
        for hand in &round.hands {
            hand.act(&mut world);
        }
        if !round.hands.is_empty() {
            check_reports(&world)?;
        }
        run_once(&mut world, round)?;
    }
    Ok(())
}

/// For so long histories are made up, where somebody asks for it.
fn asked_for() -> Option<Duration> {
    Some(Duration::from_mins(std::env::var("KEYWRIGHT_HISTORIES_MINUTES").ok()?.parse().ok()?))
}

#[test]
fn nobody_loses_what_git_does_not_say() {
    let begun = Instant::now();
    loop {
        let config = ProptestConfig { source_file: Some(file!()), max_shrink_iters: 400, ..cases(10) };
        let result =
            TestRunner::new(config).run(&(first_commit(), rounds()), |(first, rounds)| history(first, &rounds));
        assert!(result.is_ok(), "{}", result.err().map(|error| error.to_string()).unwrap_or_default());
        if asked_for().is_none_or(|asked| begun.elapsed() >= asked) {
            return;
        }
    }
}
