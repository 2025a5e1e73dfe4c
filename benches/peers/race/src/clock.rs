//! Wall time and CPU time of a stretch of work.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Runs from `start` to `stop`.
pub struct Clock {
    begin: Instant,
    cpu: Duration,
}

/// What has passed: on the wall, and of CPU (user and system, of the whole process).
#[derive(Clone, Copy)]
pub struct Span {
    pub wall: Duration,
    pub cpu: Duration,
}

impl Clock {
    pub fn start() -> Clock {
        Clock {
            cpu: cpu(),
            begin: Instant::now(),
        }
    }

    pub fn stop(self) -> Span {
        let wall = self.begin.elapsed();
        Span {
            wall,
            cpu: cpu() - self.cpu,
        }
    }
}

impl Span {
    /// Tells nanoseconds an operation.
    pub fn per_op(self, metric: &str, n: usize) {
        let each = |time: Duration| time.as_nanos() as f64 / n as f64;
        self.tell(metric, "ns", each(self.wall), each(self.cpu));
    }

    /// Tells nanoseconds of CPU an operation, where the wall shows only how long was slept.
    pub fn cpu_per_op(self, metric: &str, n: usize) {
        crate::tell(metric, "CPU ns", self.cpu.as_nanos() as f64 / n as f64);
    }

    /// Tells milliseconds of it all.
    pub fn ms(self, metric: &str) {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        self.tell(metric, "ms", ms(self.wall), ms(self.cpu));
    }

    /// Tells what share of the workers was busy.
    pub fn busy(self, workers: usize) {
        let share = self.cpu.as_secs_f64() / self.wall.as_secs_f64() / workers as f64;
        crate::tell("of the cores busy", "share", share);
    }

    fn tell(self, metric: &str, unit: &str, wall: f64, cpu: f64) {
        println!(r#"{{"metric":{metric:?},"unit":{unit:?},"value":{wall},"cpu":{cpu}}}"#);
    }
}

fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.cast_unsigned(), now.tv_nsec as u32)
}
