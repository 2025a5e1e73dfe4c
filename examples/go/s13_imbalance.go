// S13: a thousand items a second come in, a hundred a second go out.
package main

import (
	"fmt"
	"runtime"
	"time"
)

func consume(ch chan int) {
	for range ch {
		time.Sleep(10 * time.Millisecond)
	}
}

func produce(name string, ch chan int, take func(int) bool) {
	start := time.Now()
	go consume(ch)
	before, item, refused := runtime.NumGoroutine(), 0, 0
	for quarter := 1; quarter <= 4; quarter++ {
		for time.Since(start) < time.Duration(quarter)*500*time.Millisecond {
			item++
			time.Sleep(time.Until(start.Add(time.Duration(item) * time.Millisecond)))
			if !take(item) {
				refused++
			}
		}
		fmt.Printf("%s_goroutines_%d=%d\n", name, quarter, runtime.NumGoroutine()-before)
	}
	fmt.Printf("%s_refused=%d\n", name, refused)
}

func main() {
	before, ch := runtime.NumGoroutine(), make(chan int)
	produce("growing", ch, func(item int) bool {
		go func() { ch <- item }()
		return true
	})
	for runtime.NumGoroutine() > before+1 {
		select {
		case <-ch:
		default:
			time.Sleep(time.Millisecond)
		}
	}

	bounded := make(chan int, 50)
	produce("shed", bounded, func(item int) bool {
		if len(bounded) == cap(bounded) {
			return false
		}
		go func() { bounded <- item }()
		return true
	})
	fmt.Println("main ends")
}
