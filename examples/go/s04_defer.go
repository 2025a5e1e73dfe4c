// S4: defer on return, on an error and on a panic.
package main

import (
	"fmt"
	"strconv"
)

func parse(how, text string) (int, error) {
	defer fmt.Println(how + ": first deferred, runs last")
	defer fmt.Println(how + ": second deferred, runs first")
	if text == "" {
		panic("nothing to parse")
	}
	number, err := strconv.Atoi(text)
	if err != nil {
		return 0, err
	}
	fmt.Println(how + ": the body ends")
	return number, nil
}

func main() {
	parse("return", "7")
	parse("error", "seven")
	end := make(chan any)
	go func() {
		defer func() { end <- recover() }()
		parse("panic", "")
	}()
	<-end
	fmt.Println("main ends")
}
