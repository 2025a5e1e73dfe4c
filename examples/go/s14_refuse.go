// S14: ten items for a channel with room for three.
package main

import (
	"fmt"
	"runtime"
)

func main() {
	before := runtime.NumGoroutine()
	ch := make(chan int, 3)
	refused := 0
	for item := 1; item <= 10; item++ {
		select {
		case ch <- item:
			fmt.Printf("item %d: taken\n", item)
		default:
			fmt.Printf("item %d: refused\n", item)
			refused++
		}
	}
	fmt.Printf("full: %v, refused: %d\n", len(ch) == cap(ch), refused)
	fmt.Printf("goroutines made: %d\n", runtime.NumGoroutine()-before)
	fmt.Printf("received %d: full: %v\n", <-ch, len(ch) == cap(ch))
}
