fn main() {
    let mut kept = None;
    waterway::scope(|s| {
        let word = String::from("dies with the closure");
        kept = Some(s.go(|| word.len()));
    });
}
