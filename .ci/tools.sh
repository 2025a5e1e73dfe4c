# Steps of .ci/run that look for faults with tools: sanitizers, valgrind, a fuzzer. docs/checks.md says what each can see.
# Each proves first that its tool reports a fault that is there (`checks`): a step that finds nothing has looked.

readonly TARGET=x86_64-unknown-linux-gnu

# reports TEXT COMMAND...: the command must fail, and say TEXT.
reports() {
    local text=$1 said status=0
    shift
    said=$("$@" 2>&1) || status=$?
    if [ "$status" != 0 ] && grep -q "$text" <<<"$said"; then
        echo "proof: $* is reported: $text"
        return 0
    fi
    printf '%s\nThis should have failed with %s; its status is %d\n' "$said" "$text" "$status"
    return 1
}

# AddressSanitizer, told of every switch of stacks (`--cfg waterway_asan`). It is in stable compilers, as an option that is
# not stable.
asan_env() {
    # Instrumented code has functions inlined, whose names the check of thread-locals asks for: lines alone do not tell them.
    export CARGO_PROFILE_DEV_DEBUG=full
    export CARGO_TARGET_DIR=target/asan RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address --cfg waterway_asan"
    # Frames of functions that have returned are not kept apart (use after return): that takes 10 MB of addresses a goroutine.
    # Some tests ask for more memory than there is, and want the answer.
    ASAN="detect_stack_use_after_return=0:allocator_may_return_null=1"
    command -v llvm-symbolizer >/dev/null || apt_get llvm
}

asan_proof() {
    cargo build --target $TARGET --package waterway-checks
    local fault=$CARGO_TARGET_DIR/$TARGET/debug/fault
    export ASAN_OPTIONS=$ASAN:detect_leaks=1
    "$fault" none
    reports 'AddressSanitizer: heap-use-after-free' "$fault" use-after-free
    reports 'LeakSanitizer: detected memory leaks' "$fault" leak
}

# The tests that end with no goroutine left, with LeakSanitizer; then programs that end with some, without it.
# Not here: attack_limits (stands before pthread_create itself), attack_verdict (threads of 64 KiB, too small for the
# frames that the sanitizer makes), process (a deadlock seen through threads of std is not seen), and tests that run no code of the library (layers, compile_fail, panic_abort).
asan() {
    asan_env
    asan_proof
    export LSAN_OPTIONS="suppressions=$PWD/.ci/lsan.supp:print_suppressions=0"
    local leaks=(attack_chan attack_goroutines attack_select attack_time_sync attack_wakers chan_async chan_threads
        entry goroutines model select_macro select_set switching sync)
    cargo test --target $TARGET --package waterway-stack --tests
    cargo test --target $TARGET --package waterway --lib "${leaks[@]/#/--test=}"
    # LeakSanitizer cannot look at a process that has given up its right to start threads or has no addresses left.
    export ASAN_OPTIONS=$ASAN:detect_leaks=0
    cargo test --target $TARGET --package waterway --test stress -- \
        --skip address_space --skip no_thread_can_be_started --skip no_more_threads
    # The overflow of a stack is for the library's own handler to tell.
    export ASAN_OPTIONS=$ASAN:detect_leaks=0:handle_segv=0:handle_sigbus=0
    cargo test --target $TARGET --package waterway --test attack_panics --test attack_rt --test attack_solo --test attack_workers
}

# Memcheck, told of every stack (`--cfg waterway_valgrind`). The limit on addresses makes the runtime reserve little: what
# is reserved costs valgrind minutes. The check of thread-locals reads debug information, which takes it as long.
memcheck() {
    command -v valgrind >/dev/null || apt_get valgrind libc6-dbg
    export CARGO_TARGET_DIR=target/valgrind RUSTFLAGS="--cfg waterway_valgrind" WATERWAY_CHECK_TLS=0
    cargo build --package waterway-checks
    ulimit -v 24000000
    local check=(valgrind --leak-check=no --fair-sched=yes --error-exitcode=99 "--suppressions=$PWD/.ci/valgrind.supp") fault=$CARGO_TARGET_DIR/debug/fault
    "${check[@]}" "$fault" none
    reports 'Invalid read of size' "${check[@]}" "$fault" use-after-free
    reports 'depends on uninitialised value' "${check[@]}" "$fault" uninitialised
    ulimit -v
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="${check[*]}" \
        cargo test --package waterway --test chan_async --test goroutines --test select_macro
}

# fuzz TARGET: for half a minute (WATERWAY_FUZZ: so many seconds, and inputs found are kept), from nothing. It fails if the fuzzer ran little, or no input led to new code: then it was blind.
fuzz() {
    asan_env
    export CARGO_TARGET_DIR=$PWD/target/fuzz ASAN_OPTIONS=$ASAN:detect_leaks=0
    RUSTFLAGS+=" --cfg fuzzing -Cdebug-assertions -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
    RUSTFLAGS+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
    RUSTFLAGS+=" -Cllvm-args=-sanitizer-coverage-trace-compares"
    command -v g++ >/dev/null || apt_get g++
    cargo build --release --target $TARGET --manifest-path fuzz/Cargo.toml --bin "$1"
    local corpus=fuzz/corpus/$1 found=fuzz/artifacts/$1 said
    mkdir -p "$corpus" "$found"
    [ -n "${WATERWAY_FUZZ:-}" ] || rm -f "$corpus"/*
    said=$(mktemp)
    "$CARGO_TARGET_DIR/$TARGET/release/$1" "$corpus" -max_total_time="${WATERWAY_FUZZ:-30}" -timeout=30 -max_len=512 \
        -artifact_prefix="$found/" -print_final_stats=1 -verbosity=1 2>&1 | tee "$said" | grep -v -E ' (NEW|REDUCE|pulse) '
    local runs new
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$said")
    new=$(sed -n 's/^stat::new_units_added: *//p' "$said")
    rm "$said"
    echo "fuzz $1: ${runs:-0} runs, ${new:-0} of them reached something new"
    [ "${runs:-0}" -ge 1000 ] && [ "${new:-0}" -ge 1 ]
}
