// S3: a goroutine that spins does not delay others.
package main

import (
	"fmt"
	"time"
)

func spin(d time.Duration) {
	begin := time.Now()
	for time.Since(begin) < d {
	}
}

func main() {
	timer := time.After(20 * time.Millisecond)
	done := make(chan bool, 1)
	go func() { done <- true }()
	spin(200 * time.Millisecond)
	fmt.Printf("main_spins: started=%v timer_fired=%v\n", len(done) == 1, func() bool {
		select {
		case <-timer:
			return true
		default:
			return false
		}
	}())
	spinning := make(chan bool)
	go func() { spin(time.Second); close(spinning) }()
	other := make(chan bool)
	go func() { time.Sleep(10 * time.Millisecond); close(other) }()
	<-other
	select {
	case <-spinning:
		fmt.Println("goroutine_spins: others_went_on=false")
	default:
		fmt.Println("goroutine_spins: others_went_on=true")
	}
	<-spinning
}
