//! Channels, and selects of them.

use std::mem::forget;

use waterway::{
    Receiver, RecvError, Select, Sender, TryRecvError, TrySendError, block_on, chan, go, scope,
    select,
};

use super::child::{DEADLOCK, run};
use super::{BRIEF, panic_of, panics, settled};

pub fn programs(program: &str) {
    match program {
        "receives_from_itself" => receives_from_itself(),
        "sends_to_itself" => _ = ends().0.send(1),
        "forgets_an_end" => {
            let (tx, rx) = chan::<u8>(0);
            forget(tx);
            _ = rx.recv();
        }
        "receives_never" => _ = chan::never::<u8>().recv(),
        "selects_nothing" => select! {},
        "selects_of_an_empty_set" => _ = Select::new().ready(),
        "selects_itself" => {
            let (tx, rx) = ends();
            select! {
                send(tx, 1) -> _ => {},
                recv(rx) -> _ => {},
            }
        }
        other => panic!("no program {other:?}"),
    }
}

fn ends() -> (&'static Sender<u8>, &'static Receiver<u8>) {
    let (tx, rx) = Box::leak(Box::new(chan(0)));
    (tx, rx)
}

pub fn a_send_on_a_closed_channel_gives_the_value_back() {
    for capacity in [0, 1] {
        let (tx, rx) = chan(capacity);
        drop(rx);
        let error = tx.send("back").unwrap_err();
        assert!(error.to_string().contains("closed or has no receiver"));
        assert_eq!(error.into_inner(), "back");
        assert_eq!(tx.try_send("back"), Err(TrySendError::Disconnected("back")));
        assert!(
            tx.send_timeout("back", BRIEF)
                .unwrap_err()
                .is_disconnected()
        );
        assert!(block_on(tx.send_async("back")).is_err());
        select! { send(tx, "back") -> sent => assert_eq!(sent.unwrap_err().into_inner(), "back") }
    }
}

pub fn a_receive_from_a_closed_channel_gives_what_is_left() {
    let (tx, rx) = chan(1);
    tx.send("left").unwrap();
    drop(tx);
    assert_eq!((rx.recv(), rx.recv()), (Ok("left"), Err(RecvError)));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
    assert!(rx.recv_timeout(BRIEF).unwrap_err().is_disconnected());
    assert!(rx.iter().next().is_none() && block_on(rx.recv_async()).is_err());
    select! { recv(rx) -> got => assert_eq!(got, Err(RecvError)) }
}

pub fn a_channel_closed_twice_is_closed() {
    let (tx, rx) = chan::<u8>(1);
    tx.close();
    tx.clone().close();
    rx.close();
    assert!(tx.send(1).is_err() && rx.recv().is_err() && tx.is_closed());
}

pub fn who_waits_at_a_channel_that_closes_is_told() {
    type Close = fn(&Sender<u8>, &Receiver<u8>);
    for close in [(|tx, _| tx.close()) as Close, |_, rx| rx.close()] {
        let (tx, rx) = chan(0);
        scope(|s| {
            let receives = s.go(|| rx.recv());
            settled(|| tx.statistics().waiting_receivers == 1);
            close(&tx, &rx);
            assert_eq!(receives.join().unwrap(), Err(RecvError));
        });
        let (tx, rx) = chan(0);
        scope(|s| {
            let sends = s.go(|| tx.send(1));
            settled(|| tx.statistics().waiting_senders == 1);
            close(&tx, &rx);
            assert_eq!(sends.join().unwrap().unwrap_err().into_inner(), 1);
        });
    }
    // The last end goes.
    let (tx, rx) = chan::<u8>(0);
    let receives = go(move || rx.recv());
    settled(|| tx.statistics().waiting_receivers == 1);
    drop(tx);
    assert_eq!(receives.join().unwrap(), Err(RecvError));
    let (tx, rx) = chan(0);
    let sends = go(move || tx.send(1).is_err());
    settled(|| rx.statistics().waiting_senders == 1);
    drop(rx);
    assert!(sends.join().unwrap());
}

/// Until the channel is closed, which its own sender keeps open.
fn receives_from_itself() {
    let (tx, rx) = chan(1);
    tx.send(1).unwrap();
    rx.iter().for_each(drop);
}

pub fn who_waits_for_itself_is_a_deadlock_that_counts_the_ends() {
    for (program, what) in [
        ("receives_from_itself", "[chan receive, "),
        ("sends_to_itself", "[chan send, "),
        ("forgets_an_end", "[chan receive, "),
    ] {
        run(program, &[])
            .code(2)
            .says(DEADLOCK)
            .says(what)
            .says("senders alive: 1, receivers alive: 1), made at ");
    }
    run("receives_never", &[])
        .code(2)
        .says(DEADLOCK)
        .says("[chan receive (never), ");
}

pub fn a_select_without_arms_is_a_deadlock_that_says_so() {
    for program in ["selects_nothing", "selects_of_an_empty_set"] {
        let outcome = run(program, &[]);
        outcome.code(2).says(DEADLOCK).says("[select (no cases), ");
    }
    let outcome = run("selects_itself", &[]);
    outcome.code(2).says(DEADLOCK);
    outcome
        .says("to send to channel ")
        .says("to receive from channel ");
    assert!(Select::new().try_select().is_err());
}

pub fn a_capacity_that_fits_nowhere_panics() {
    let text = panics(|| drop(chan::<u64>(1 << 58)));
    assert!(
        text.contains("capacity overflow: a channel of 288230376151711744 values"),
        "{text}"
    );
    assert!(text.contains("does not fit in memory"), "{text}");
}

pub fn a_chosen_operation_is_finished_once_and_with_its_own_end() {
    let ((tx, rx), (other, wrong)) = (chan(1), chan(1));
    tx.send(1).unwrap();
    let mut set = Select::new();
    set.recv(&rx);
    let text = panics(|| _ = set.select().recv(&wrong));
    assert!(
        text.contains("operation 0 was chosen, which is not a receive from this channel"),
        "{text}"
    );
    let mut set = Select::new();
    set.send(&tx);
    let text = panics(|| _ = set.select().send(&other, 2));
    assert!(
        text.contains("operation 0 was chosen, which is not a send through this channel"),
        "{text}"
    );
    // In a destructor, which has no caller: the text says where.
    let (_, text) = panic_of(|| drop(set.select()));
    assert!(
        text.contains("operation 0, chosen at crates/waterway/tests/bad_use/channels.rs"),
        "{text}"
    );
    assert!(text.contains("call its `send`"), "{text}");
    let text = panics(|| set.remove(1));
    assert!(text.contains("no operation of index 1"), "{text}");
    assert_eq!(
        (tx.len(), wrong.len()),
        (0, 0),
        "nothing is left reserved, nothing sent"
    );
}

pub fn a_future_of_a_channel_that_is_dropped_takes_nothing() {
    let (tx, rx) = chan(1);
    drop(tx.send_async("unsent"));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    tx.send("kept").unwrap();
    drop(rx.recv_async());
    let mut receives = std::pin::pin!(rx.recv_async());
    assert_eq!(block_on(receives.as_mut()), Ok("kept"));
    let mut sends = std::pin::pin!(tx.send_async("next"));
    block_on(sends.as_mut()).unwrap();
    let (_, text) = panic_of(|| _ = block_on(sends));
    assert!(text.contains("polled after it was ready"), "{text}");
    assert_eq!(block_on(receives), Ok("next"));
}
