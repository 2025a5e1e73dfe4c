package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const stages = 4

func pipelineA(n int) {
	for _, us := range []int{2, 20} {
		items := n * 2 / us
		pipeline(items/10, us)
		c := start()
		pipeline(items, us)
		c.stop().perOp(fmt.Sprintf("an item, %d us a stage", us), items)
	}
}

func pipeline(items, us int) {
	first := make(chan uint64)
	in := first
	for range stages {
		from, to := in, make(chan uint64)
		go func() {
			for item := range from {
				to <- compute(item, micros(us))
			}
			close(to)
		}()
		in = to
	}
	go func() {
		for i := range items {
			first <- uint64(i)
		}
		close(first)
	}()
	for range in {
	}
}

func pipelineB(n int) {
	ch := make(chan struct{})
	var born, gone sync.WaitGroup
	born.Add(n)
	gone.Add(n)
	for i := range n {
		go func() {
			born.Done()
			<-ch
			runtime.KeepAlive(compute(uint64(i), micros(200)))
			gone.Done()
		}()
	}
	born.Wait()
	time.Sleep(50 * time.Millisecond)
	c := start()
	close(ch)
	gone.Wait()
	s := c.stop()
	s.ms("time")
	s.busy()
}

func pipelineC(n int) {
	var over atomic.Bool
	var trips atomic.Int64
	for range 4 {
		ping, pong := make(chan int), make(chan int)
		go func() {
			for v := range ping {
				pong <- v
			}
		}()
		go func() {
			for !over.Load() {
				ping <- 0
				<-pong
				trips.Add(1)
			}
			close(ping)
		}()
	}
	pipeline(n/10, 2)
	trips.Store(0)
	c := start()
	pipeline(n, 2)
	s := c.stop()
	over.Store(true)
	s.perOp("an item of the pipeline", n)
	s.perOp("a round trip of the pairs", int(max(trips.Load(), 1)))
}

func pipelineD(n int) {
	const tick = 10 * time.Millisecond
	ch := make(chan time.Duration, 1024)
	c := start()
	go func() {
		begin := time.Now()
		for i := range n {
			due := begin.Add(time.Duration(i) * time.Millisecond)
			time.Sleep(time.Until(due))
			go func() {
				for turn := range 11 {
					due := due.Add(time.Duration(turn) * tick)
					time.Sleep(time.Until(due))
					ch <- time.Since(due)
					runtime.KeepAlive(compute(uint64(i), micros(20)))
				}
			}()
		}
	}()
	late := make([]time.Duration, n*11)
	for i := range late {
		late[i] = <-ch
	}
	c.stop().cpuPerOp("CPU each", n)
	tellLateness(late)
}
