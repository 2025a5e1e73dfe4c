// S11: a surplus send waits.
package main

import (
	"fmt"
	"sync/atomic"
	"time"
)

func main() {
	ch := make(chan int)
	var finished atomic.Bool
	done := make(chan bool)
	go func() {
		ch <- 1
		ch <- 2
		finished.Store(true)
		close(done)
	}()
	fmt.Println("received", <-ch)
	time.Sleep(100 * time.Millisecond)
	fmt.Println("the second send waits:", !finished.Load())
	fmt.Println("received", <-ch)
	<-done
	fmt.Println("the second send is done")
}
