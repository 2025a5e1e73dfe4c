//! The select macros.

/// Waits until one of several channel operations can go, and does it. If several can, one is chosen at random.
///
/// ```text
/// select! {
///     recv(receiver) -> result => body,
///     send(sender, message) -> result => body,
///     default(timeout) => body,          // or `default => body`, or none
/// }
/// ```
///
/// `result` is a pattern for the `Result` that [`Receiver::recv`](crate::Receiver::recv) or
/// [`Sender::send`](crate::Sender::send) would give: an operation on a closed channel can go at once. Receivers and
/// senders may be any expressions that dereference to an end; they are evaluated once, in order, before anything else. A
/// message is evaluated only if its arm was chosen. Until then the receiver, or the slot in the buffer, is reserved for it.
/// If that expression panics, returns or breaks, the reservation is given back. If it blocks, likewise, and the message is
/// then sent as `send` does.
///
/// An arm that sends meets an async task as a blocking `send` does: once chosen, it waits until a receiver has fetched the
/// message. Who does not wait to receive, as with `try_recv` or a `default`, finds nothing in an unbuffered channel through
/// which only selects would send: their messages are not made yet.
///
/// Go: `select`.
///
/// # Blocking
///
/// Yes, unless there is a `default` arm without a time-out. `select! {}` waits for ever.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use waterway::{chan, select};
///
/// let (tx, rx) = chan(1);
/// let (other_tx, other_rx) = chan::<u8>(0);
/// select! {
///     send(tx, 5) -> sent => sent.unwrap(),
///     recv(other_rx) -> _ => unreachable!("nobody sends there"),
/// }
/// let got = select! {
///     recv(rx) -> got => got.unwrap(),
///     default(Duration::from_secs(60)) => 0,
/// };
/// assert_eq!(got, 5);
/// # drop(other_tx);
/// ```
#[macro_export]
macro_rules! select {
    ($($arms:tt)*) => {
        $crate::__select!(@arms (false) [] [] $($arms)*)
    };
}

/// As [`select!`], but of several operations that can go it does the first.
///
/// Go: has no counterpart.
///
/// # Blocking
///
/// As [`select!`].
///
/// # Examples
///
/// ```
/// use waterway::{chan, select_biased};
///
/// let (urgent_tx, urgent) = chan(1);
/// let (tx, rx) = chan(1);
/// tx.send("later").unwrap();
/// urgent_tx.send("now").unwrap();
/// let first = select_biased! {
///     recv(urgent) -> text => text,
///     recv(rx) -> text => text,
/// };
/// assert_eq!(first, Ok("now"));
/// ```
#[macro_export]
macro_rules! select_biased {
    ($($arms:tt)*) => {
        $crate::__select!(@arms (true) [] [] $($arms)*)
    };
}

/// `@arms (biased) [arms] [default] rest...` sorts the arms into a list, with names that differ by hygiene; `@run` makes the
/// match of a select, `@bind` evaluates the operands, one inside the other so that temporaries live on.
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    (@arms $b:tt [$($arm:tt)*] $d:tt recv($end:expr $(,)?) -> $pat:pat => $body:expr, $($rest:tt)*) => {
        $crate::__select!(@arms $b [$($arm)* (recv arm out ($end) () ($pat) ($body))] $d $($rest)*)
    };
    (@arms $b:tt [$($arm:tt)*] $d:tt recv($end:expr $(,)?) -> $pat:pat => $body:expr) => {
        $crate::__select!(@arms $b [$($arm)* (recv arm out ($end) () ($pat) ($body))] $d)
    };
    (@arms $b:tt [$($arm:tt)*] $d:tt recv($end:expr $(,)?) -> $pat:pat => $body:block $($rest:tt)*) => {
        $crate::__select!(@arms $b [$($arm)* (recv arm out ($end) () ($pat) ($body))] $d $($rest)*)
    };
    (@arms $b:tt [$($arm:tt)*] $d:tt send($end:expr, $msg:expr $(,)?) -> $pat:pat => $body:expr, $($rest:tt)*) => {
        $crate::__select!(@arms $b [$($arm)* (send arm out ($end) ($msg) ($pat) ($body))] $d $($rest)*)
    };
    (@arms $b:tt [$($arm:tt)*] $d:tt send($end:expr, $msg:expr $(,)?) -> $pat:pat => $body:expr) => {
        $crate::__select!(@arms $b [$($arm)* (send arm out ($end) ($msg) ($pat) ($body))] $d)
    };
    (@arms $b:tt [$($arm:tt)*] $d:tt send($end:expr, $msg:expr $(,)?) -> $pat:pat => $body:block $($rest:tt)*) => {
        $crate::__select!(@arms $b [$($arm)* (send arm out ($end) ($msg) ($pat) ($body))] $d $($rest)*)
    };
    (@arms $b:tt $arms:tt [] default $(($($after:expr $(,)?)?))? => $body:expr, $($rest:tt)*) => {
        $crate::__select!(@arms $b $arms [($($($after)?)?) ($body)] $($rest)*)
    };
    (@arms $b:tt $arms:tt [] default $(($($after:expr $(,)?)?))? => $body:expr) => {
        $crate::__select!(@arms $b $arms [($($($after)?)?) ($body)])
    };
    (@arms $b:tt $arms:tt [] default $(($($after:expr $(,)?)?))? => $body:block $($rest:tt)*) => {
        $crate::__select!(@arms $b $arms [($($($after)?)?) ($body)] $($rest)*)
    };
    (@arms $b:tt $arms:tt [$($d:tt)+] default $($rest:tt)*) => {
        ::core::compile_error!("a select has one `default` arm at most")
    };
    (@arms $b:tt $arms:tt [] ) => {
        $crate::__select!(@run $b $arms (Wait) (::core::unreachable!("an arm was chosen")))
    };
    (@arms $b:tt $arms:tt [() ($body:expr)] ) => {
        $crate::__select!(@run $b $arms (Default) ($body))
    };
    (@arms $b:tt $arms:tt [($after:expr) ($body:expr)] ) => {
        $crate::__select!(@run $b $arms (DefaultAfter($after)) ($body))
    };
    (@arms $b:tt $arms:tt $d:tt $($rest:tt)+) => {
        ::core::compile_error!(::core::concat!(
            "expected `recv(receiver) -> result => body`, `send(sender, message) -> result => body`, ",
            "`default => body` or `default(timeout) => body` (`result` is a name for the `Result`; a body that is not a ",
            "`{ }` block ends with a comma), found: ",
            ::core::stringify!($($rest)+)
        ))
    };

    (@run $b:tt [] (Wait) $default:tt) => {{
        $crate::__private::choose([], false, $crate::__private::Otherwise::Wait);
        ::core::unreachable!("no arm can be chosen where there is none")
    }};
    (@run $b:tt [$(($kind:ident $arm:ident $out:ident $end:tt $msg:tt ($pat:pat) ($body:expr)))*] $o:tt ($default:expr)) => {{
        $(let mut $out = ::core::option::Option::None;)*
        let chosen = $crate::__select!(@bind $b $o [$(($kind $arm $out $end $msg))*] []);
        $crate::__select!(@bodies chosen (0usize) ($default) $(($out ($pat) ($body)))*)
    }};

    (@bind $b:tt $o:tt [($kind:ident $arm:ident $out:ident ($end:expr) $msg:tt) $($rest:tt)*] [$($bound:tt)*]) => {
        match &$end {
            end => {
                let $arm = ::core::pin::pin!($crate::__select!(@new $kind end));
                let $arm = $arm.as_ref();
                $crate::__select!(@bind $b $o [$($rest)*] [$($bound)* ($kind $arm $out $msg)])
            }
        }
    };
    (@bind ($b:expr) ($($o:tt)*) [] [$(($kind:ident $arm:ident $out:ident $msg:tt))*]) => {{
        let chosen = $crate::__private::choose(
            [$($arm.erase()),*],
            $b,
            $crate::__private::Otherwise::$($o)*,
        );
        $crate::__select!(@finish chosen (0usize) $(($kind $arm $out $msg))*);
        chosen
    }};

    (@new recv $end:ident) => { $crate::__private::RecvArm::new($end) };
    (@new send $end:ident) => { $crate::__private::SendArm::new($end) };

    (@finish $chosen:ident $at:tt) => {};
    (@finish $chosen:ident ($at:expr) (recv $arm:ident $out:ident ()) $($rest:tt)*) => {
        if $chosen == $at {
            $out = ::core::option::Option::Some($arm.finish());
        } else {
            $crate::__select!(@finish $chosen ($at + 1) $($rest)*);
        }
    };
    (@finish $chosen:ident ($at:expr) (send $arm:ident $out:ident ($msg:expr)) $($rest:tt)*) => {
        if $chosen == $at {
            let message = $msg;
            $out = ::core::option::Option::Some($arm.finish(message));
        } else {
            $crate::__select!(@finish $chosen ($at + 1) $($rest)*);
        }
    };

    (@bodies $chosen:ident $at:tt ($default:expr)) => { $default };
    (@bodies $chosen:ident ($at:expr) $default:tt ($out:ident ($pat:pat) ($body:expr)) $($rest:tt)*) => {
        if $chosen == $at {
            let $pat = $out.expect("the chosen arm is finished");
            $body
        } else {
            $crate::__select!(@bodies $chosen ($at + 1) $default $($rest)*)
        }
    };
}
