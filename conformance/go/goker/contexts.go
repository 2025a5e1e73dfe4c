package main

import (
	"context"
	"sync"
)

var _ = add(map[string]func(){
	"grpc862":         grpc862,
	"cockroach18101":  cockroach18101,
	"cockroach13197":  cockroach13197,
	"cockroach10790":  cockroach10790,
	"kubernetes25331": kubernetes25331,
	"moby33781":       moby33781,
	"cockroach1462":   cockroach1462,
})

type clientConn struct {
	ctx    context.Context
	cancel context.CancelFunc
}

func grpc862() {
	dial, hangUp := context.WithCancel(context.Background())
	c := &clientConn{}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	goes("G2", func() { <-c.ctx.Done() })
	goes("G1", func() { <-dial.Done() })
	goes("helper", hangUp)
}

const spans = 6

func cockroach18101() {
	ready := make(chan int, spans)
	ctx, cancel := context.WithCancel(context.Background())
	goes("G2", func() {
		for span := range spans + 2 {
			ready <- span
		}
	})
	goes("G1", func() {
		<-ready
		<-ctx.Done()
	})
	goes("helper", cancel)
}

type transaction struct {
	ctx    context.Context
	cancel context.CancelFunc
}

func (t *transaction) awaitDone() { <-t.ctx.Done() }

func cockroach13197() {
	goes("G1", func() {
		t := &transaction{}
		t.ctx, t.cancel = context.WithCancel(context.Background())
		goes("G2", t.awaitDone)
	})
}

type raftReplica struct {
	chans []chan bool
}

func cockroach10790() {
	r := &raftReplica{chans: []chan bool{make(chan bool), make(chan bool)}}
	ctx, cancel := context.WithCancel(context.Background())
	goes("helper", func() {
		// Cancelled before anybody sends.
		<-ctx.Done()
	})
	goes("G1", func() {
		for _, c := range r.chans {
			select {
			case <-c:
			case <-ctx.Done():
				goes("G3", func() {
					for _, c := range r.chans {
						<-c
					}
				})
			}
		}
	})
	goes("G2", cancel)
}

type watchChan struct {
	ctx    context.Context
	cancel context.CancelFunc
	result chan bool
	errs   chan error
}

func (w *watchChan) run() {
	select {
	case err := <-w.errs:
		w.result <- err == nil
	case <-w.ctx.Done():
	}
}

func kubernetes25331() {
	w := &watchChan{result: make(chan bool), errs: make(chan error)}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	goes("G1", w.run)
	goes("G2", func() {
		w.errs <- context.DeadlineExceeded
		w.cancel()
	})
}

func moby33781() {
	stop, results, gone := make(chan bool), make(chan bool), make(chan struct{})
	goes("G3", func() {
		<-gone
		results <- true
	})
	goes("G1", func() {
		select {
		case <-stop:
		case <-results:
		}
		close(gone)
	})
	goes("G2", func() { close(stop) })
}

func cockroach1462() {
	events, stopper := make(chan int), make(chan struct{})
	var workers sync.WaitGroup
	workers.Add(2)
	goes("G2", func() {
		defer workers.Done()
		events <- 0
	})
	goes("G3", func() {
		defer workers.Done()
		<-stopper
	})
	goes("G1", func() {
		close(stopper)
		workers.Wait()
	})
}
