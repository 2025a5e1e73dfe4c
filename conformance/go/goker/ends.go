package main

import (
	"context"
	"errors"
	"time"
)

var _ = add(map[string]func(){
	"grpc1275":        grpc1275,
	"grpc1424":        grpc1424,
	"grpc660":         grpc660,
	"etcd6857":        etcd6857,
	"istio17860":      istio17860,
	"kubernetes38669": kubernetes38669,
	"kubernetes5316":  kubernetes5316,
	"moby21233":       moby21233,
	"moby4395":        moby4395,
})

type stream struct {
	received chan byte
	closed   chan struct{}
}

func grpc1275() {
	s := &stream{received: make(chan byte), closed: make(chan struct{})}
	goes("G2", func() { <-s.received })
	goes("G1", func() { close(s.closed) })
}

func grpc1424() {
	addresses, done := make(chan bool), make(chan struct{})
	goes("G3", func() {
		for range addresses {
		}
	})
	goes("G2", func() { <-done })
	goes("G1", func() { close(addresses) })
}

func grpc660() {
	stop, sends := make(chan bool), make(chan bool)
	goes("G1", func() {
		for {
			done := make(chan bool)
			goes("G2", func() {
				// Not before the loop was stopped.
				<-sends
				done <- true
			})
			select {
			case <-stop:
				close(sends)
				return
			case <-done:
			}
		}
	})
	goes("G3", func() { close(stop) })
}

type node struct {
	status chan chan int
	stop   chan struct{}
	done   chan struct{}
}

func (n *node) run() {
	for {
		select {
		case c := <-n.status:
			c <- 7
		case <-n.stop:
			close(n.done)
			return
		}
	}
}

func (n *node) ask() int {
	<-n.done
	c := make(chan int)
	n.status <- c
	return <-c
}

func etcd6857() {
	n := &node{make(chan chan int), make(chan struct{}), make(chan struct{})}
	goes("G1", n.run)
	goes("G2", func() { n.ask() })
	goes("G3", func() { close(n.stop) })
}

type exitStatus struct {
	epoch int
	err   error
}

func istio17860() {
	statuses, ended := make(chan exitStatus), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	for epoch := range 2 {
		goes("G2", func() {
			<-ended
			statuses <- exitStatus{epoch, nil}
		})
	}
	goes("G1", func() {
		select {
		case <-statuses:
		case <-ctx.Done():
		}
		close(ended)
	})
	goes("G3", cancel)
}

func kubernetes38669() {
	input, result := make(chan int), make(chan int)
	goes("G2", func() {
		for _, event := range []int{1, 2} {
			result <- event
		}
		for event := range input {
			result <- event
		}
	})
	goes("G1", func() { close(input) })
}

func kubernetes5316() {
	done, gone := make(chan bool), make(chan struct{})
	goes("G2", func() {
		<-gone
		done <- true
	})
	goes("G1", func() {
		select {
		case <-done:
		case <-time.After(time.Microsecond):
		}
		close(gone)
	})
}

func moby21233() {
	progress, released := make(chan string), make(chan struct{})
	goes("G2", func() {
		for range 3 {
			progress <- "some"
		}
	})
	goes("G1", func() {
		<-progress
		close(released)
	})
}

func promise(f func() error) chan error {
	c := make(chan error)
	goes("G2", func() { c <- f() })
	return c
}

func moby4395() {
	goes("G1", func() {
		promise(func() error { return errors.New("some junk happened") })
	})
}
