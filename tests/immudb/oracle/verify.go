package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/codenotary/immudb/embedded/ahtree"
	"github.com/codenotary/immudb/embedded/htree"
	"github.com/codenotary/immudb/embedded/store"
	"github.com/codenotary/immudb/pkg/api/schema"
)

type verdict struct {
	Accepts  bool   `json:"accepts"`
	Panicked bool   `json:"panicked"`
	Detail   string `json:"detail,omitempty"`
}

var kinds = map[string]func(json.RawMessage) (func() bool, error){
	"entry_tree_inclusion":   entryTreeInclusion,
	"tx_tree_inclusion":      txTreeInclusion,
	"tx_tree_last_inclusion": txTreeLastInclusion,
	"tx_tree_consistency":    txTreeConsistency,
	"linear_proof":           linear,
	"linear_advance_proof":   linearAdvance,
	"dual_proof":             dual,
	"dual_proof_v2":          dualV2,
	"signed_state":           signedState,
	"tx_header":              txHeader,
	"entry_digest":           entryDigest,
}

// A case that cannot be brought into the reference's own types is no question
// to it: that is an error, not a verdict.
func verify(kind string, input json.RawMessage) (out *verdict, err error) {
	decode, known := kinds[kind]
	if !known {
		return nil, fmt.Errorf("unknown kind %q", kind)
	}
	ask, err := decode(input)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cause := recover(); cause != nil {
			out, err = &verdict{Panicked: true, Detail: fmt.Sprint(cause)}, nil
		}
	}()
	return &verdict{Accepts: ask()}, nil
}

func entryTreeInclusion(input json.RawMessage) (func() bool, error) {
	var c struct {
		LeafIndex   int    `json:"leaf_index"`
		Width       int    `json:"width"`
		Terms       []hash `json:"terms"`
		EntryDigest hash   `json:"entry_digest"`
		Root        hash   `json:"root"`
	}
	if err := json.Unmarshal(input, &c); err != nil {
		return nil, err
	}
	proof := &htree.InclusionProof{Leaf: c.LeafIndex, Width: c.Width, Terms: raw(c.Terms)}
	return func() bool { return store.VerifyInclusion(proof, c.EntryDigest, c.Root) }, nil
}

type txTreeCase struct {
	I        uint64 `json:"i"`
	J        uint64 `json:"j"`
	Terms    []hash `json:"terms"`
	LeafHash hash   `json:"leaf_hash"`
	Root     hash   `json:"root"`
	RootI    hash   `json:"root_i"`
	RootJ    hash   `json:"root_j"`
}

func txTreeInclusion(input json.RawMessage) (func() bool, error) {
	var c txTreeCase
	err := json.Unmarshal(input, &c)
	return func() bool {
		return ahtree.VerifyInclusion(raw(c.Terms), c.I, c.J, c.LeafHash, c.RootJ)
	}, err
}

func txTreeLastInclusion(input json.RawMessage) (func() bool, error) {
	var c txTreeCase
	err := json.Unmarshal(input, &c)
	return func() bool {
		return ahtree.VerifyLastInclusion(raw(c.Terms), c.I, c.LeafHash, c.Root)
	}, err
}

func txTreeConsistency(input json.RawMessage) (func() bool, error) {
	var c txTreeCase
	err := json.Unmarshal(input, &c)
	return func() bool {
		return ahtree.VerifyConsistency(raw(c.Terms), c.I, c.J, c.RootI, c.RootJ)
	}, err
}

func linear(input json.RawMessage) (func() bool, error) {
	var c dualCase[linearProof]
	err := json.Unmarshal(input, &c)
	return func() bool {
		return store.VerifyLinearProof(c.Proof.store(), c.SourceTxID, c.TargetTxID, c.SourceAlh, c.TargetAlh)
	}, err
}

func linearAdvance(input json.RawMessage) (func() bool, error) {
	var c struct {
		StartTxID uint64        `json:"start_tx_id"`
		EndTxID   uint64        `json:"end_tx_id"`
		EndAlh    hash          `json:"end_alh"`
		TreeRoot  hash          `json:"tree_root"`
		TreeSize  uint64        `json:"tree_size"`
		Proof     *advanceProof `json:"proof"`
	}
	err := json.Unmarshal(input, &c)
	return func() bool {
		return store.VerifyLinearAdvanceProof(
			c.Proof.store(), c.StartTxID, c.EndTxID, c.EndAlh, c.TreeRoot, c.TreeSize)
	}, err
}

func dual(input json.RawMessage) (func() bool, error) {
	var c dualCase[dualProof]
	if err := json.Unmarshal(input, &c); err != nil {
		return nil, err
	}
	proof, err := c.Proof.store()
	return func() bool {
		return store.VerifyDualProof(proof, c.SourceTxID, c.TargetTxID, c.SourceAlh, c.TargetAlh)
	}, err
}

func dualV2(input json.RawMessage) (func() bool, error) {
	var c dualCase[dualProofV2]
	if err := json.Unmarshal(input, &c); err != nil {
		return nil, err
	}
	proof, err := c.Proof.store()
	return func() bool {
		return store.VerifyDualProofV2(proof, c.SourceTxID, c.TargetTxID, c.SourceAlh, c.TargetAlh) == nil
	}, err
}

func signedState(input json.RawMessage) (func() bool, error) {
	var c struct {
		Db        string   `json:"db"`
		TxID      uint64   `json:"tx_id"`
		TxHash    bytesHex `json:"tx_hash"`
		Signature bytesHex `json:"signature"`
		Key       bytesHex `json:"public_key_sec1"`
	}
	if err := json.Unmarshal(input, &c); err != nil {
		return nil, err
	}
	if len(c.Key) != 65 || c.Key[0] != 4 {
		return nil, fmt.Errorf("the key is not an uncompressed point")
	}
	key := &ecdsa.PublicKey{
		Curve: elliptic.P256(),
		X:     new(big.Int).SetBytes(c.Key[1:33]),
		Y:     new(big.Int).SetBytes(c.Key[33:]),
	}
	state := &schema.ImmutableState{
		Db: c.Db, TxId: c.TxID, TxHash: c.TxHash, Signature: &schema.Signature{Signature: c.Signature},
	}
	return func() bool { return state.CheckSignature(key) == nil }, nil
}
