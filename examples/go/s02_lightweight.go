// S2: goroutines parked on a channel. Lines that begin with # are figures, not compared.
package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

func memory() int {
	text, _ := os.ReadFile("/proc/self/status")
	sum := 0
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, "VmRSS:") || strings.HasPrefix(line, "VmPTE:") {
			kb := 0
			fmt.Sscanf(strings.Fields(line)[1], "%d", &kb)
			sum += kb * 1024
		}
	}
	return sum
}

func main() {
	const count = 1000000
	gate := make(chan struct{})
	var started, done sync.WaitGroup
	started.Add(count)
	done.Add(count)
	before, begin := memory(), time.Now()
	for i := 0; i < count; i++ {
		go func() {
			started.Done()
			<-gate
			done.Done()
		}()
	}
	started.Wait()
	took := time.Since(begin)
	fmt.Printf("# goroutines=%d bytes_each=%d ns_each=%d\n", count, (memory()-before)/count, took.Nanoseconds()/count)
	close(gate)
	done.Wait()
}
