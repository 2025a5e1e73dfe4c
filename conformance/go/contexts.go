package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// How contexts end, in every order of what ends them; what they say then; and what hears of it.
func contexts() {
	say := func(what string, ctx context.Context) {
		done := "open"
		select {
		case <-ctx.Done():
			done = "closed"
		default:
		}
		fmt.Println(what, ctx.Err(), context.Cause(ctx), done)
	}
	root := context.Background()
	say("root", root)
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		top, endTop := context.WithCancelCause(root)
		middle, endMiddle := context.WithTimeoutCause(top, time.Hour, errors.New("late"))
		bottom, endBottom := context.WithCancelCause(context.WithValue(middle, "key", 1))
		for _, which := range order {
			switch which {
			case 0:
				endTop(errors.New("top"))
			case 1:
				endMiddle()
			case 2:
				endBottom(errors.New("bottom"))
			}
			fmt.Println("ended", which)
			say("top", top)
			say("middle", middle)
			say("bottom", bottom)
		}
		born, endBorn := context.WithTimeout(bottom, time.Hour)
		say("born", born)
		endBorn()
		say("without", context.WithoutCancel(bottom))
	}
	for _, late := range []time.Duration{-time.Hour, 0, time.Millisecond} {
		ctx, cancel := context.WithTimeoutCause(root, late, errors.New("too late"))
		below, cancelBelow := context.WithTimeout(ctx, time.Hour)
		<-below.Done()
		say("timed", ctx)
		say("below", below)
		of, ok := below.Deadline()
		above, _ := ctx.Deadline()
		fmt.Println("deadline", ok, of.Equal(above))
		cancelBelow()
		cancel()
		say("timed, then cancelled", ctx)
	}
	ctx, cancel := context.WithCancel(root)
	var calls sync.WaitGroup
	calls.Add(1)
	stop := context.AfterFunc(ctx, calls.Done)
	never := context.AfterFunc(ctx, func() { panic("stopped") })
	fmt.Println("stop", never(), never())
	cancel()
	calls.Wait()
	fmt.Println("stop after the call", stop(), never())
	calls.Add(1)
	late := context.AfterFunc(ctx, calls.Done)
	calls.Wait()
	fmt.Println("stop after the end", late())
	forever := context.AfterFunc(root, func() { panic("never") })
	fmt.Println("stop what never comes", forever(), forever())
}
