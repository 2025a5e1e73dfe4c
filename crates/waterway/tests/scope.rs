//! Scopes in full: on goroutines and plain threads, nested, with results, panics and channels.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use waterway::sync::Barrier;
use waterway::time::{after, sleep};
use waterway::{Builder, Receiver, Sender, block_on, chan, go, scope, select, yield_now};

/// Runs `test` on a plain thread and on a goroutine, of either kind.
fn everywhere(test: impl Fn() + Send + Sync + Clone + 'static) {
    test();
    for builder in [Builder::new(), Builder::new().dedicated()] {
        builder.go(test.clone()).join().unwrap();
    }
}

#[test]
fn results_come_back_and_borrow() {
    everywhere(|| {
        let words = ["one".to_string(), "three".into(), "seven".into()];
        let lengths = scope(|s| {
            let all = words
                .iter()
                .map(|word| s.go(|| (word.as_str(), word.len())));
            all.collect::<Vec<_>>()
                .into_iter()
                .map(|h| h.join().unwrap())
                .collect::<Vec<_>>()
        });
        assert_eq!(lengths, [("one", 3), ("three", 5), ("seven", 5)]);
    });
}

/// Ends that are borrowed, in `select!`, on both sides of the scope.
#[test]
fn selects_on_borrowed_ends() {
    everywhere(|| {
        let (odd, even): ((Sender<u32>, _), (Sender<u32>, _)) = (chan(0), chan(1));
        let seen = AtomicUsize::new(0);
        let sum = scope(|s| {
            s.go(|| {
                for n in 0..100 {
                    let (to, other) = if n % 2 == 0 {
                        (&even.0, &odd.0)
                    } else {
                        (&odd.0, &even.0)
                    };
                    assert!(!other.is_closed());
                    select! {
                        send(to, n) -> sent => sent.unwrap(),
                        default(Duration::from_secs(60)) => panic!("nobody receives"),
                    }
                }
                odd.0.close();
                even.0.close();
            });
            let receivers: Vec<_> = (0..2)
                .map(|_| s.go(|| receive(&odd.1, &even.1, &seen)))
                .collect();
            let own = receive(&odd.1, &even.1, &seen);
            own + receivers
                .into_iter()
                .map(|r| r.join().unwrap())
                .sum::<u32>()
        });
        assert_eq!(sum, 99 * 100 / 2);
        assert_eq!(seen.into_inner(), 100);
    });
}

fn receive(odd: &Receiver<u32>, even: &Receiver<u32>, seen: &AtomicUsize) -> u32 {
    let (mut sum, late) = (0, after(Duration::from_secs(60)));
    let (mut odd_ends, mut even_ends) = (false, false);
    while !(odd_ends && even_ends) {
        let got = select! {
            recv(if odd_ends { even } else { odd }) -> v => { odd_ends |= v.is_err(); v },
            recv(if even_ends { odd } else { even }) -> v => { even_ends |= v.is_err(); v },
            recv(late) -> _ => panic!("nobody sends"),
        };
        if let Ok(n) = got {
            sum += n;
            seen.fetch_add(1, Ordering::SeqCst);
        }
    }
    sum
}

/// A panic deep inside comes out of each scope only when everybody in it has ended.
#[test]
fn panics_pass_through_nested_scopes_after_all_have_ended() {
    everywhere(|| {
        let ended = AtomicUsize::new(0);
        let barrier = Barrier::new(3);
        let outer = catch_unwind(AssertUnwindSafe(|| {
            scope(|s| {
                s.go(|| {
                    barrier.wait();
                    sleep(Duration::from_millis(5));
                    ended.fetch_add(1, Ordering::SeqCst);
                });
                s.go(|| {
                    let inner = catch_unwind(AssertUnwindSafe(|| {
                        scope(|s| {
                            s.go(|| {
                                barrier.wait();
                                sleep(Duration::from_millis(2));
                                ended.fetch_add(1, Ordering::SeqCst);
                            });
                            s.go(|| {
                                barrier.wait();
                                std::panic::resume_unwind(Box::new(()));
                            });
                        });
                    }));
                    let text = *inner.unwrap_err().downcast::<&str>().unwrap();
                    assert_eq!(text, "a goroutine of the scope panicked");
                    assert!(ended.load(Ordering::SeqCst) >= 1, "its own have ended");
                    std::panic::resume_unwind(Box::new(text));
                });
            })
        }));
        outer.unwrap_err();
        assert_eq!(ended.load(Ordering::SeqCst), 2);
    });
}

/// The owner's own panic goes first, and is the owner's payload.
#[test]
fn the_owners_payload_wins() {
    everywhere(|| {
        let payload = catch_unwind(|| {
            scope(|s| {
                let child = s.go(|| std::panic::resume_unwind(Box::new("child")));
                while !child.is_finished() {
                    yield_now();
                }
                std::panic::resume_unwind(Box::new("owner"));
            })
        });
        let payload = payload.map(|(): ()| ()).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"owner"));
    });
}

/// Children spawn siblings while the scope already waits for its end, and futures run inside.
#[test]
fn children_spawn_into_the_scope() {
    everywhere(|| {
        let count = AtomicUsize::new(0);
        let (tx, rx) = chan::<u32>(0);
        scope(|s| {
            s.go(|| {
                yield_now();
                for _ in 0..10 {
                    s.go(|| count.fetch_add(1, Ordering::SeqCst));
                }
                s.go(|| block_on(tx.send_async(5)).unwrap());
                s.go(|| {
                    let got = block_on(rx.recv_async()).unwrap() as usize;
                    count.fetch_add(got, Ordering::SeqCst);
                });
            });
        });
        assert_eq!(count.into_inner(), 15);
    });
}

/// A scope inside a scope's child, whose goroutine others wait for meanwhile.
#[test]
fn a_scope_holds_no_worker_while_it_waits() {
    let (tx, rx) = chan::<()>(0);
    let owner = go(move || {
        scope(|s| {
            s.go(|| rx.recv().unwrap_err());
        });
    });
    for _ in 0..10 {
        go(yield_now).join().unwrap();
    }
    assert!(!owner.is_finished());
    drop(tx);
    owner.join().unwrap();
}
