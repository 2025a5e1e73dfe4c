#[waterway::main]
async fn main() {}
