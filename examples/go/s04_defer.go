// S4: defer on return, on an early return, and on a panic.
package main

import (
	"fmt"
	"strconv"
)

func parse(text string) (int, error) {
	defer fmt.Printf("%s: deferred first, runs last\n", text)
	defer fmt.Printf("%s: deferred last, runs first\n", text)
	number, err := strconv.Atoi(text)
	if err != nil {
		return 0, err
	}
	fmt.Printf("%s: parsed\n", text)
	return number, nil
}

func main() {
	_, err := parse("7")
	fmt.Println(err == nil)
	_, err = parse("x")
	fmt.Println(err == nil)
	end := make(chan bool)
	go func() {
		defer func() { end <- recover() != nil }()
		defer fmt.Println("panic: deferred")
		panic("on purpose")
	}()
	fmt.Println("panicked:", <-end)
}
