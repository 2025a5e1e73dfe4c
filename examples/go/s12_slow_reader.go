// S12: ten goroutines send at once, one receives a value each second.
package main

import (
	"fmt"
	"time"
)

func main() {
	ch, end := make(chan int), make(chan bool)
	for number := 0; number < 10; number++ {
		go func() { ch <- number }()
	}
	go func() {
		for i := 0; i < 10; i++ {
			fmt.Println("received", <-ch)
			time.Sleep(time.Second)
		}
		end <- true
	}()
	<-end
	fmt.Println("main ends")
}
