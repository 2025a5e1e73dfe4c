// S2: a million goroutines wait on one channel; then it is closed.
package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// The value, in bytes, of the lines of a file in /proc that begin with one of the keys.
func field(file string, keys ...string) (sum int) {
	text, _ := os.ReadFile(file)
	for _, line := range strings.Split(string(text), "\n") {
		for _, key := range keys {
			var kib int
			if n, _ := fmt.Sscanf(line, key+" %d kB", &kib); n == 1 {
				sum += kib * 1024
			}
		}
	}
	return
}

func memory() int { return field("/proc/self/status", "VmRSS:", "VmPTE:") }

func main() {
	count := min(1_000_000, field("/proc/meminfo", "MemAvailable:")/4*3/6144)
	gate := make(chan struct{})
	var waiting, running sync.WaitGroup
	waiting.Add(count)
	running.Add(count)
	before, start := memory(), time.Now()
	for i := 0; i < count; i++ {
		go func() {
			waiting.Done()
			<-gate
			running.Done()
		}()
	}
	waiting.Wait()
	spent := time.Since(start)
	fmt.Printf("goroutines=%d\n", count)
	fmt.Printf("bytes_each=%d\n", (memory()-before)/count)
	fmt.Printf("us_each=%.2f\n", float64(spent.Microseconds())/float64(count))
	close(gate)
	running.Wait()
	fmt.Println("all goroutines ended")
}
