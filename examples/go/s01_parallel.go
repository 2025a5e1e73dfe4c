// S1: go runs a function in parallel with main, which computes for a second.
package main

import (
	"fmt"
	"time"
)

func main() {
	go func() { fmt.Println("world") }()
	fmt.Println("hello")
	start := time.Now()
	for time.Since(start) < time.Second {
	}
	fmt.Println("main ends")
}
