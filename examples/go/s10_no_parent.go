// S10: a goroutine outlives the one that started it, and none outlives main.
package main

import (
	"fmt"
	"time"
)

func main() {
	goOn, outer, inner := make(chan bool), make(chan bool), make(chan bool)
	go func() {
		go func() {
			<-goOn
			fmt.Println("the inner goroutine goes on")
			inner <- true
		}()
		fmt.Println("the outer goroutine ends")
		outer <- true
	}()
	<-outer
	goOn <- true
	<-inner

	go func() {
		time.Sleep(time.Hour)
		fmt.Println("never printed")
	}()
	fmt.Println("main ends")
}
