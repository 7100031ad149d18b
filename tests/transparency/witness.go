package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	f_note "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/witness/persistence/inmemory"
	"github.com/transparency-dev/witness/witness"
	"golang.org/x/mod/sumdb/note"
)

// runWitness serves a witness that knows one log: `witness <secret key> <log's
// verifier key>`. It prints its address, and ends with its standard input, so
// that it does not outlive the test.
func runWitness(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: witness <secret key> <log's verifier key>")
	}
	signer, err := f_note.NewSignerForCosignatureV1(args[0])
	if err != nil {
		return err
	}
	log, err := note.NewVerifier(args[1])
	if err != nil {
		return err
	}
	one, err := witness.New(context.Background(), witness.Opts{
		Persistence: inmemory.New(),
		Signers:     []note.Signer{signer},
		VerifierForLog: func(_ context.Context, origin string) (note.Verifier, bool, error) {
			return log, origin == log.Name(), nil
		},
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", witness.NewHTTPHandler(one).AddCheckpoint)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return http.Serve(listener, mux)
}
