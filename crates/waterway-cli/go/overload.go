// More comes in than can go out: a goroutine per item on an unbuffered channel, or on a large buffer whose surplus is
// dropped. Tells how things stand as waterway's own designs do, a line of JSON at a time.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type item struct {
	due  time.Time
	body *[1024]byte
}

type shed struct {
	Full uint64 `json:"full"`
	Late uint64 `json:"late"`
}

type returned struct {
	Refused uint64 `json:"refused"`
	Closed  uint64 `json:"closed"`
}

type sample struct {
	Time       float64  `json:"time"`
	Memory     uint64   `json:"memory"`
	Goroutines int      `json:"goroutines"`
	Queue      uint64   `json:"queue"`
	P50        *float64 `json:"p50_ms"`
	P99        *float64 `json:"p99_ms"`
	Sent       uint64   `json:"sent"`
	Received   uint64   `json:"received"`
	Shed       shed     `json:"shed"`
	Returned   returned `json:"returned"`
}

type end struct {
	Sent     uint64   `json:"sent"`
	Received uint64   `json:"received"`
	InTime   uint64   `json:"in_time"`
	Queue    uint64   `json:"queue"`
	Shed     shed     `json:"shed"`
	Returned returned `json:"returned"`
	P50      *float64 `json:"p50_ms"`
	P99      *float64 `json:"p99_ms"`
}

const (
	inTime = 100 * time.Millisecond
	grace  = 250 * time.Millisecond
)

var (
	ch                                    chan item
	sent, received, onTime, full, sending atomic.Uint64
	waitsLock                             sync.Mutex
	window, all                           []time.Duration
	stop                                  = make(chan struct{})
)

func offer(it item) {
	if cap(ch) > 0 && len(ch) == cap(ch) {
		full.Add(1)
		return
	}
	sending.Add(1)
	go func() {
		select {
		case ch <- it:
			sending.Add(^uint64(0))
		case <-stop:
		}
	}()
}

func produce(start, end time.Time, rate uint64) {
	for n := uint64(1); ; n++ {
		due := start.Add(time.Duration(n * 1_000_000_000 / rate))
		if due.After(end) || time.Now().After(end.Add(grace)) {
			return
		}
		time.Sleep(time.Until(due))
		sent.Add(1)
		it := item{due, new([1024]byte)}
		for i := range it.body {
			it.body[i] = 1
		}
		offer(it)
	}
}

func serve(start, end time.Time, rate uint64) {
	slot, free := time.Duration(1_000_000_000/rate), start
	over := time.After(time.Until(end))
	for free.Before(end) {
		time.Sleep(time.Until(free))
		var it item
		select {
		case it = <-ch:
		default:
			select {
			case it = <-ch:
			case <-over:
				return
			}
			if now := time.Now(); now.After(free) {
				free = now
			}
		}
		waited := time.Since(it.due)
		received.Add(1)
		if waited < inTime {
			onTime.Add(1)
		}
		waitsLock.Lock()
		window, all = append(window, waited), append(all, waited)
		waitsLock.Unlock()
		free = free.Add(slot)
	}
}

// Median and 99th percentile, in milliseconds.
func percentiles(waits []time.Duration) (p50, p99 *float64) {
	if len(waits) == 0 {
		return nil, nil
	}
	slices.Sort(waits)
	at := func(share float64) *float64 {
		rank := min(int(share*float64(len(waits))), len(waits)-1)
		ms := float64(waits[rank].Microseconds()) / 1e3
		return &ms
	}
	return at(0.5), at(0.99)
}

// Resident pages, and the page tables that map them.
func memory() (bytes uint64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) > 1 && (fields[0] == "VmRSS:" || fields[0] == "VmPTE:") {
			kib, _ := strconv.ParseUint(fields[1], 10, 64)
			bytes += kib * 1024
		}
	}
	return bytes
}

func tell(kind string, value any) {
	text, err := json.Marshal(map[string]any{kind: value})
	if err == nil {
		_, err = fmt.Printf("%s\n", text)
	}
	if err != nil {
		os.Exit(1)
	}
}

func main() {
	ch = make(chan item, map[string]int{"goroutines": 0, "buffer": 100_000}[os.Args[1]])
	var load [3]uint64
	for i := range load {
		var err error
		if load[i], err = strconv.ParseUint(os.Args[2+i], 10, 32); err != nil {
			panic(err)
		}
	}
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		os.Exit(1)
	}
	start, duration := time.Now(), time.Duration(load[2])*time.Second
	finish := start.Add(duration)
	var both sync.WaitGroup
	toldAll := make(chan struct{})
	both.Go(func() {
		produce(start, finish, load[0])
		<-toldAll
	})
	both.Go(func() {
		serve(start, finish, load[1])
		<-toldAll
	})
	count := max(int(load[2])*5, 20)
	for n := 0; n <= count; n++ {
		time.Sleep(time.Until(start.Add(duration * time.Duration(n) / time.Duration(count))))
		waitsLock.Lock()
		p50, p99 := percentiles(window)
		window = window[:0]
		waitsLock.Unlock()
		tell("sample", sample{
			time.Since(start).Seconds(), memory(), runtime.NumGoroutine(), uint64(len(ch)) + sending.Load(),
			p50, p99, sent.Load(), received.Load(), shed{Full: full.Load()}, returned{},
		})
	}
	close(toldAll)
	both.Wait()
	// Those that still send get their items back; the rest is in the buffer.
	close(stop)
	for runtime.NumGoroutine() > 1 {
		time.Sleep(time.Millisecond)
	}
	p50, p99 := percentiles(all)
	tell("end", end{
		sent.Load(), received.Load(), onTime.Load(), uint64(len(ch)), shed{Full: full.Load()}, returned{Closed: sending.Load()}, p50, p99,
	})
}
