//! The attributes: tests as root goroutines, with groups of their own.

use waterway::{go, num_goroutines, yield_now};

#[waterway::test]
fn a_test_is_a_goroutine_and_counts_its_own_group() {
    assert_eq!(num_goroutines(), 1);
    let group = waterway::sync::WaitGroup::new();
    group.add(1);
    let gate = group.clone();
    let child = go(move || go(move || gate.wait()).join().unwrap());
    while num_goroutines() < 3 {
        yield_now();
    }
    group.done();
    child.join().unwrap();
    assert_eq!(num_goroutines(), 1);
}

#[waterway::test]
fn a_test_may_return_what_is_not_send() -> Result<(), Box<dyn std::error::Error>> {
    let shared = std::rc::Rc::new(1);
    waterway::go_local({
        let shared = shared.clone();
        move || assert_eq!(*shared, 1)
    })
    .join()
    .map_err(|_| "the child panicked")?;
    Ok(())
}

#[waterway::test]
#[should_panic(expected = "as it should")]
fn a_test_that_panics_fails() {
    panic!("as it should");
}
