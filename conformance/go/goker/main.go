// The kernels as Go has them, each with the interleaving forced that blocks it: `goker KERNEL beside|alone|ticker`. Each has a
// twin of the same name in src/goker.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/pprof"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

var kernels = map[string]func(){}

// Adds the kernels of a file.
func add(some map[string]func()) bool {
	for name, kernel := range some {
		kernels[name] = kernel
	}
	return true
}

// Starts a goroutine of that name, which profiles tell as a label.
func goes(name string, f func()) {
	go pprof.Do(context.Background(), pprof.Labels("name", name), func(context.Context) { f() })
}

// The caller locks after the other one has.
func untilLocked(mu *sync.Mutex) {
	for mu.TryLock() {
		mu.Unlock()
		runtime.Gosched()
	}
}

// Waits until a writer stands in line at a lock that the caller reads, or has it.
func untilAWriterWaits(mu *sync.RWMutex) {
	for mu.TryRLock() {
		mu.RUnlock()
		runtime.Gosched()
	}
}

// Waits until somebody reads.
func untilRead(mu *sync.RWMutex) {
	for mu.TryLock() {
		mu.Unlock()
		runtime.Gosched()
	}
}

func main() {
	if len(os.Args) != 3 || kernels[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: goker KERNEL beside|alone|ticker")
		os.Exit(3)
	}
	switch os.Args[2] {
	case "beside":
		go func() {
			for {
				time.Sleep(time.Millisecond)
			}
		}()
		kernels[os.Args[1]]()
		tell()
	case "ticker":
		ticked()
		fallthrough
	default:
		kernels[os.Args[1]]()
		select {}
	}
}

// A ticker that only a stuck goroutine could read.
func ticked() {
	var own sync.Mutex
	ticker := time.NewTicker(3 * time.Millisecond)
	goes("ticked", func() {
		own.Lock()
		own.Lock()
		<-ticker.C
	})
}

// Prints who blocks, and who of them is told by the profile of leaks.
func tell() {
	before := ""
	for range 20 {
		time.Sleep(20 * time.Millisecond)
		blocked := named("goroutine")
		leaked := named("goroutineleak")
		// The same twice, or it is given up.
		if blocked == leaked && before == leaked {
			break
		}
		before = leaked
	}
	fmt.Println("blocked" + named("goroutine"))
	fmt.Println("leaked" + named("goroutineleak"))
}

var record = regexp.MustCompile(`(?m)^(\d+) @.*\n# labels: \{"name":"(\w+)"\}`)

// The names of a profile's goroutines, in their order, each after a space.
func named(profile string) string {
	var text bytes.Buffer
	if err := pprof.Lookup(profile).WriteTo(&text, 1); err != nil {
		panic(err)
	}
	var names []string
	for _, match := range record.FindAllStringSubmatch(text.String(), -1) {
		count, _ := strconv.Atoi(match[1])
		for range count {
			names = append(names, " "+match[2])
		}
	}
	sort.Strings(names)
	return strings.Join(names, "")
}
