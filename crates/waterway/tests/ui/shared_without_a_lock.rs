use std::cell::Cell;
use std::sync::Arc;

fn main() {
    let count = Arc::new(Cell::new(0));
    let other = count.clone();
    waterway::go(move || other.set(1));
    count.set(2);
}
