package main

import (
	"fmt"
	"strings"
)

// A fraction in lowest terms, its denominator positive.
type rational struct{ num, den int64 }

func fraction(num, den int64) rational {
	divisor := gcd(num, den)
	if (divisor < 0) != (den < 0) {
		divisor = -divisor
	}
	return rational{num / divisor, den / divisor}
}

func whole(n int64) rational { return rational{n, 1} }

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func (a rational) plus(b rational) rational {
	common := gcd(a.den, b.den)
	return fraction(a.num*(b.den/common)+b.num*(a.den/common), a.den/common*b.den)
}

func (a rational) times(b rational) rational {
	x, y := fraction(a.num, b.den), fraction(b.num, a.den)
	return fraction(x.num*y.num, x.den*y.den)
}

func (a rational) String() string {
	if a.den == 1 {
		return fmt.Sprint(a.num)
	}
	return fmt.Sprintf("%d/%d", a.num, a.den)
}

// A power series: asked over one channel, it gives a term over the other, and closes that at its end.
type series struct {
	asked chan bool
	terms chan rational
}

func madeBy(f func(z series)) series {
	z := series{make(chan bool), make(chan rational)}
	go func() {
		f(z)
		go func() {
			for range z.asked {
			}
		}()
		close(z.terms)
	}()
	return z
}

func (u series) term() (rational, bool) {
	u.asked <- true
	term, ok := <-u.terms
	return term, ok
}

func (u series) put(term rational) {
	<-u.asked
	u.terms <- term
}

func (u series) copy(from series) {
	for {
		<-u.asked
		term, ok := from.term()
		if !ok {
			return
		}
		u.terms <- term
	}
}

// The same series twice, each at its own pace: both keep what the other has asked for.
func (u series) split() [2]series {
	var sides [2]series
	var kept [2][]rational
	for i := range sides {
		sides[i] = series{make(chan bool), make(chan rational)}
	}
	go func() {
		var waits [2]bool
		asking := false
		for {
			var asks [2]chan bool
			wanted := false
			for i := range sides {
				if waits[i] && len(kept[i]) > 0 {
					sides[i].terms <- kept[i][0]
					kept[i] = kept[i][1:]
					waits[i] = false
				}
				if !waits[i] {
					asks[i] = sides[i].asked
				}
				wanted = wanted || waits[i]
			}
			var ask chan bool
			var terms chan rational
			if asking {
				terms = u.terms
			} else if wanted {
				ask = u.asked
			}
			select {
			case <-asks[0]:
				waits[0] = true
			case <-asks[1]:
				waits[1] = true
			case ask <- true:
				asking = true
			case term, ok := <-terms:
				if !ok {
					for i := range sides {
						go finish(sides[i], kept[i], waits[i])
					}
					return
				}
				kept[0], kept[1] = append(kept[0], term), append(kept[1], term)
				asking = false
			}
		}
	}()
	return sides
}

func finish(side series, kept []rational, waits bool) {
	for _, term := range kept {
		if !waits {
			<-side.asked
		}
		waits = false
		side.terms <- term
	}
	if !waits {
		<-side.asked
	}
	close(side.terms)
}

func repeat(c int64) series {
	return madeBy(func(z series) {
		for {
			z.put(whole(c))
		}
	})
}

func polynomial(terms ...int64) series {
	return madeBy(func(z series) {
		for _, term := range terms {
			z.put(whole(term))
		}
	})
}

func add(u, v series) series {
	return madeBy(func(z series) {
		for {
			<-z.asked
			a, more := u.term()
			b, too := v.term()
			switch {
			case more && too:
				z.terms <- a.plus(b)
			case more:
				z.terms <- a
				z.copy(u)
				return
			case too:
				z.terms <- b
				z.copy(v)
				return
			default:
				return
			}
		}
	})
}

func scale(c rational, u series) series {
	return madeBy(func(z series) {
		for {
			<-z.asked
			term, ok := u.term()
			if !ok {
				return
			}
			z.terms <- c.times(term)
		}
	})
}

func mul(u, v series) series {
	return madeBy(func(z series) {
		<-z.asked
		a, more := u.term()
		b, too := v.term()
		if !more || !too {
			return
		}
		z.terms <- a.times(b)
		us, vs := u.split(), v.split()
		w := add(scale(a, vs[0]), scale(b, us[0]))
		<-z.asked
		term, ok := w.term()
		if !ok {
			return
		}
		z.terms <- term
		z.copy(add(w, mul(us[1], vs[1])))
	})
}

func differentiate(u series) series {
	return madeBy(func(z series) {
		<-z.asked
		u.term()
		for n := int64(1); ; n++ {
			term, ok := u.term()
			if !ok {
				return
			}
			z.terms <- whole(n).times(term)
			<-z.asked
		}
	})
}

func integrate(c int64, u series) series {
	return madeBy(func(z series) {
		z.put(whole(c))
		for n := int64(1); ; n++ {
			<-z.asked
			term, ok := u.term()
			if !ok {
				return
			}
			z.terms <- fraction(1, n).times(term)
		}
	})
}

func exp(u series) series {
	z := series{make(chan bool), make(chan rational)}
	sides := z.split()
	integral := integrate(1, mul(sides[0], differentiate(u)))
	go z.copy(integral)
	return sides[1]
}

func substitute(u series, c int64, n int) series {
	return madeBy(func(z series) {
		for power := whole(1); ; power = power.times(whole(c)) {
			<-z.asked
			term, ok := u.term()
			if !ok {
				return
			}
			z.terms <- term.times(power)
			for i := 1; i < n; i++ {
				z.put(whole(0))
			}
		}
	})
}

func powerSeries() {
	minus := whole(-1)
	for _, line := range []struct {
		name string
		u    series
	}{
		{"Ones", repeat(1)},
		{"Twos", repeat(2)},
		{"Add", add(repeat(1), repeat(2))},
		{"Sub", add(repeat(1), scale(minus, repeat(2)))},
		{"Cmul", scale(minus, repeat(1))},
		{"Diff", differentiate(repeat(1))},
		{"Integ", integrate(0, repeat(1))},
		{"Mul", mul(repeat(1), repeat(1))},
		{"Poly", mul(polynomial(1, 1), add(polynomial(1, -1), polynomial(0, 0, 5)))},
		{"Exp", exp(repeat(1))},
		{"Atan", integrate(0, substitute(repeat(1), -1, 2))},
	} {
		var terms []string
		for len(terms) < 10 {
			term, ok := line.u.term()
			if !ok {
				break
			}
			terms = append(terms, term.String())
		}
		fmt.Printf("%s: %s\n", line.name, strings.Join(terms, " "))
	}
}
