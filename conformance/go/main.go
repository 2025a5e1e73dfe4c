// Programs whose outcome is a function of their input, not of how they are scheduled: `oracle NAME`. Each has a twin of
// the same name in src/bin/program/oracle.rs; tests/oracle.rs compares what they print and how they end.
package main

import (
	"fmt"
	"os"
)

var programs = map[string]func(){
	"sieve":            sieve,
	"power_series":     powerSeries,
	"fan_in":           fanIn,
	"closed_select":    closedSelect,
	"ring":             ring,
	"timers":           timers,
	"defers":           defers,
	"mutex_sum":        mutexSum,
	"contexts":         contexts,
	"deadlock":         func() { select {} },
	"deadlock_send":    deadlockSend,
	"deadlock_mutex":   deadlockMutex,
	"panic_main":       func() { panic("test") },
	"panic_goroutine":  panicGoroutine,
	"send_on_closed":   sendOnClosed,
	"close_closed":     closeClosed,
	"negative_counter": negativeCounter,
}

func main() {
	program, ok := programs[os.Args[1]]
	if !ok {
		fmt.Fprintln(os.Stderr, "there is no program", os.Args[1])
		os.Exit(3)
	}
	program()
}
