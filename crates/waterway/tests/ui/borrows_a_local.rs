fn main() {
    let word = String::from("borrowed");
    waterway::go(|| println!("{word}"));
}
