//! `assert_no_leaks!`: who is left is named, who has gone is not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use waterway::watch::assert_no_leaks;
use waterway::{Builder, chan, go};

/// What the assertion says.
#[track_caller]
fn said(assert: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assert)).expect_err("it must fail");
    panic.downcast_ref::<String>().expect("in words").clone()
}

const SHORT: Duration = Duration::from_millis(20);

#[waterway::test]
fn nobody_is_left() {
    assert_no_leaks!();
    let handle = go(|| ());
    let (tx, rx) = chan::<u8>(0);
    go(move || rx.recv());
    drop(tx);
    assert_no_leaks!();
    handle.join().unwrap();
    assert_no_leaks!(Duration::ZERO);
}

#[waterway::test]
fn who_is_left_is_named_with_where_it_blocks_and_was_spawned() {
    let (tx, rx) = chan::<u8>(0);
    let wait = move || rx.recv().is_ok(); // it blocks
    let blocks = line!() - 1;
    let left = Builder::new().name("left").go(wait); // it is spawned
    let spawned = line!() - 1;
    let text = said(|| assert_no_leaks!(SHORT));
    assert!(
        text.starts_with("1 goroutine of this test is left:\n\ngoroutine "),
        "{text}"
    );
    assert!(
        text.contains(&format!("goroutine {} \"left\" [chan receive, ", left.id())),
        "{text}"
    );
    assert!(
        text.contains(&format!("\tblocked at {}:{blocks}:", file!())),
        "{text}"
    );
    assert!(
        text.contains(&format!("\tspawned at {}:{spawned}:", file!())),
        "{text}"
    );
    assert!(
        text.contains("(capacity 0, senders alive: 1, receivers alive: 1)"),
        "{text}"
    );
    assert_eq!(
        text.matches("spawned at").count(),
        1,
        "itself is not left: {text}"
    );
    drop(tx);
    assert!(!left.join().unwrap());
    assert_no_leaks!();
}

/// Grandchildren, goroutines with a thread of their own and those that have not begun count, those of other tests do not.
#[waterway::test]
fn all_that_a_test_has_started_are_its_own() {
    let (tx, rx) = chan::<u8>(0);
    let (tell, told) = chan::<()>(0);
    let (other, tell_too) = (rx.clone(), tell.clone());
    go(move || {
        go(move || {
            drop(tell);
            let _ = rx.recv();
        });
    })
    .join()
    .unwrap();
    Builder::new().name("alone").dedicated().go(move || {
        drop(tell_too);
        let _ = other.recv();
    });
    assert!(told.recv().is_err(), "both have begun");
    let text = said(|| assert_no_leaks!(SHORT));
    assert!(
        text.starts_with("2 goroutines of this test are left:"),
        "{text}"
    );
    assert!(text.contains("\"alone\" [own thread, "), "{text}");
    drop(tx);
    assert_no_leaks!();
}

#[waterway::test]
fn who_ends_in_time_is_waited_for_and_no_longer() {
    let start = Instant::now();
    go(|| waterway::time::sleep(Duration::from_millis(50)));
    assert_no_leaks!(Duration::from_secs(3600));
    assert!(start.elapsed() < Duration::from_secs(3600));
}

#[test]
fn threads_are_told_where_it_belongs() {
    let text = catch_unwind(|| assert_no_leaks!()).unwrap_err();
    let text = text.downcast_ref::<&str>().expect("in words");
    assert!(text.contains("call it in one"), "{text}");
}
