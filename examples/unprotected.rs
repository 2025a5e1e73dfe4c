//! Two goroutines write to one number, and nothing orders them: this does not compile.

fn main() {
    let mut count = 0;
    waterway::scope(|s| {
        s.go(|| count += 1);
        s.go(|| count += 1);
    });
    println!("{count}");
}
