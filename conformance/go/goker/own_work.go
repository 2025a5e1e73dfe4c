package main

import (
	"errors"
	"sync"
)

var _ = add(map[string]func(){
	"syncthing5795":  syncthing5795,
	"cockroach35931": cockroach35931,
	"cockroach25456": cockroach25456,
	"cockroach24808": cockroach24808,
	"moby30408":      moby30408,
	"moby25384":      moby25384,
})

type connection struct {
	inbox     chan struct{}
	stopped   chan struct{}
	closeOnce sync.Once
}

func (c *connection) dispatch() {
	defer close(c.stopped)
	for range c.inbox {
		c.closeOnce.Do(func() { <-c.stopped })
	}
}

func syncthing5795() {
	c := &connection{inbox: make(chan struct{}), stopped: make(chan struct{})}
	goes("G2", c.dispatch)
	goes("G1", func() {
		c.inbox <- struct{}{}
		<-c.stopped
	})
}

func cockroach35931() {
	streams := []chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)}
	goes("G1", func() {
		streams[0] <- struct{}{}
		for _, stream := range streams {
			stream <- struct{}{}
		}
	})
}

func cockroach25456() {
	goes("G1", func() {
		stopper := make(chan struct{})
		<-stopper
		close(stopper)
	})
}

func cockroach24808() {
	goes("G1", func() {
		work := make(chan struct{}, 1)
		work <- struct{}{}
		work <- struct{}{}
		goes("G2", func() { <-work })
	})
}

type plugin struct {
	activateWait *sync.Cond
	activated    bool
	err          error
}

func (p *plugin) waitActive() error {
	p.activateWait.L.Lock()
	defer p.activateWait.L.Unlock()
	for !p.activated {
		p.activateWait.Wait()
	}
	return p.err
}

func moby30408() {
	p := &plugin{activateWait: sync.NewCond(&sync.Mutex{})}
	done := make(chan struct{})
	goes("G2", func() {
		defer close(done)
		_ = p.waitActive()
	})
	goes("G1", func() {
		p.err = errors.New("some junk happened")
		<-done
	})
}

func moby25384() {
	goes("G1", func() {
		var group sync.WaitGroup
		group.Add(2)
		for _, name := range []string{"G2", "G3"} {
			goes(name, func() { group.Done() })
			group.Wait()
		}
	})
}
