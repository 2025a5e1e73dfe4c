// Go in the race. `--list` prints a line of JSON for each workload; `WORKLOAD VARIANT N WORKERS` runs one and prints a line
// of JSON for each measurement, as the Rust programs do.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
)

type entry struct {
	name, note string
	body       func(n int)
}

var entries = []entry{
	{"pingpong", "", timed(pingpong)},
	{"spsc", "", timed(spsc)},
	{"mpmc", "", timed(func(n int) { fourByFour(n, capacity) })},
	{"mpmc0", "", timed(func(n int) { fourByFour(n, 0) })},
	{"select2", "", timed(func(n int) { selectTwo(n, 0) })},
	{"select2b", "", timed(func(n int) { selectTwo(n, capacity) })},
	{"select8", "", timed(func(n int) { selectEight(n, 0) })},
	{"select8b", "", timed(func(n int) { selectEight(n, capacity) })},
	{"try_recv", "select with one case and a default", timed(tryRecv)},
	{"select_default", "", timed(selectDefault)},
	{"spawn_join", "", timed(spawnJoin)},
	{"spawn_burst", "", spawnBurst},
	{"yield1", "", timed(yieldOne)},
	{"yield1000", "", timed(yieldThousand)},
	{"mutex", "", timed(mutex)},
	{"mutex8", "", timed(mutexEight)},
	{"skynet", "", skynet},
	{"sieve", "", sieve},
	{"timers", "", timers},
	{"parked100k", "", parked},
	{"parked1m", "", parked},
	{"pipeline_a", "", pipelineA},
	{"pipeline_b", "", pipelineB},
	{"pipeline_c", "", pipelineC},
	{"pipeline_d", "", pipelineD},
	{"scaling_spawn", "", scalingSpawn},
	{"scaling_pingpong", "", scalingPingpong},
	{"scaling_timers", "", scalingTimers},
	{"scaling_select", "select statements written out", scalingSelect},
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--list" {
		for _, e := range entries {
			fmt.Printf("{\"workload\":%q,\"variant\":\"\",\"note\":%q}\n", e.name, e.note)
		}
		return
	}
	if len(os.Args) != 5 || os.Args[2] != "" {
		fail("usage: PROGRAM --list | PROGRAM WORKLOAD '' N WORKERS")
	}
	for _, e := range entries {
		if e.name == os.Args[1] {
			runtime.GOMAXPROCS(number(os.Args[4]))
			e.body(number(os.Args[3]))
			return
		}
	}
	fail(fmt.Sprintf("no workload %q", os.Args[1]))
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		fail(fmt.Sprintf("%q is no number above 0", text))
	}
	return n
}

func fail(what string) {
	fmt.Fprintln(os.Stderr, what)
	os.Exit(2)
}
