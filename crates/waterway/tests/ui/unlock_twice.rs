fn main() {
    let lock = waterway::sync::Mutex::new(0);
    let guard = lock.lock();
    drop(guard);
    drop(guard);
}
