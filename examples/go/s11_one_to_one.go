// S11: the third of three sends waits for the third receive.
package main

import (
	"fmt"
	"time"
)

func main() {
	ch, end := make(chan int), make(chan bool)
	go func() {
		for number := 1; number <= 3; number++ {
			ch <- number
		}
		fmt.Println("the third send is done")
		end <- true
	}()
	fmt.Println("received", <-ch)
	fmt.Println("received", <-ch)
	time.Sleep(time.Second)
	fmt.Println("main receives again")
	third := <-ch
	<-end
	fmt.Println("received", third)
}
