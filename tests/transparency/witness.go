package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"

	f_note "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/witness/persistence/inmemory"
	"github.com/transparency-dev/witness/witness"
	"golang.org/x/mod/sumdb/note"
)

// runWitness serves a witness that knows one log: `witness http|https <secret
// key> <log's verifier key>`, https with a certificate of Go's own tests. It prints its address, and ends with its standard input, so
// that it does not outlive the test.
func runWitness(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("usage: witness http|https <secret key> <log's verifier key>")
	}
	signer, err := f_note.NewSignerForCosignatureV1(args[1])
	if err != nil {
		return err
	}
	log, err := note.NewVerifier(args[2])
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
	server := httptest.NewUnstartedServer(mux)
	switch args[0] {
	case "http":
		server.Start()
	case "https":
		server.StartTLS()
	default:
		return fmt.Errorf("neither http nor https: %q", args[0])
	}
	fmt.Println(server.Listener.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
