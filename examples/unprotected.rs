//! What does not compile: goroutines that write to one variable without a lock.

fn main() {
    let mut count = 0;
    waterway::scope(|s| {
        s.go(|| count += 1);
        s.go(|| count += 1);
    });
    println!("{count}");
}
