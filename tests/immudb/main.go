// The real immudb server, as the tests use it: the same command as the
// release binary, with the same flags, that ends itself when its standard
// input closes. A test process that dies, however it dies, therefore takes
// its server with it.
package main

import (
	"io"
	"os"
	"syscall"

	immudb "github.com/codenotary/immudb/cmd/immudb/command"
)

func main() {
	go func() {
		io.Copy(io.Discard, os.Stdin)
		syscall.Kill(os.Getpid(), syscall.SIGTERM)
	}()
	immudb.Execute()
}
