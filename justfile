# What CI runs, step by step. `just` alone runs everything, as .ci/run does.

# Everything that decides whether work may land
ci:
    .ci/run

# Formatting
fmt:
    cargo fmt --all --check

# Lints; no warning is let pass
lint:
    cargo clippy --locked --all-targets -- -D warnings

# Unit, property and scenario tests, snapshots, the leak canary
test:
    cargo test --locked

# Foreign bytes against every parser, for an hour each
hostile minutes="60":
    KEYWRIGHT_HOSTILE_MINUTES={{minutes}} cargo test --release --locked --test hostile

# Histories of commits, hand edits and runs under random faults against a model, for an hour
histories minutes="60":
    KEYWRIGHT_HISTORIES_MINUTES={{minutes}} cargo test --release --locked --test properties histories

# Mutation testing of the rooms that decide (docs/mutants.md); needs cargo-mutants. One room: just mutants "'src/drift/**'"
mutants files="'src/plan/**' 'src/apply/**' 'src/live/**' 'src/drift/**' 'src/reconcile/**' src/reconcile.rs" *arguments:
    cargo run --locked --manifest-path benches/mutants/Cargo.toml -- \
        --test scenarios --test cross_account --test iam_policy --test side_by_side {{arguments}} {{files}}

# The runner of the mutation tests on a small crate of which every mutant's end is known
mutants-sample:
    cargo test --locked --manifest-path benches/mutants/Cargo.toml

# What the README promises: the example applied to the embedded sandbox, and nothing to do the second time
main-job:
    cargo run --locked -- apply --sandbox --yes --project examples/payments

# moto as the service, boto3 and the AWS CLI as clients of the sandbox; takes pytest's arguments
interop *arguments:
    cargo build --locked
    tests/interop/run {{arguments}}

# The book, into target/book; needs mdBook 0.5 and Python 3. Its pages are tested by `cargo test --test book`
book *arguments:
    mdbook build docs {{arguments}}

# Licences, advisories and sources of the dependencies; needs cargo-deny
deny:
    cargo deny --locked check
