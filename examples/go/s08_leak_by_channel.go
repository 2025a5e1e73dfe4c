// S8: two sends, three receives, in a loop: in Go each turn leaks a goroutine.
package main

import (
	"fmt"
	"runtime"
)

func leak(done chan bool) {
	ch := make(chan int)
	go func() {
		ch <- 0
		ch <- 1
		done <- true
	}()
	go func() {
		<-ch
		<-ch
		<-ch
	}()
}

func main() {
	done := make(chan bool)
	for i := 0; i < 1000; i++ {
		leak(done)
	}
	for i := 0; i < 1000; i++ {
		<-done
	}
	for runtime.NumGoroutine() > 1001 {
		runtime.Gosched()
	}
	fmt.Printf("forced: left=%d\n", runtime.NumGoroutine()-1)
}
