// S5: two goroutines sleep at once.
package main

import (
	"fmt"
	"time"
)

func main() {
	begin := time.Now()
	ch := make(chan int)
	for i := 1; i <= 2; i++ {
		go func() {
			time.Sleep(time.Second)
			ch <- i
		}()
	}
	sum := <-ch + <-ch
	fmt.Printf("sum=%d\n", sum)
	fmt.Printf("# ms=%d\n", time.Since(begin).Milliseconds())
}
