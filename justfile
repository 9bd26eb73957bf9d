# What CI runs, step by step. `just` alone runs everything, as .ci/run does.

# Everything that decides whether work may land
ci:
    .ci/run

# Formatting
fmt:
    cargo fmt --check

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

# Mutation testing of the rooms that decide (docs/mutants.md); needs cargo-mutants. For example: just mutants 'src/drift/*.rs' drift::
mutants files="src/{plan,apply,live,drift,reconcile}**" tests="" *arguments:
    cargo mutants --file '{{files}}' --baseline skip -j1 --timeout 600 -C=--locked -C=--lib -C=--test -C=scenarios {{arguments}} -- {{tests}}

# What the README promises: the example applied to the embedded sandbox, and nothing to do the second time
main-job:
    cargo run --locked -- apply --sandbox --yes --project examples/payments

# moto as the service, boto3 and the AWS CLI as clients of the sandbox; takes pytest's arguments
interop *arguments:
    cargo build --locked
    tests/interop/run {{arguments}}

# Licences, advisories and sources of the dependencies; needs cargo-deny
deny:
    cargo deny --locked check
