//! Stacks: reuse, guards, limits, memory given back. Tests that count the mappings of the process take turns.

use std::cell::{Cell, OnceCell, RefCell};
use std::os::fd::AsRawFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use waterway_stack::{Fiber, GUARD_SIZE, GuardMode, PoolConfig, Stack, StackPool};

static TURN: Mutex<()> = Mutex::new(());

fn pool(size: usize, guard_mode: GuardMode) -> StackPool {
    StackPool::new(PoolConfig { size, guard_mode })
}

fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps")
        .unwrap()
        .lines()
        .count()
}

/// Resident memory and page tables, in bytes.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    ["VmRSS:", "VmPTE:"]
        .iter()
        .map(|name| {
            let line = status.lines().find(|l| l.starts_with(name)).unwrap();
            line.split_whitespace()
                .nth(1)
                .unwrap()
                .parse::<usize>()
                .unwrap()
                * 1024
        })
        .sum()
}

fn touch(stack: &Stack) {
    // SAFETY: the stack is ours and not in use.
    unsafe { ((stack.top() - 8) as *mut u64).write_volatile(7) };
}

#[test]
fn the_last_stack_given_back_comes_first() {
    let pool = pool(256 << 10, GuardMode::Auto);
    let (a, b) = (pool.take().unwrap(), pool.take().unwrap());
    let top = b.top();
    pool.give(a);
    pool.give(b);
    assert_eq!(pool.take().unwrap().top(), top);
}

#[test]
fn stacks_are_apart_aligned_and_coloured() {
    let pool = pool(256 << 10, GuardMode::Auto);
    let stacks: Vec<_> = (0..64).map(|_| pool.take().unwrap()).collect();
    let mut colours: Vec<_> = stacks.iter().map(|s| s.top() % 4096).collect();
    for stack in &stacks {
        assert_eq!(stack.top() % 64, 0);
        let used = stack.top() - stack.bottom();
        assert!(used > (256 << 10) - GUARD_SIZE - 1024 && used <= (256 << 10) - GUARD_SIZE);
        touch(stack);
    }
    colours.sort_unstable();
    colours.dedup();
    assert_eq!(colours.len(), 16);
}

/// True if the kernel finds the byte readable.
fn readable(at: usize) -> bool {
    let (reader, writer) = std::io::pipe().unwrap();
    // SAFETY: only the kernel reads there, and says EFAULT where it can not.
    let written = unsafe { libc::write(writer.as_raw_fd(), at as *const libc::c_void, 1) };
    drop(reader);
    written == 1
}

#[test]
fn stacks_taken_together_are_all_guarded() {
    let _turn = TURN.lock().unwrap();
    for mode in [GuardMode::Auto, GuardMode::Mprotect] {
        let pool = pool(256 << 10, mode);
        let mut stacks = Vec::new();
        while stacks.len() < 600 {
            let before = stacks.len();
            pool.take_some(64, &mut stacks).unwrap();
            assert!((1..=64).contains(&(stacks.len() - before)));
        }
        for stack in &stacks {
            touch(stack);
            let (low, bottom) = (stack.bottom() - GUARD_SIZE, stack.bottom());
            for at in [low, low + 4096, bottom - 4096, bottom - 1] {
                assert!(!readable(at), "{mode:?}: no guard at {at:#x} of {stack:?}");
            }
            assert!(readable(bottom) && readable(stack.top() - 8));
        }
        let mut places: Vec<_> = stacks.iter().map(Stack::bottom).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), stacks.len());
        pool.give_all(stacks);
        pool.trim(0);
        assert_eq!(pool.idle(), 0);
    }
}

/// True if the page at `at` has memory.
fn resident(at: usize) -> bool {
    let mut one = 0u8;
    // SAFETY: the call only tells of a page of ours.
    let told = unsafe { libc::mincore(at as *mut libc::c_void, 4096, &mut one) };
    assert_eq!(told, 0, "{}", std::io::Error::last_os_error());
    one & 1 == 1
}

/// True if this kernel puts memory under many pages by one call.
fn can_populate() -> bool {
    let page = std::alloc::Layout::from_size_align(4096, 4096).unwrap();
    // SAFETY: of a size that is not zero; what is advised on is that page, which is given back.
    unsafe {
        let at = std::alloc::alloc(page);
        let range = libc::iovec {
            iov_base: at.cast(),
            iov_len: 4096,
        };
        let advice = libc::MADV_POPULATE_WRITE;
        let number = libc::SYS_process_madvise;
        let advised = libc::syscall(number, -10000, &raw const range, 1usize, advice, 0);
        std::alloc::dealloc(at, page);
        advised == 4096
    }
}

#[test]
fn stacks_taken_together_have_their_first_page_and_no_other() {
    let pool = pool(256 << 10, GuardMode::Auto);
    let mut stacks = Vec::new();
    pool.take_some(64, &mut stacks).unwrap();
    assert!(stacks.len() > 1);
    for stack in &stacks {
        let page = (stack.top() - 1) & !4095;
        assert_eq!(resident(page), can_populate(), "{stack:?}");
        assert!(!resident(page - 4096), "{stack:?}");
    }
}

#[test]
fn of_stacks_taken_together_the_one_last_given_back_is_last() {
    let pool = pool(256 << 10, GuardMode::Auto);
    let mut stacks = Vec::new();
    pool.take_some(3, &mut stacks).unwrap();
    let tops: Vec<_> = stacks.iter().map(Stack::top).collect();
    pool.give_all(stacks);
    let mut again = Vec::new();
    pool.take_some(2, &mut again).unwrap();
    assert_eq!(again.iter().map(Stack::top).collect::<Vec<_>>(), tops[1..]);
    pool.take_some(64, &mut again).unwrap();
    assert_eq!(again[2].top(), tops[0]);
}

#[test]
fn many_guarded_stacks_need_few_mappings() {
    let _turn = TURN.lock().unwrap();
    let pool = pool(256 << 10, GuardMode::Auto);
    let before = mappings();
    let stacks: Vec<_> = (0..50_000).map(|_| pool.take().unwrap()).collect();
    let more = mappings() - before;
    if format!("{pool:?}").contains("Mprotect") {
        // A kernel before 6.13: two mappings for each is what there is.
        return;
    }
    assert!(more < 100, "{more} mappings for {} stacks", stacks.len());
}

#[test]
fn without_mappings_the_error_names_the_limit() {
    let _turn = TURN.lock().unwrap();
    let pool = pool(128 << 10, GuardMode::Mprotect);
    let mut stacks = Vec::new();
    let error = loop {
        match pool.take() {
            Ok(stack) => stacks.push(stack),
            Err(error) => break error.to_string(),
        }
        assert!(
            stacks.len() < 10_000_000,
            "vm.max_map_count is no limit here"
        );
    };
    assert!(
        error.contains("mprotect") && error.contains("vm.max_map_count is "),
        "{error}"
    );
    // Those that there are can be used.
    touch(&stacks[stacks.len() - 1]);
    stacks.into_iter().for_each(|s| pool.give(s));
    pool.trim(0);
}

#[test]
fn memory_falls_after_a_spike() {
    let _turn = TURN.lock().unwrap();
    let pool = pool(256 << 10, GuardMode::Auto);
    let before = memory();
    let stacks: Vec<_> = (0..10_000).map(|_| pool.take().unwrap()).collect();
    stacks.iter().for_each(touch);
    let peak = memory() - before;
    stacks.into_iter().for_each(|s| pool.give(s));
    assert_eq!(pool.idle(), 10_000);
    pool.trim(64);
    assert!(pool.idle() <= 64);
    let after = memory().saturating_sub(before);
    assert!(after < peak / 10, "{peak} at the peak, {after} after");
    let again = pool.take().unwrap();
    touch(&again);
}

#[test]
fn stacks_in_use_survive_a_trim() {
    let pool = pool(256 << 10, GuardMode::Auto);
    let stacks: Vec<_> = (0..1000).map(|_| pool.take().unwrap()).collect();
    stacks.iter().for_each(touch);
    let (kept, given): (Vec<_>, Vec<_>) = stacks
        .into_iter()
        .enumerate()
        .partition(|(i, _)| i % 100 == 0);
    given.into_iter().for_each(|(_, s)| pool.give(s));
    pool.trim(0);
    for (_, stack) in &kept {
        // SAFETY: ours; written by `touch`.
        let word = unsafe { ((stack.top() - 8) as *const u64).read_volatile() };
        assert_eq!(word, 7);
    }
}

/// While one thread trims, others take stacks out of slabs that it looks at, and give them back.
#[test]
fn stacks_that_are_taken_during_a_trim_are_whole() {
    let pool = pool(256 << 10, GuardMode::Auto);
    let ended = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for seed in [1, 2] {
            let (pool, ended) = (&pool, &ended);
            scope.spawn(move || {
                let mut out: Vec<Stack> = Vec::new();
                for round in 0..400 {
                    // Often none is out, so whole slabs are looked at as they come into use.
                    let keep = (round + seed) % 3 * 100;
                    pool.give_all(out.drain(keep.min(out.len())..));
                    let most = out.len() + 300;
                    while out.len() < most {
                        pool.take_some(64, &mut out).unwrap();
                    }
                    let words = || out.iter().map(|stack| (stack.top() - 8) as *mut usize);
                    // SAFETY: the stacks are ours, and nobody runs on them.
                    words().for_each(|word| unsafe { word.write_volatile(seed) });
                    std::thread::yield_now();
                    // SAFETY: as above.
                    assert!(words().all(|word| unsafe { word.read_volatile() } == seed));
                }
                pool.give_all(out);
                ended.fetch_add(1, Ordering::Release);
            });
        }
        let mut keep = 0;
        while ended.load(Ordering::Acquire) < 2 {
            pool.trim(keep);
            keep = (keep + 37) % 300;
        }
    });
    pool.trim(0);
    assert_eq!((pool.idle(), slabs(&pool)), (0, 0));
}

fn slabs(pool: &StackPool) -> usize {
    let mut count = 0;
    pool.for_each_slab(|_| count += 1);
    count
}

#[test]
fn a_fiber_runs_on_its_stack_and_is_come_back_to() {
    let pool = pool(256 << 10, GuardMode::Auto);
    let stack = pool.take().unwrap();
    let range = stack.bottom()..stack.top();
    let seen = RefCell::new(Vec::new());
    let thread = Fiber::of_thread();
    let own = OnceCell::new();
    let body = || {
        for turn in 0..3 {
            assert!(range.contains(&(&raw const turn as usize)));
            seen.borrow_mut().push(turn);
            // SAFETY: this is the fiber, and the thread's was left for it.
            unsafe { own.get().map(|own: &Fiber| own.switch(&thread)) };
        }
        &raw const thread
    };
    // SAFETY: the stack is ours; what the closure borrows outlives the fiber, which runs to its end below.
    let fiber = own.get_or_init(|| unsafe { Fiber::new(range.end, range.start, body) });
    // SAFETY: the thread runs; the fiber is new, and then was left.
    unsafe { thread.enter(fiber) };
    for turns in 1..=3 {
        assert_eq!(seen.borrow().len(), turns);
        // SAFETY: as above.
        unsafe { thread.switch(fiber) };
    }
    assert_eq!(*seen.borrow(), [0, 1, 2]);
    pool.give(stack);
}

/// What a function must keep is kept: some of these are in registers across the switches.
#[test]
fn fibers_hand_over_to_each_other_with_what_they_have() {
    const ROUNDS: u64 = 1000;
    let pool = pool(256 << 10, GuardMode::Auto);
    let stacks = [pool.take().unwrap(), pool.take().unwrap()];
    let thread = Fiber::of_thread();
    let fibers = [const { OnceCell::new() }; 2];
    let sums = [const { Cell::new((0u64, 0f64)) }; 2];
    let body = |me: usize| {
        let (fibers, sums, thread) = (&fibers, &sums, &thread);
        move || {
            let (mut whole, mut half, mut step) = (0, 0.0, me as u64 + 1);
            for round in 0..ROUNDS {
                let [own, other]: [&Fiber; 2] = [me, 1 - me].map(|n| fibers[n].get().unwrap());
                // SAFETY: this one runs; the other is new in its first round, and was left before any other.
                unsafe {
                    match (me, round) {
                        (0, 0) => own.enter(other),
                        _ => own.switch(other),
                    }
                }
                whole += step;
                half += step as f64 / 2.0;
                step += 2;
            }
            sums[me].set((whole, half));
            match me {
                0 => fibers[1].get().unwrap() as *const Fiber,
                _ => thread as *const Fiber,
            }
        }
    };
    for (me, stack) in stacks.iter().enumerate() {
        // SAFETY: as above.
        let fiber = unsafe { Fiber::new(stack.top(), stack.bottom(), body(me)) };
        fibers[me].set(fiber).unwrap();
    }
    // SAFETY: as above.
    unsafe { thread.enter(fibers[0].get().unwrap()) };
    let sum = |first: u64| (0..ROUNDS).map(|n| first + 2 * n).sum::<u64>();
    for (me, cell) in sums.iter().enumerate() {
        let sum = sum(me as u64 + 1);
        assert_eq!(cell.get(), (sum, sum as f64 / 2.0));
    }
    stacks.into_iter().for_each(|stack| pool.give(stack));
}

#[test]
fn a_panic_caught_in_a_fiber_stays_there() {
    let pool = pool(256 << 10, GuardMode::Auto);
    let stack = pool.take().unwrap();
    let thread = Fiber::of_thread();
    let caught = Cell::new(false);
    let body = || {
        let result = std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new(1)));
        caught.set(result.is_err());
        &raw const thread
    };
    // SAFETY: as above.
    let fiber = unsafe { Fiber::new(stack.top(), stack.bottom(), body) };
    // SAFETY: as above.
    unsafe { thread.enter(&fiber) };
    assert!(caught.get());
    pool.give(stack);
}

/// A debugger, and a report of a panic, see the fiber's own frames, and an end.
#[test]
fn a_backtrace_ends_at_the_first_frame_of_a_fiber() {
    let pool = pool(256 << 10, GuardMode::Auto);
    let stack = pool.take().unwrap();
    let range = stack.bottom()..stack.top();
    let thread = Fiber::of_thread();
    let frames = RefCell::new(Vec::new());
    let body = || {
        backtrace::trace(|frame| {
            frames.borrow_mut().push(frame.sp() as usize);
            frames.borrow().len() < 1000
        });
        &raw const thread
    };
    // SAFETY: as above.
    let fiber = unsafe { Fiber::new(range.end, range.start, body) };
    // SAFETY: as above.
    unsafe { thread.enter(&fiber) };
    let frames = frames.into_inner();
    assert!((2..100).contains(&frames.len()), "{frames:x?}");
    assert!(frames.iter().all(|sp| range.contains(sp)), "{frames:x?}");
    pool.give(stack);
}
