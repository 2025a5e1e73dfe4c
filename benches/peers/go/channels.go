package main

import (
	"sync"
	"sync/atomic"
)

const (
	capacity = 128
	sharers  = 4
)

func pingpong(n int) {
	ping, pong := make(chan int), make(chan int)
	go func() {
		for v := range ping {
			pong <- v
		}
	}()
	for i := range n {
		ping <- i
		<-pong
	}
	close(ping)
}

func spsc(n int) {
	ch := make(chan int, capacity)
	go func() {
		for i := range n {
			ch <- i
		}
		close(ch)
	}()
	for range ch {
	}
}

func fourByFour(n, capacity int) {
	ch := make(chan int, capacity)
	var senders, receivers sync.WaitGroup
	senders.Add(sharers)
	receivers.Add(sharers)
	var received atomic.Int64
	for range sharers {
		go func() {
			for i := range n / sharers {
				ch <- i
			}
			senders.Done()
		}()
		go func() {
			count := 0
			for range ch {
				count++
			}
			received.Add(int64(count))
			receivers.Done()
		}()
	}
	senders.Wait()
	close(ch)
	receivers.Wait()
	if received.Load() != int64(n) {
		panic("messages are lost")
	}
}

// Each channel gets its share of n values from a goroutine of its own.
func fed(channels, n, capacity int) []chan int {
	chans := make([]chan int, channels)
	for c := range chans {
		ch := make(chan int, capacity)
		chans[c] = ch
		go func() {
			for i := range n / channels {
				ch <- i
			}
		}()
	}
	return chans
}

func selectTwo(n, capacity int) {
	chans, done := fed(2, n, capacity), make(chan struct{})
	a, b := chans[0], chans[1]
	go func() {
		for range n {
			select {
			case <-a:
			case <-b:
			}
		}
		close(done)
	}()
	<-done
}

func selectEight(n, capacity int) {
	chans, done := fed(8, n, capacity), make(chan struct{})
	a, b, c, d, e, f, g, h := chans[0], chans[1], chans[2], chans[3], chans[4], chans[5], chans[6], chans[7]
	go func() {
		for range n {
			select {
			case <-a:
			case <-b:
			case <-c:
			case <-d:
			case <-e:
			case <-f:
			case <-g:
			case <-h:
			}
		}
		close(done)
	}()
	<-done
}

func tryRecv(n int) {
	ch := make(chan int, capacity)
	for range n {
		select {
		case <-ch:
			panic("nobody sends")
		default:
		}
	}
}

func selectDefault(n int) {
	a, b := make(chan int), make(chan int)
	for range n {
		select {
		case <-a:
			panic("nobody sends")
		case <-b:
			panic("nobody sends")
		default:
		}
	}
}

var (
	mu      sync.Mutex
	counter int
)

func increment(n int) {
	for range n {
		mu.Lock()
		counter++
		mu.Unlock()
	}
}

func mutex(n int) { increment(n) }

func mutexEight(n int) { all(8, func(int) { increment(n / 8) }) }

func sieve(n int) {
	c := start()
	ch := make(chan uint32)
	go func() {
		for i := uint32(2); ; i++ {
			ch <- i
		}
	}()
	in, last := ch, uint32(0)
	for range n {
		prime, from, to := <-in, in, make(chan uint32)
		last = prime
		go func() {
			for i := range from {
				if i%prime != 0 {
					to <- i
				}
			}
		}()
		in = to
	}
	c.stop().ms("time")
	if last != prime(n) {
		panic("no prime")
	}
}
