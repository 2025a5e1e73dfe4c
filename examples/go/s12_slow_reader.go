// S12: ten senders, one slow receiver.
package main

import (
	"fmt"
	"sort"
	"strings"
	"time"
)

func main() {
	ch := make(chan int)
	for i := 0; i < 10; i++ {
		go func() { ch <- i }()
	}
	var received []int
	for i := 0; i < 10; i++ {
		received = append(received, <-ch)
		time.Sleep(time.Second)
	}
	sort.Ints(received)
	fmt.Printf("received=%s\n", strings.ReplaceAll(fmt.Sprint(received), " ", ", "))
}
