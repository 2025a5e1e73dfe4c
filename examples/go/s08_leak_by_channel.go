// S8: two sends, three receives, a thousand times.
package main

import (
	"fmt"
	"runtime"
	"time"
)

const times = 1000

func main() {
	before := runtime.NumGoroutine()
	for i := 0; i < times; i++ {
		ch := make(chan int)
		go func() {
			ch <- 0
			ch <- 1
		}()
		go func() {
			<-ch
			<-ch
			<-ch
		}()
	}
	for runtime.NumGoroutine() > before+times {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond)
	fmt.Printf("goroutines_leaked=%d\n", runtime.NumGoroutine()-before)
	if runtime.NumGoroutine() == before+times {
		fmt.Println("where forced, every third receive waits for ever")
	}
}
