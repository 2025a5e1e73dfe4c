package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func tell(metric, unit string, value float64) {
	fmt.Printf("{\"metric\":%q,\"unit\":%q,\"value\":%v}\n", metric, unit, value)
}

// A span is wall time and CPU time (user and system, of the whole process).
type span struct{ wall, cpu time.Duration }

type clock struct {
	begin time.Time
	cpu   time.Duration
}

func start() clock { return clock{cpu: cpu(), begin: time.Now()} }

func (c clock) stop() span {
	wall := time.Since(c.begin)
	return span{wall, cpu() - c.cpu}
}

func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail(err.Error())
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func (s span) tell(metric, unit string, wall, cpu float64) {
	fmt.Printf("{\"metric\":%q,\"unit\":%q,\"value\":%v,\"cpu\":%v}\n", metric, unit, wall, cpu)
}

func (s span) perOp(metric string, n int) {
	s.tell(metric, "ns", float64(s.wall)/float64(n), float64(s.cpu)/float64(n))
}

func (s span) cpuPerOp(metric string, n int) {
	tell(metric, "CPU ns", float64(s.cpu)/float64(n))
}

func (s span) ms(metric string) {
	s.tell(metric, "ms", s.wall.Seconds()*1e3, s.cpu.Seconds()*1e3)
}

func (s span) busy() {
	workers := float64(runtime.GOMAXPROCS(0))
	tell("of the cores busy", "share", s.cpu.Seconds()/s.wall.Seconds()/workers)
}

// A tenth of the work to warm up, then all of it.
func timed(work func(n int)) func(n int) {
	return func(n int) {
		work(n / 10)
		c := start()
		work(n)
		c.stop().perOp("time", n)
	}
}

func tellLateness(late []time.Duration) {
	slices.Sort(late)
	for _, p := range []struct {
		name  string
		share float64
	}{{"late p50", 0.5}, {"late p99", 0.99}, {"late p99.9", 0.999}} {
		tell(p.name, "us", float64(late[int(float64(len(late)-1)*p.share)])/1e3)
	}
}

// A memory is the resident pages and the tables that map them, in bytes.
type memory struct{ pages, tables float64 }

func memoryNow() memory { return memory{field("VmRSS:"), field("VmPTE:")} }

func (m memory) grownEach(n int) {
	now := memoryNow()
	tables := max(now.tables-m.tables, 0) / float64(n)
	tell("memory each, with page tables", "B", max(now.pages-m.pages, 0)/float64(n)+tables)
	tell("of it page tables", "B", tables)
}

func tellPeak() { tell("peak memory", "MB", field("VmHWM:")/1e6) }

// A line of /proc/self/status, which counts in KiB.
func field(name string) float64 {
	status, err := os.Open("/proc/self/status")
	if err != nil {
		fail(err.Error())
	}
	defer status.Close()
	for lines := bufio.NewScanner(status); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), name); ok {
			kib, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kib * 1024
		}
	}
	return 0
}

// As many steps as the Rust programs make of n microseconds, for the same work, step by step.
func micros(n int) int { return n * stepsEach() }

var stepsEach = sync.OnceValue(func() int {
	text, said := os.LookupEnv("RACE_STEPS")
	if !said {
		return 500
	}
	steps, err := strconv.Atoi(text)
	if err != nil || steps <= 0 {
		fail(fmt.Sprintf("RACE_STEPS=%q is no number above 0", text))
	}
	return steps
})

func compute(seed uint64, steps int) uint64 {
	x := seed | 1
	for range steps {
		x = (x ^ x>>33) * 0xff51_afd7_ed55_8ccd
	}
	return x
}

func sleepTime(i, n int, span time.Duration) time.Duration {
	return time.Duration(float64(span) * float64(i*7919%n) / float64(n))
}

func roundsOf(total, goroutines int) int { return max(total/goroutines, 1) }

// The prime that a sieve finds as number n, found otherwise.
func prime(n int) uint32 {
	for i := uint32(2); ; i++ {
		d := uint32(2)
		for d*d <= i && i%d != 0 {
			d++
		}
		if d*d > i {
			n--
		}
		if n == 0 {
			return i
		}
	}
}
