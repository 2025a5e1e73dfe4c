package main

import "sync"

var _ = add(map[string]func(){
	"cockroach10214":  cockroach10214,
	"cockroach7504":   cockroach7504,
	"kubernetes13135": kubernetes13135,
	"moby4951":        moby4951,
})

type store struct {
	coalescedMu sync.Mutex
	responses   []int
	replicas    []*replica
}

type replica struct {
	raftMu sync.Mutex
	mu     sync.Mutex
	store  *store
}

func cockroach10214() {
	s := &store{responses: []int{1, 2}}
	s.replicas = []*replica{{store: s}, {store: s}}
	met := make(chan struct{})
	goes("G1", func() {
		s.coalescedMu.Lock()
		defer s.coalescedMu.Unlock()
		<-met
		for range s.responses {
			for _, r := range s.replicas {
				r.raftMu.Lock()
				r.raftMu.Unlock()
			}
		}
	})
	goes("G2", func() {
		r := s.replicas[0]
		r.raftMu.Lock()
		defer r.raftMu.Unlock()
		r.mu.Lock()
		defer r.mu.Unlock()
		met <- struct{}{}
		r.store.coalescedMu.Lock()
		defer r.store.coalescedMu.Unlock()
	})
}

type lease struct {
	mu sync.Mutex
	id int
}

type nameCache struct {
	mu     sync.Mutex
	tables map[int]*lease
}

func cockroach7504() {
	l := &lease{}
	names := &nameCache{tables: map[int]*lease{0: l}}
	met := make(chan struct{})
	goes("G1", func() {
		names.mu.Lock()
		defer names.mu.Unlock()
		<-met
		found := names.tables[0]
		found.mu.Lock()
		defer found.mu.Unlock()
	})
	goes("G2", func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		met <- struct{}{}
		names.mu.Lock()
		defer names.mu.Unlock()
		delete(names.tables, l.id)
	})
}

type cacher struct {
	sync.Mutex
	watch   *watchCache
	version int
}

type watchCache struct {
	sync.Mutex
	onReplace func()
	onEvent   func()
}

func kubernetes13135() {
	c := &cacher{watch: &watchCache{}}
	met := make(chan struct{})
	// It unlocks what the one has locked who began.
	c.watch.onReplace = func() { c.Unlock() }
	c.watch.onEvent = func() {
		c.Lock()
		defer c.Unlock()
		c.version++
	}
	goes("G1", func() {
		c.Lock()
		<-met
		c.watch.Lock()
		defer c.watch.Unlock()
		c.watch.onReplace()
	})
	goes("G2", func() {
		c.watch.Lock()
		defer c.watch.Unlock()
		met <- struct{}{}
		c.watch.onEvent()
	})
}

type devices struct {
	sync.Mutex
	info device
	met  chan struct{}
}

type device struct {
	lock sync.Mutex
	name string
}

// Unlocks its caller's lock for a while.
func (d *devices) removeAndWait() {
	d.Unlock()
	d.met <- struct{}{}
	<-d.met
	d.Lock()
}

func moby4951() {
	d := &devices{met: make(chan struct{})}
	goes("G1", func() {
		d.Lock()
		defer d.Unlock()
		d.info.lock.Lock()
		defer d.info.lock.Unlock()
		d.removeAndWait()
	})
	goes("G2", func() {
		<-d.met
		d.Lock()
		defer d.Unlock()
		d.met <- struct{}{}
		d.info.lock.Lock()
		defer d.info.lock.Unlock()
	})
}
