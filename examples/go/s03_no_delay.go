// S3: main spins, a goroutine spins, a goroutine with a thread of its own spins: others go on.
package main

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

func others(show string) *atomic.Int32 {
	var wentOn atomic.Int32
	go func() {
		fmt.Println(show + ": a new goroutine starts")
		wentOn.Add(1)
	}()
	go func() {
		time.Sleep(100 * time.Millisecond)
		fmt.Println(show + ": a timer fires")
		wentOn.Add(1)
	}()
	return &wentOn
}

func spinUntil(wentOn *atomic.Int32) {
	start := time.Now()
	for time.Since(start) < 300*time.Millisecond || wentOn.Load() < 2 {
	}
}

func main() {
	spinUntil(others("main spins"))
	fmt.Println("main spins: no more")

	end := make(chan bool)
	go func() {
		spinUntil(others("a goroutine spins"))
		fmt.Println("a goroutine spins: no more")
		end <- true
	}()
	<-end

	var wentOn atomic.Int32
	var finished atomic.Bool
	go func() {
		runtime.LockOSThread()
		spinUntil(&wentOn)
		finished.Store(true)
	}()
	for !finished.Load() {
		time.Sleep(10 * time.Millisecond)
		wentOn.Add(1)
	}
	fmt.Println("a dedicated goroutine spins: main ticks on")
}
