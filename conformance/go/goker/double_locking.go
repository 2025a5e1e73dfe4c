package main

import (
	"errors"
	"sync"
)

var _ = add(map[string]func(){
	"etcd10492":     etcd10492,
	"etcd6708":      etcd6708,
	"cockroach9935": cockroach9935,
	"moby36114":     moby36114,
	"grpc795":       grpc795,
	"etcd5509":      etcd5509,
	"cockroach584":  cockroach584,
	"moby17176":     moby17176,
	"moby7559":      moby7559,
})

type lessor struct {
	mu sync.RWMutex
	cp func()
}

func (l *lessor) checkpoint() {
	l.mu.Lock()
	defer l.mu.Unlock()
}

func (l *lessor) renew() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cp()
}

func etcd10492() {
	goes("G1", func() {
		l := &lessor{}
		l.cp = l.checkpoint
		l.renew()
	})
}

type clusterClient struct {
	mu        sync.RWMutex
	endpoints []string
}

func (c *clusterClient) leader() string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.endpoints[0]
}

func (c *clusterClient) sync() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endpoints = append(c.endpoints, c.leader())
}

func etcd6708() {
	goes("G1", func() { (&clusterClient{endpoints: []string{"a"}}).sync() })
}

type logging struct {
	mu sync.Mutex
}

func (l *logging) createFile() error { return errors.New("no space") }

func (l *logging) exit() {
	l.mu.Lock()
	defer l.mu.Unlock()
}

func (l *logging) entry() {
	l.mu.Lock()
	if l.createFile() != nil {
		l.exit()
	}
	l.mu.Unlock()
}

func cockroach9935() {
	l := &logging{}
	goes("G1", l.entry)
}

type serviceVM struct {
	sync.Mutex
}

func (vm *serviceVM) hotAdd() {
	vm.Lock()
	defer vm.Unlock()
	vm.hotRemove()
}

func (vm *serviceVM) hotRemove() {
	vm.Lock()
	defer vm.Unlock()
}

func moby36114() {
	vm := &serviceVM{}
	goes("G1", vm.hotAdd)
}

type server struct {
	mu    sync.Mutex
	drain bool
}

func (s *server) gracefulStop() {
	s.mu.Lock()
	if s.drain {
		s.mu.Lock()
		return
	}
	s.drain = true
	s.mu.Unlock()
}

func grpc795() {
	goes("G1", func() {
		s := &server{}
		for range 3 {
			s.gracefulStop()
		}
	})
}

type etcdClient struct {
	mu     sync.RWMutex
	cancel func()
}

func (c *etcdClient) acquire() error {
	c.mu.RLock()
	if c.cancel == nil {
		return errors.New("connection closed")
	}
	c.mu.RUnlock()
	return nil
}

func (c *etcdClient) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel = nil
}

func etcd5509() {
	goes("G1", func() {
		c := &etcdClient{}
		_ = c.acquire()
		c.close()
	})
}

type gossip struct {
	mu     sync.Mutex
	closed bool
}

func (g *gossip) untilClosed() {
	for {
		g.mu.Lock()
		if g.closed {
			break
		}
		g.mu.Unlock()
	}
}

func cockroach584() {
	g := &gossip{closed: true}
	goes("G1", func() {
		g.untilClosed()
		g.untilClosed()
	})
}

type deviceSet struct {
	sync.Mutex
	deleted int
}

func (s *deviceSet) cleanUp() error {
	s.Lock()
	if s.deleted == 0 {
		return nil
	}
	s.Unlock()
	return nil
}

func moby17176() {
	s := &deviceSet{}
	goes("helper", func() {
		_ = s.cleanUp()
		goes("G1", func() {
			s.Lock()
			defer s.Unlock()
			s.deleted++
		})
	})
}

type udpProxy struct {
	connTrackLock sync.Mutex
}

func (p *udpProxy) run() {
	for range 2 {
		p.connTrackLock.Lock()
		if dial() != nil {
			continue
		}
		p.connTrackLock.Unlock()
	}
}

func dial() error { return errors.New("refused") }

func moby7559() {
	p := &udpProxy{}
	goes("G1", p.run)
}
