// S7: a goroutine receives once too often while main sleeps.
package main

import (
	"fmt"
	"time"
)

func main() {
	ch := make(chan int)
	for _, number := range []int{1, 2} {
		go func() { ch <- number }()
	}
	go func() {
		for number := range ch {
			fmt.Println("received", number)
		}
	}()
	time.Sleep(5 * time.Second)
	fmt.Println("main ends")
}
