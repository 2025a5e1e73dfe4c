static TABLE: waterway::sync::RwLock<u32> = waterway::sync::RwLock::new(0);

fn main() {
    let guard = TABLE.read();
    waterway::go(move || drop(guard));
    let guard = TABLE.write();
    waterway::go(move || drop(guard));
}
