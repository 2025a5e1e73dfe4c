//! A monitor that nobody keeps measures nothing.
#![deny(unused_must_use)]

fn main() {
    waterway::flow::Monitor::builder().start();
}
