package main

import "sync"

var _ = add(map[string]func(){
	"cockroach16167":  cockroach16167,
	"cockroach6181":   cockroach6181,
	"kubernetes62464": kubernetes62464,
})

type executor struct {
	configMu sync.RWMutex
	config   int
}

func (e *executor) database() int {
	e.configMu.RLock()
	defer e.configMu.RUnlock()
	return e.config
}

func cockroach16167() {
	e := &executor{}
	goes("G1", func() {
		e.configMu.RLock()
		defer e.configMu.RUnlock()
		untilAWriterWaits(&e.configMu)
		e.database()
	})
	goes("G2", func() {
		untilRead(&e.configMu)
		e.configMu.Lock()
		defer e.configMu.Unlock()
		e.config++
	})
}

type rangeCache struct {
	mu sync.RWMutex
}

func (c *rangeCache) String() string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return ""
}

func (c *rangeCache) insert() {
	c.mu.Lock()
	defer c.mu.Unlock()
}

func cockroach6181() {
	c := &rangeCache{}
	for _, name := range []string{"G1", "G2"} {
		goes(name, func() {
			c.mu.RLock()
			untilAWriterWaits(&c.mu)
			_ = c.String()
			c.mu.RUnlock()
			c.insert()
		})
	}
	goes("G3", func() {
		untilRead(&c.mu)
		c.insert()
	})
}

type stateMemory struct {
	sync.RWMutex
	set []int
}

func (s *stateMemory) get() []int {
	s.RLock()
	defer s.RUnlock()
	return s.set
}

func (s *stateMemory) getOrDefault() []int {
	s.RLock()
	defer s.RUnlock()
	untilAWriterWaits(&s.RWMutex)
	return s.get()
}

func kubernetes62464() {
	s := &stateMemory{}
	goes("G1", func() { s.getOrDefault() })
	goes("G2", func() {
		untilRead(&s.RWMutex)
		s.Lock()
		defer s.Unlock()
		s.set = []int{1}
	})
}
