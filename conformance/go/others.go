package main

import (
	"fmt"
	"sync"
	"time"
)

// What stopping and resetting timers says, and whether they are heard.
func timers() {
	heard := func(timer *time.Timer) bool {
		select {
		case <-timer.C:
			return true
		default:
			return false
		}
	}
	timer := time.NewTimer(time.Hour)
	fmt.Println("set:", timer.Stop(), heard(timer))
	fmt.Println("stopped:", timer.Stop(), heard(timer))
	fmt.Println("set again:", timer.Reset(time.Hour), timer.Reset(time.Hour), heard(timer))
	fmt.Println("set to now:", timer.Reset(0))
	<-timer.C
	fmt.Println("heard:", timer.Stop(), heard(timer))
	fmt.Println("set to now:", timer.Reset(0))
	time.Sleep(50 * time.Millisecond)
	fmt.Println("fired, not heard:", timer.Stop(), heard(timer))
	timer.Reset(0)
	time.Sleep(50 * time.Millisecond)
	fmt.Println("fired, not heard:", timer.Reset(time.Hour), heard(timer))

	ticker := time.NewTicker(time.Nanosecond)
	for n := 0; n < 5; n++ {
		<-ticker.C
	}
	ticker.Stop()
	select {
	case <-ticker.C:
		fmt.Println("extra tick")
	default:
		fmt.Println("no tick")
	}
	begin := time.Now()
	late := time.After(10 * time.Millisecond)
	select {
	case <-time.After(time.Hour):
		fmt.Println("an hour")
	case at := <-late:
		fmt.Println("10 ms:", at.Sub(begin) >= 10*time.Millisecond)
	}
}

// The order of deferred code, in a function that panics and in one that does not.
func defers() {
	run := func(fails bool) {
		done := make(chan bool)
		go func() {
			defer close(done)
			defer func() {
				if recover() != nil {
					fmt.Println("recovered")
				}
			}()
			for n := 0; n < 3; n++ {
				func() {
					defer fmt.Println("deferred", n)
					fmt.Println("turn", n)
					if fails && n == 1 {
						panic("in a turn")
					}
				}()
			}
			fmt.Println("end")
		}()
		<-done
	}
	run(false)
	run(true)
}

// A sum under a lock, by goroutines that a wait group counts.
func mutexSum() {
	for workers := 1; workers <= 32; workers *= 2 {
		var mutex sync.Mutex
		var group sync.WaitGroup
		sum := 0
		for w := 0; w < workers; w++ {
			group.Add(1)
			go func() {
				defer group.Done()
				for n := 0; n < 200; n++ {
					mutex.Lock()
					sum += n * w
					mutex.Unlock()
				}
			}()
		}
		group.Wait()
		fmt.Println(workers, sum, mutex.TryLock(), mutex.TryLock())
	}
}

func deadlockMutex() {
	var mutex sync.Mutex
	mutex.Lock()
	fmt.Println("locked")
	mutex.Lock()
}

func panicGoroutine() {
	done := make(chan bool)
	go func() {
		defer close(done)
		panic("test")
	}()
	<-done
	time.Sleep(time.Hour)
}

func negativeCounter() {
	var group sync.WaitGroup
	group.Add(1)
	group.Done()
	fmt.Println("done")
	group.Done()
}
