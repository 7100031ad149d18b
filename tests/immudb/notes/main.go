// Notes, checkpoints, cosignatures and proofs by the Go packages that logs and
// witnesses use, asked over standard input. One JSON request a line, one JSON
// answer a line; it ends when its input does.
//
//	{"make": {"origin", "leaves", "witnesses": […]}}   a signed log, as Go makes it
//	{"open": {"note", "log", "witnesses", "policy"}}   what Go says of a note
//	{"proof": {"text", "log", "leaf"}}                 what Go says of a tlog-proof
package main

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"

	"github.com/transparency-dev/formats/log"
	cosignature "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/formats/witness"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type request struct {
	Make *struct {
		Origin    string   `json:"origin"`
		Leaves    [][]byte `json:"leaves"`
		Witnesses []string `json:"witnesses"`
	} `json:"make"`
	Open *struct {
		Note      string   `json:"note"`
		Log       string   `json:"log"`
		Witnesses []string `json:"witnesses"`
		Policy    string   `json:"policy"`
	} `json:"open"`
	Proof *struct {
		Text string `json:"text"`
		Log  string `json:"log"`
		Leaf []byte `json:"leaf"`
	} `json:"proof"`
}

type made struct {
	Log       string   `json:"log"`
	Witnesses []string `json:"witnesses"`
	// Signed by the log, all witnesses, and one more with ML-DSA-44.
	Note   string   `json:"note"`
	Proofs []string `json:"proofs"`
}

type opened struct {
	Origin    string   `json:"origin"`
	Size      uint64   `json:"size"`
	Hash      []byte   `json:"hash"`
	Names     []string `json:"names"`
	Times     []int64  `json:"times"`
	Satisfied bool     `json:"satisfied"`
}

type held struct {
	Index uint64 `json:"index"`
	// The proof as Go writes it.
	Text string `json:"text"`
}

func makeLog(origin string, leaves [][]byte, names []string) (*made, error) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	for n, leaf := range leaves {
		hashes, err := tlog.StoredHashes(int64(n), leaf, reader)
		if err != nil {
			return nil, err
		}
		stored = append(stored, hashes...)
	}
	size := int64(len(leaves))
	root, err := tlog.TreeHash(size, reader)
	if err != nil {
		return nil, err
	}
	text := log.Checkpoint{Origin: origin, Size: uint64(size), Hash: root[:]}.Marshal()

	secret, public, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		return nil, err
	}
	signers := []note.Signer{signer}
	out := &made{Log: public}
	for _, name := range names {
		secret, public, err := note.GenerateKey(rand.Reader, name)
		if err != nil {
			return nil, err
		}
		cosigner, err := cosignature.NewSignerForCosignatureV1(secret)
		if err != nil {
			return nil, err
		}
		key, err := cosignature.VKeyToCosignatureV1(public)
		if err != nil {
			return nil, err
		}
		signers = append(signers, cosigner)
		out.Witnesses = append(out.Witnesses, key)
	}
	secret, _, err = cosignature.GenerateMLDSAKey("mldsa.example")
	if err != nil {
		return nil, err
	}
	other, err := cosignature.NewMLDSASigner(secret)
	if err != nil {
		return nil, err
	}
	signed, err := note.Sign(&note.Note{Text: string(text)}, append(signers, other)...)
	if err != nil {
		return nil, err
	}
	out.Note = string(signed)
	for n := range leaves {
		path, err := tlog.ProveRecord(size, int64(n), reader)
		if err != nil {
			return nil, err
		}
		one := proof.TLogProof{Index: uint64(n), Checkpoint: signed}
		for _, hash := range path {
			one.Hashes = append(one.Hashes, hash)
		}
		if n%2 == 1 {
			one.ExtraData = []byte("extra")
		}
		out.Proofs = append(out.Proofs, string(one.Marshal()))
	}
	return out, nil
}

func openNote(text, logKey string, witnessKeys []string, policy string) (*opened, error) {
	verifier, err := note.NewVerifier(logKey)
	if err != nil {
		return nil, err
	}
	verifiers := []note.Verifier{verifier}
	for _, key := range witnessKeys {
		cosigner, err := cosignature.NewVerifierForCosignatureV1(key)
		if err != nil {
			return nil, err
		}
		verifiers = append(verifiers, cosigner)
	}
	checkpoint, _, n, err := log.ParseCheckpoint([]byte(text), verifier.Name(), verifier, verifiers[1:]...)
	if err != nil {
		return nil, err
	}
	out := &opened{Origin: checkpoint.Origin, Size: checkpoint.Size, Hash: checkpoint.Hash}
	for _, signature := range n.Sigs {
		out.Names = append(out.Names, signature.Name)
		if signature.Hash == verifier.KeyHash() {
			continue
		}
		time, err := cosignature.CoSigV1Timestamp(signature)
		if err != nil {
			return nil, err
		}
		out.Times = append(out.Times, time.Unix())
	}
	if policy != "" {
		group, err := witness.ParsePolicy([]byte(policy))
		if err != nil {
			return nil, err
		}
		out.Satisfied = group.Satisfied([]byte(text))
	}
	return out, nil
}

func checkProof(text, logKey string, leaf []byte) (*held, error) {
	var one proof.TLogProof
	if err := one.Unmarshal([]byte(text)); err != nil {
		return nil, err
	}
	checkpoint, err := openNote(string(one.Checkpoint), logKey, nil, "")
	if err != nil {
		return nil, err
	}
	var path tlog.RecordProof
	for _, hash := range one.Hashes {
		path = append(path, hash)
	}
	size, index := int64(checkpoint.Size), int64(one.Index)
	if err := tlog.CheckRecord(path, size, tlog.Hash(checkpoint.Hash), index, tlog.RecordHash(leaf)); err != nil {
		return nil, err
	}
	return &held{Index: one.Index, Text: string(one.Marshal())}, nil
}

func answer(line []byte) (any, error) {
	var req request
	if err := json.Unmarshal(line, &req); err != nil {
		return nil, err
	}
	switch {
	case req.Make != nil:
		return makeLog(req.Make.Origin, req.Make.Leaves, req.Make.Witnesses)
	case req.Open != nil:
		return openNote(req.Open.Note, req.Open.Log, req.Open.Witnesses, req.Open.Policy)
	case req.Proof != nil:
		return checkProof(req.Proof.Text, req.Proof.Log, req.Proof.Leaf)
	}
	return nil, fmt.Errorf("neither make nor open nor proof")
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		reply, err := answer(line)
		if err != nil {
			reply = map[string]string{"error": err.Error()}
		}
		if encoder.Encode(reply) != nil || out.Flush() != nil {
			return
		}
	}
}
