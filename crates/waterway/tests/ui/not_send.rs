fn main() {
    let shared = std::rc::Rc::new(1);
    waterway::go(move || println!("{shared}"));
}
