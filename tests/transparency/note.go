package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/transparency-dev/formats/log"
	f_note "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// open reads a checkpoint from standard input: `open <log's verifier key>
// [<witness's verifier key>…]`. It prints origin, size, root and the names
// of the witnesses that have cosigned it.
func open(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: open <log's verifier key> [<witness's verifier key>…]")
	}
	raw, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(args[0])
	if err != nil {
		return err
	}
	var witnesses []note.Verifier
	for _, key := range args[1:] {
		// By its type byte, as tools tell a witness's key.
		witness, err := f_note.NewVerifierForCosignatureV1(key)
		if err != nil {
			return err
		}
		witnesses = append(witnesses, witness)
	}
	checkpoint, rest, opened, err := log.ParseCheckpoint(raw, verifier.Name(), verifier, witnesses...)
	if err != nil {
		return err
	}
	if len(rest) != 0 {
		return fmt.Errorf("the checkpoint has extensions: %q", rest)
	}
	fmt.Println(checkpoint.Origin)
	fmt.Println(checkpoint.Size)
	fmt.Printf("%x\n", checkpoint.Hash)
	var names []string
	for _, signature := range opened.Sigs {
		names = append(names, signature.Name)
	}
	fmt.Println(strings.Join(names, " "))
	return nil
}

// keygen makes a key of this name: `keygen <name>`. It prints the secret key,
// which is a log's and a cosigner's alike, and the verifier key as a
// cosigner and as a log.
func keygen(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: keygen <name>")
	}
	secret, public, err := note.GenerateKey(rand.Reader, args[0])
	if err != nil {
		return err
	}
	cosigner, err := f_note.VKeyToCosignatureV1(public)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%s\n%s\n", secret, cosigner, public)
	return nil
}
