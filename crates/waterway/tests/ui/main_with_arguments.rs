#[waterway::main]
fn main(words: Vec<String>) {
    drop(words);
}
