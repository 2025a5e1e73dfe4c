package main

import (
	"runtime"
	"sync"
	"time"
)

// Starts members goroutines, each given its number, and waits until all are through.
func all(members int, work func(i int)) {
	var group sync.WaitGroup
	group.Add(members)
	for i := range members {
		go func() {
			work(i)
			group.Done()
		}()
	}
	group.Wait()
}

// Without work: the plainest closure, as one would write it.
func empty(members int) {
	var group sync.WaitGroup
	group.Add(members)
	for range members {
		go func() { group.Done() }()
	}
	group.Wait()
}

func spawnJoin(n int) {
	for range n / 1000 {
		empty(1000)
	}
}

func spawnBurst(n int) {
	for _, metric := range []string{"first time", "second time"} {
		c := start()
		empty(n)
		c.stop().perOp(metric, n)
	}
	tellPeak()
}

func yieldOne(n int) {
	for range n {
		runtime.Gosched()
	}
}

func yieldThousand(n int) { all(1000, func(int) { yieldOne(n / 1000) }) }

func skynet(n int) {
	for _, metric := range []string{"first time", "later time"} {
		c := start()
		ch := make(chan int)
		go node(ch, 0, n)
		sum := <-ch
		c.stop().ms(metric)
		if sum != n*(n-1)/2 {
			panic("wrong sum")
		}
	}
	tellPeak()
}

func node(up chan int, first, leaves int) {
	if leaves == 1 {
		up <- first
		return
	}
	ch := make(chan int)
	for i := range 10 {
		go node(ch, first+i*(leaves/10), leaves/10)
	}
	sum := 0
	for range 10 {
		sum += <-ch
	}
	up <- sum
}

func parked(n int) {
	before := memoryNow()
	ch := make(chan struct{})
	var born, gone sync.WaitGroup
	born.Add(n)
	gone.Add(n)
	c := start()
	for range n {
		go func() {
			born.Done()
			<-ch
			gone.Done()
		}()
	}
	born.Wait()
	c.stop().perOp("time to make each", n)
	time.Sleep(50 * time.Millisecond) // the last are on their way into the channel
	before.grownEach(n)
	c = start()
	close(ch)
	gone.Wait()
	c.stop().perOp("time to wake and end each", n)
}

func timers(n int) {
	c := start()
	ch := make(chan time.Duration, 1024)
	for i := range n {
		go func() {
			length := sleepTime(i, n, time.Second)
			due := time.Now().Add(length)
			time.Sleep(length)
			ch <- time.Since(due)
		}()
	}
	late := make([]time.Duration, n)
	for i := range late {
		late[i] = <-ch
	}
	c.stop().ms("time")
	tellLateness(late)
}
