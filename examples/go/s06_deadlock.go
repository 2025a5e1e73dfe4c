// S6: a third receive.
package main

import "fmt"

func main() {
	ch := make(chan int)
	for i := 0; i < 2; i++ {
		go func() { ch <- i }()
	}
	<-ch
	<-ch
	fmt.Println("two values received")
	<-ch
}
