package main

import (
	"fmt"
	"time"
)

// The sizes up to most, with the names of their metrics.
func sizes(most int, each func(size int, metric string)) {
	for _, s := range []struct {
		size int
		name string
	}{{10, "10"}, {1000, "1,000"}, {100_000, "100,000"}, {1_000_000, "1,000,000"}} {
		if s.size <= most {
			each(s.size, "with "+s.name)
		}
	}
}

func scalingSpawn(n int) {
	sizes(n, func(size int, metric string) {
		rounds := roundsOf(200_000, size)
		c := start()
		for range rounds {
			empty(size)
		}
		c.stop().perOp(metric, rounds*size)
	})
}

func scalingPingpong(n int) {
	sizes(n, func(size int, metric string) {
		pairs := size / 2
		trips := roundsOf(200_000, pairs)
		c := start()
		all(pairs, func(int) { pingpong(trips) })
		c.stop().perOp(metric, pairs*trips)
	})
}

func scalingTimers(n int) {
	sizes(n, func(size int, metric string) {
		rounds := roundsOf(2000, size)
		span := 500 * time.Millisecond / time.Duration(rounds)
		c := start()
		all(size, func(i int) {
			for round := range rounds {
				time.Sleep(sleepTime(i+round, size, span))
			}
		})
		c.stop().cpuPerOp(metric, size*rounds)
	})
}

func scalingSelect(n int) {
	for _, s := range []struct {
		arms    int
		receive func(ch []chan int)
	}{{2, select2}, {8, select8}, {64, select64}, {256, select256}} {
		ch := make([]chan int, s.arms)
		for i := range ch {
			ch[i] = make(chan int)
		}
		n := n / s.arms
		go func() {
			for i := range n {
				ch[i%s.arms] <- i
			}
		}()
		c := start()
		for range n {
			s.receive(ch)
		}
		c.stop().perOp(fmt.Sprintf("with %d arms", s.arms), n)
	}
}
