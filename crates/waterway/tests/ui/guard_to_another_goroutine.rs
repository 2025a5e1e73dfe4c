static COUNT: waterway::sync::Mutex<u32> = waterway::sync::Mutex::new(0);

fn main() {
    let guard = COUNT.lock();
    waterway::go(move || drop(guard));
}
