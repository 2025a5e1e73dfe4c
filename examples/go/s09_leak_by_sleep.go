// S9: goroutines that sleep for 10,000,000 seconds, more and more of them.
package main

import (
	"fmt"
	"runtime"
	"time"
)

func main() {
	before := runtime.NumGoroutine()
	for round := 1; round <= 5; round++ {
		for i := 0; i < 100; i++ {
			go func() { time.Sleep(10_000_000 * time.Second) }()
		}
		time.Sleep(100 * time.Millisecond)
		fmt.Printf("round %d: %d more than at first\n", round, runtime.NumGoroutine()-before)
	}
}
