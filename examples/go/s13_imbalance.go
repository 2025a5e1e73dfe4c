// S13: a goroutine for each item piles up; shedding keeps the number flat.
package main

import (
	"fmt"
	"runtime"
	"time"
)

func serve(ch chan int) {
	for range ch {
		time.Sleep(10 * time.Millisecond)
	}
}

func arrivals(name string, item func(int)) {
	ticks := time.Tick(time.Millisecond)
	begin := time.Now()
	for i := 0; time.Since(begin) <= 2*time.Second || i < 1000; i++ {
		<-ticks
		item(i)
		if i%500 == 499 {
			fmt.Printf("# %s: items=%d goroutines=%d\n", name, i+1, runtime.NumGoroutine())
		}
	}
}

func main() {
	ch := make(chan int)
	go serve(ch)
	arrivals("goroutine_per_item", func(i int) { go func() { ch <- i }() })

	bounded := make(chan int, 128)
	go serve(bounded)
	before, shed := runtime.NumGoroutine(), 0
	arrivals("shedding", func(i int) {
		select {
		case bounded <- i:
		default:
			shed++
		}
	})
	fmt.Printf("# shed=%d more_goroutines=%d\n", shed, max(0, runtime.NumGoroutine()-before))
}
