// The workloads of the bench, in Go. `go run main.go WORKLOAD` prints nanoseconds an operation.
package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

func pingpong(n int) {
	ping, pong := make(chan int), make(chan int)
	go func() {
		for v := range ping {
			pong <- v
		}
		close(pong)
	}()
	for i := 0; i < n; i++ {
		ping <- i
		<-pong
	}
	close(ping)
}

func spsc(n int) {
	ch := make(chan int, 128)
	go func() {
		for i := 0; i < n; i++ {
			ch <- i
		}
		close(ch)
	}()
	for range ch {
	}
}

func spawn(n int) {
	for i := 0; i < n/1000; i++ {
		var wg sync.WaitGroup
		wg.Add(1000)
		for j := 0; j < 1000; j++ {
			go func() { wg.Done() }()
		}
		wg.Wait()
	}
}

func selectTwo(n int) {
	a, b, done := make(chan int), make(chan int), make(chan bool)
	feed := func(ch chan int) {
		for i := 0; i < n/2; i++ {
			ch <- i
		}
	}
	go feed(a)
	go feed(b)
	go func() {
		for i := 0; i < n; i++ {
			select {
			case <-a:
			case <-b:
			}
		}
		close(done)
	}()
	<-done
}

func main() {
	work := map[string]func(int){"pingpong": pingpong, "spsc": spsc, "spawn": spawn, "select": selectTwo}[os.Args[1]]
	n := 400000
	work(n / 10)
	begin := time.Now()
	work(n)
	fmt.Println(time.Since(begin).Nanoseconds() / int64(n))
}
