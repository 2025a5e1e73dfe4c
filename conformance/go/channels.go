package main

import "fmt"

// Primes below 2000, a goroutine for each.
func sieve() {
	first := make(chan int)
	go func() {
		for n := 2; ; n++ {
			first <- n
		}
	}()
	numbers := first
	for {
		prime := <-numbers
		if prime > 2000 {
			return
		}
		fmt.Println(prime)
		in, out := numbers, make(chan int)
		go func() {
			for {
				if n := <-in; n%prime != 0 {
					out <- n
				}
			}
		}()
		numbers = out
	}
}

// The sums of what several senders send, over channels of several capacities.
func fanIn() {
	for _, capacity := range []int{0, 1, 2, 7, 64} {
		for senders := 1; senders <= 5; senders++ {
			values := make(chan int, capacity)
			left := make(chan bool)
			for s := 0; s < senders; s++ {
				go func() {
					for n := 0; n < 100; n++ {
						values <- s*1000 + n
					}
					left <- true
				}()
			}
			go func() {
				for s := 0; s < senders; s++ {
					<-left
				}
				close(values)
			}()
			count, sum := 0, 0
			for value := range values {
				count++
				sum += value
			}
			fmt.Println(capacity, senders, count, sum)
		}
	}
}

// What selects get from channels that are closed, with something in them and without.
func closedSelect() {
	for held := 0; held <= 4; held++ {
		a, b := make(chan int, 4), make(chan int, 4)
		for n := 0; n < held; n++ {
			a <- n
			b <- 10 * n
		}
		close(a)
		close(b)
		sum, ends := 0, 0
		for ends < 2 {
			select {
			case value, ok := <-a:
				if !ok {
					a = nil
					ends++
				}
				sum += value
			case value, ok := <-b:
				if !ok {
					b = nil
					ends++
				}
				sum += value
			}
		}
		select {
		case <-a:
			fmt.Println("from nothing")
		default:
			fmt.Println(held, sum, ends)
		}
	}
}

// A token goes around a ring of goroutines; each adds its number.
func ring() {
	const size = 100
	first := make(chan int)
	in := first
	for n := 1; n < size; n++ {
		from, to := in, make(chan int)
		go func() {
			for token := range from {
				to <- token + n
			}
			close(to)
		}()
		in = to
	}
	token := 1
	for round := 0; round < 5; round++ {
		first <- token
		token = <-in % 1009
		fmt.Println(round, token)
	}
	close(first)
	_, ok := <-in
	fmt.Println(ok)
}

func deadlockSend() {
	values := make(chan int, 2)
	for n := 0; ; n++ {
		fmt.Println("sending", n)
		values <- n
	}
}

func sendOnClosed() {
	values := make(chan int, 1)
	close(values)
	fmt.Println("sending")
	values <- 1
	fmt.Println("sent")
}

func closeClosed() {
	values := make(chan int)
	close(values)
	close(values)
	fmt.Println("closed twice")
}
