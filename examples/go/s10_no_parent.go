// S10: no parent and child.
package main

import (
	"fmt"
	"time"
)

func main() {
	ch := make(chan string)
	parent := make(chan bool)
	go func() {
		go func() {
			ch <- "the child lives on"
			time.Sleep(time.Hour)
			fmt.Println("never printed")
		}()
		parent <- true
	}()
	<-parent
	fmt.Println("the parent has ended")
	fmt.Println(<-ch)
	fmt.Println("main ends, and the child with it")
}
