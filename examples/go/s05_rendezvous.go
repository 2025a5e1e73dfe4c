// S5: main waits for what two goroutines send after a second.
package main

import (
	"fmt"
	"time"
)

func main() {
	start := time.Now()
	ch := make(chan int)
	for _, number := range []int{1, 2} {
		go func() {
			fmt.Println("goroutine falls asleep")
			time.Sleep(time.Second)
			ch <- number
		}()
	}
	sum := <-ch + <-ch
	fmt.Println("the sum is", sum)
	fmt.Printf("took_ms=%d\n", time.Since(start).Milliseconds())
}
