// S9: endless sleepers.
package main

import (
	"fmt"
	"runtime"
	"time"
)

func main() {
	for i := 0; i < 5; i++ {
		for j := 0; j < 1000; j++ {
			go func() { time.Sleep(10000000 * time.Second) }()
		}
		fmt.Printf("live=%d\n", runtime.NumGoroutine()-1)
	}
}
