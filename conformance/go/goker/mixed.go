package main

import (
	"sync"
	"time"
)

var _ = add(map[string]func(){
	"etcd6873":        etcd6873,
	"istio16224":      istio16224,
	"kubernetes10182": kubernetes10182,
	"kubernetes6632":  kubernetes6632,
	"kubernetes1321":  kubernetes1321,
	"moby28462":       moby28462,
	"grpc1460":        grpc1460,
	"etcd7902":        etcd7902,
	"etcd7492":        etcd7492,
})

type broadcasts struct {
	mu      sync.Mutex
	updates chan int
	done    chan struct{}
}

func (b *broadcasts) run() {
	for range b.updates {
		untilLocked(&b.mu)
		b.mu.Lock()
		b.mu.Unlock()
	}
	close(b.done)
}

func (b *broadcasts) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.updates)
	<-b.done
}

func etcd6873() {
	b := &broadcasts{updates: make(chan int, 1), done: make(chan struct{})}
	goes("G2", b.run)
	goes("G1", func() {
		b.updates <- 1
		b.stop()
	})
}

func istio16224() {
	var mu sync.Mutex
	done := make(chan struct{})
	goes("G2", func() {
		mu.Lock()
		defer mu.Unlock()
		done <- struct{}{}
	})
	goes("G1", func() {
		untilLocked(&mu)
		mu.Lock()
		mu.Unlock()
		<-done
	})
}

type manager struct {
	statusesLock sync.RWMutex
	statuses     chan bool
	met          chan struct{}
}

func (m *manager) syncBatch() {
	<-m.statuses
	<-m.met
	m.statusesLock.Lock()
	defer m.statusesLock.Unlock()
}

func (m *manager) setStatus(second bool) {
	m.statusesLock.Lock()
	defer m.statusesLock.Unlock()
	if second {
		m.met <- struct{}{}
	}
	m.statuses <- true
}

func kubernetes10182() {
	m := &manager{statuses: make(chan bool), met: make(chan struct{})}
	goes("G1", func() {
		for {
			m.syncBatch()
		}
	})
	goes("G2", func() {
		m.setStatus(false)
		m.setStatus(true)
	})
}

type framer struct {
	writeLock sync.Mutex
	reset     chan bool
}

func kubernetes6632() {
	f := &framer{reset: make(chan bool)}
	goes("G1", func() {
		untilLocked(&f.writeLock)
		f.writeLock.Lock()
		defer f.writeLock.Unlock()
		close(f.reset)
	})
	goes("G2", func() {
		f.writeLock.Lock()
		defer f.writeLock.Unlock()
		f.reset <- true
	})
}

type mux struct {
	lock     sync.Mutex
	watchers map[int]chan struct{}
}

func kubernetes1321() {
	m := &mux{watchers: map[int]chan struct{}{0: make(chan struct{})}}
	goes("G2", func() {
		m.lock.Lock()
		defer m.lock.Unlock()
		for _, result := range m.watchers {
			result <- struct{}{}
		}
	})
	goes("G1", func() {
		untilLocked(&m.lock)
		m.lock.Lock()
		defer m.lock.Unlock()
		close(m.watchers[0])
	})
}

type container struct {
	sync.Mutex
	stop chan struct{}
}

func moby28462() {
	c := &container{stop: make(chan struct{})}
	goes("G1", func() {
		untilLocked(&c.Mutex)
		c.Lock()
		c.Unlock()
		<-c.stop
	})
	goes("G2", func() {
		c.Lock()
		defer c.Unlock()
		c.stop <- struct{}{}
	})
}

type http2Client struct {
	mu     sync.Mutex
	awaken chan struct{}
}

func grpc1460() {
	c := &http2Client{awaken: make(chan struct{})}
	goes("G1", func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		<-c.awaken
	})
	goes("G2", func() {
		untilLocked(&c.mu)
		c.mu.Lock()
		defer c.mu.Unlock()
		select {
		case c.awaken <- struct{}{}:
		default:
		}
	})
}

func etcd7902() {
	var mu sync.Mutex
	next := make(chan struct{})
	goes("G1", func() {
		var rounds sync.WaitGroup
		rounds.Add(3)
		goes("G2", func() {
			defer rounds.Done()
			untilLocked(&mu)
			mu.Lock()
			defer mu.Unlock()
			close(next)
			next = make(chan struct{})
		})
		for range 2 {
			goes("G3", func() {
				defer rounds.Done()
				mu.Lock()
				defer mu.Unlock()
				<-next
			})
		}
		rounds.Wait()
	})
}

type tokenKeeper struct {
	tokensMu sync.RWMutex
	adds     chan struct{}
	stop     chan struct{}
	met      chan struct{}
}

func (k *tokenKeeper) run() {
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-k.adds:
			// The next is a tick.
			<-ticker.C
			<-k.met
			k.tokensMu.Lock()
			k.tokensMu.Unlock()
		case <-k.stop:
			return
		}
	}
}

func (k *tokenKeeper) assign(last bool) {
	k.tokensMu.Lock()
	defer k.tokensMu.Unlock()
	if last {
		k.met <- struct{}{}
	}
	k.adds <- struct{}{}
}

func etcd7492() {
	k := &tokenKeeper{adds: make(chan struct{}, 1), stop: make(chan struct{}), met: make(chan struct{})}
	goes("G1", k.run)
	goes("helper", func() {
		var group sync.WaitGroup
		for n := range 3 {
			group.Add(1)
			goes("G2", func() {
				defer group.Done()
				k.assign(n == 2)
			})
			group.Wait()
		}
		close(k.stop)
	})
}
