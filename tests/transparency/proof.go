package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"github.com/transparency-dev/formats/log"
	tlog "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

// prove verifies the tlog-proof on standard input: `prove <log's verifier
// key> <entry, hex>`. It prints the entry's index and the log's size.
func prove(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: prove <log's verifier key> <entry, hex>")
	}
	raw, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	entry, err := hex.DecodeString(args[1])
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(args[0])
	if err != nil {
		return err
	}
	var brought tlog.TLogProof
	if err := brought.Unmarshal(raw); err != nil {
		return err
	}
	checkpoint, _, _, err := log.ParseCheckpoint(brought.Checkpoint, verifier.Name(), verifier)
	if err != nil {
		return err
	}
	var path [][]byte
	for _, hash := range brought.Hashes {
		path = append(path, hash[:])
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(entry)
	err = proof.VerifyInclusion(rfc6962.DefaultHasher, brought.Index, checkpoint.Size, leaf, path, checkpoint.Hash)
	if err != nil {
		return err
	}
	fmt.Println(brought.Index)
	fmt.Println(checkpoint.Size)
	return nil
}
