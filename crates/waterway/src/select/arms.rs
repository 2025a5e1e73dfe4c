//! What the select macros are made of. Public for them alone.

use std::panic::Location;
use std::pin::Pin;
use std::time::Duration;

use super::run::{Patience, run};
use crate::chan::{Port, Receiver, RecvError, RecvPort, SendError, SendPort, Sender};

/// An arm that receives.
pub struct RecvArm<'a, T>(RecvPort<'a, T>);

/// An arm that sends.
pub struct SendArm<'a, T>(SendPort<'a, T>);

/// Some arm.
#[derive(Clone, Copy)]
pub struct Arm<'a>(Pin<&'a dyn Port>);

/// What to do if no arm can go at once.
#[derive(Clone, Copy, Debug)]
pub enum Otherwise {
    /// Wait for one.
    Wait,
    /// Take the default arm.
    Default,
    /// Wait, then take the default arm.
    DefaultAfter(Duration),
}

impl<'a, T> RecvArm<'a, T> {
    /// An arm for this end.
    pub fn new(end: &'a Receiver<T>) -> Self {
        RecvArm(RecvPort::new(end))
    }

    /// What the arm received, if it was chosen.
    pub fn finish(self: Pin<&Self>) -> Result<T, RecvError> {
        self.get_ref().0.finish()
    }

    /// The arm, without its type.
    pub fn erase(self: Pin<&Self>) -> Arm<'_> {
        // SAFETY: the field of something pinned, which has no other way to it.
        Arm(unsafe { self.map_unchecked(|arm| &arm.0 as &dyn Port) })
    }
}

impl<'a, T> SendArm<'a, T> {
    /// An arm for this end.
    pub fn new(end: &'a Sender<T>) -> Self {
        SendArm(SendPort::new(end))
    }

    /// Sends through the arm, if it was chosen.
    #[track_caller]
    pub fn finish(self: Pin<&Self>, message: T) -> Result<(), SendError<T>> {
        self.get_ref().0.finish(message, Location::caller())
    }

    /// The arm, without its type.
    pub fn erase(self: Pin<&Self>) -> Arm<'_> {
        // SAFETY: the field of something pinned, which has no other way to it.
        Arm(unsafe { self.map_unchecked(|arm| &arm.0 as &dyn Port) })
    }
}

/// Chooses an arm: its index, or the number of arms for the default arm.
#[track_caller]
pub fn choose<const N: usize>(arms: [Arm<'_>; N], biased: bool, otherwise: Otherwise) -> usize {
    let patience = match otherwise {
        Otherwise::Wait => Patience::Until(None),
        Otherwise::Default => Patience::None,
        Otherwise::DefaultAfter(timeout) => Patience::lasting(timeout),
    };
    run(&arms.map(|arm| arm.0), biased, patience, Location::caller()).unwrap_or(N)
}
