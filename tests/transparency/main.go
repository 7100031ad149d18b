// Command transparency is what other people's tools make of the checkpoints:
// Go's sumdb/note and transparency-dev's witness.
package main

import (
	"fmt"
	"os"
)

func main() {
	commands := map[string]func([]string) error{
		"witness": runWitness,
		"open":    open,
		"keygen":  keygen,
		"prove":   prove,
	}
	command := func([]string) error { return fmt.Errorf("usage: transparency witness|open|keygen|prove …") }
	var args []string
	if len(os.Args) > 1 && commands[os.Args[1]] != nil {
		command, args = commands[os.Args[1]], os.Args[2:]
	}
	if err := command(args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
