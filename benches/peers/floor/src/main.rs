//! What the machine allows: for a workload of the race the least that the machine cannot be spared if goroutines have stacks, channels
//! are rings and workers are threads, and nothing of a runtime. No rival: there are no goroutines here, and no channels.

mod crew;
mod crowds;
mod handover;
mod rings;
mod small;
mod stages;

use std::sync::atomic::Ordering;
use std::time::Duration;

use crew::AHEAD;
use race::{Entry, Run, entry};

const EXCHANGE: &str = "a ring of 128 stamped slots, filled and emptied on one thread, a compare-exchange for each move of a position; two switches for 128";
const STORE: &str =
    "the same, positions moved by plain stores, as in a ring that only one thread may touch";
const TWO: &str = "two rings of 128 stamped slots, each filled by a stack, emptied in turn on the same thread: a compare-exchange for each move of a position";
const EIGHT: &str = "eight rings of 128 stamped slots, each filled by a stack, emptied in turn on the same thread: a compare-exchange for each move of a position";
const ONE_SWITCH: &str = "a value stored, one switch, the value loaded, for each message; as many stacks as goroutines, one thread";
const SPAWN: &str = "closure into a cell, onto a warm stack, off it, one counter; batches of 1,000 on one thread (two could halve it)";
const TIMERS: &str = "a guarded stack each, a thread and a heap a worker: an insert and a removal for each; a sleep in the kernel to each next deadline";
const LIST: &str = "a stack each, a thread a worker: 64 guards by one call, first page touched; then onto each once, found through the one before";
const ARRAY: &str = "the same, known beforehand, so that a stack is fetched eight turns ahead";
const HALVES: &str = "the stages are calls, on one thread, or half of them on each of two that never sleep, with a place for one item between them";
const SHARES: &str = "a call each, a thread a worker with its share of them, known beforehand: no stacks, nobody is woken";
/// Stacks, where a million take seconds and cost as much each.
const FEWER: usize = 250_000;
const MS: Duration = Duration::from_millis(1);

#[rustfmt::skip] // a table
const ENTRIES: &[Entry] = &[
    entry("pingpong", |run| handover::values(run, 2, 2)).variant("switch").note("a value stored, a switch, the value loaded; and back, by the same code; one thread"),
    entry("pingpong", handover::two_codes).variant("two codes").note("the same, the two stacks running different code, as sender and receiver do: the return to the other is foretold wrongly"),
    entry("pingpong", handover::two_cores).variant("two cores").note("two threads that spin, a line of the cache there and back: why pairs live on one worker"),
    entry("spsc", |run| run.timed(|n| rings::pass(n, 1, rings::exchange))).variant("exchange").note(EXCHANGE),
    entry("spsc", |run| run.timed(|n| rings::pass(n, 1, rings::store))).variant("store").note(STORE),
    entry("mpmc", |run| run.timed(|n| rings::pass(n, 1, rings::exchange))).variant("exchange").note(EXCHANGE),
    entry("mpmc", |run| run.timed(|n| rings::pass(n, 1, rings::store))).variant("store").note(STORE),
    entry("mpmc0", |run| handover::values(run, 8, 1)).variant("switch").note(ONE_SWITCH),
    entry("select2", |run| handover::values(run, 3, 1)).variant("switch").note(ONE_SWITCH),
    entry("select2b", |run| run.timed(|n| rings::pass(n, 2, rings::exchange))).variant("exchange").note(TWO),
    entry("select2b", |run| run.timed(|n| rings::pass(n, 2, rings::store))).variant("store").note(STORE),
    entry("select8", |run| handover::values(run, 9, 1)).variant("switch").note(ONE_SWITCH),
    entry("select8b", |run| run.timed(|n| rings::pass(n, 8, rings::exchange))).variant("exchange").note(EIGHT),
    entry("select8b", |run| run.timed(|n| rings::pass(n, 8, rings::store))).variant("store").note(STORE),
    entry("spawn_join", small::spawn_join).variant("call").note(SPAWN),
    entry("spawn_burst", small::spawn_burst).variant("call").note(SPAWN),
    entry("yield1", |run| handover::bare(run, 2)).variant("switch").note("a switch between two stacks, since to nobody there is none"),
    entry("yield1000", |run| handover::bare_on_all(run, 1000)).variant("switch").note("a switch to the next of 1,000 stacks, a thread a worker with its share of them"),
    entry("mutex", |run| small::mutex(run, |word| word.store(0, Ordering::Release))).variant("store").note("one compare-exchange, and one store"),
    entry("mutex", |run| small::mutex(run, |word| assert_eq!(word.swap(0, Ordering::Release), 1))).variant("exchange").note("one compare-exchange, and one exchange, which tells whether somebody waits"),
    entry("sieve", handover::sieve).variant("switch").note("each number through a stack for each prime, by a switch for each message; one thread"),
    entry("timers", |run| crowds::timers(run, Duration::ZERO)).variant("each").note(TIMERS),
    entry("timers", |run| crowds::timers(run, MS / 5)).variant("0.2 ms").note("the same, asleep for 0.2 ms at least: less work, who is due meanwhile is late"),
    entry("parked100k", |run| crowds::parked(run, 0)).variant("list").note(LIST),
    entry("parked100k", |run| crowds::parked(run, AHEAD)).variant("array").note(ARRAY),
    entry("parked1m", |run| crowds::parked(run, 0)).variant("list").cap(FEWER).note(LIST),
    entry("parked1m", |run| crowds::parked(run, AHEAD)).variant("array").cap(FEWER).note(ARRAY),
    entry("pipeline_a", stages::pipeline).variant("halves").note(HALVES),
    entry("pipeline_b", stages::computes).variant("shares").note(SHARES),
    entry("scaling_timers", |run| crowds::sleeps(run, Duration::ZERO)).variant("each").note("one thread, a heap, a sleep in the kernel to each deadline"),
    entry("scaling_timers", |run| crowds::sleeps(run, MS)).variant("1 ms").note("the same, asleep for a millisecond at least, as Go's poller is: who is due meanwhile is late"),
];

fn main() {
    race::main(ENTRIES, |run: Run, body| body(run));
}
