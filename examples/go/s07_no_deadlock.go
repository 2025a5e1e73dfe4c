// S7: the third receive in a goroutine, while main sleeps.
package main

import (
	"fmt"
	"time"
)

func main() {
	ch := make(chan int)
	for i := 0; i < 2; i++ {
		go func() { ch <- i }()
	}
	go func() {
		<-ch
		<-ch
		fmt.Println("two values received")
		<-ch
	}()
	time.Sleep(5 * time.Second)
	fmt.Println("main ends")
}
