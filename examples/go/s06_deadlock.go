// S6: main receives once too often.
package main

import (
	"fmt"
	"time"
)

func main() {
	ch := make(chan int)
	for _, number := range []int{1, 2} {
		go func() {
			time.Sleep(100 * time.Millisecond)
			ch <- number
		}()
	}
	fmt.Println("received", <-ch)
	fmt.Println("received", <-ch)
	fmt.Println("received", <-ch)
	fmt.Println("never printed")
}
