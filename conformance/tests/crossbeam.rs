//! The tests of crossbeam-channel, in one program: that is linked once.

#![forbid(unsafe_code)]

mod crossbeam_clock;
mod crossbeam_flavours;
mod crossbeam_misc;
mod crossbeam_mpsc;
mod crossbeam_ready;
mod crossbeam_select;
mod crossbeam_select_macro;
mod crossbeam_select_stress;
mod crossbeam_stress;
