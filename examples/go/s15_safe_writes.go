// S15: a hundred goroutines add to one number, by a channel and by a lock.
package main

import (
	"fmt"
	"sync"
)

func main() {
	ch := make(chan int, 100)
	for i := 0; i < 100; i++ {
		go func() {
			for j := 0; j < 100; j++ {
				ch <- 1
			}
		}()
	}
	sum := 0
	for i := 0; i < 100*100; i++ {
		sum += <-ch
	}
	fmt.Println("by a channel:", sum)

	var mutex sync.Mutex
	var adders sync.WaitGroup
	count := 0
	for i := 0; i < 100; i++ {
		adders.Add(1)
		go func() {
			defer adders.Done()
			for j := 0; j < 100; j++ {
				mutex.Lock()
				count++
				mutex.Unlock()
			}
		}()
	}
	adders.Wait()
	fmt.Println("by a lock:", count)
}
