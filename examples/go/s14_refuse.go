// S14: len(ch) == cap(ch).
package main

import "fmt"

func main() {
	ch := make(chan int, 100)
	taken, refused := 0, 0
	for i := 0; i < 1000; i++ {
		if len(ch) == cap(ch) {
			refused++
			continue
		}
		ch <- i
		taken++
	}
	fmt.Printf("taken=%d refused=%d queued=%d\n", taken, refused, len(ch))
}
