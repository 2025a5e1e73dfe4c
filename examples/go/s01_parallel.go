// S1: the seed text's program.
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
