package main

import (
	"encoding/hex"
	"fmt"

	"github.com/codenotary/immudb/embedded/store"
)

type hash [32]byte

func (h *hash) UnmarshalText(text []byte) error {
	if n, err := hex.Decode(h[:], text[:min(len(text), 64)]); err != nil || n != 32 || len(text) != 64 {
		return fmt.Errorf("%q is not a hash", text)
	}
	return nil
}

func (h hash) MarshalText() ([]byte, error) {
	return []byte(hex.EncodeToString(h[:])), nil
}

type bytesHex []byte

func (b *bytesHex) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

func (b bytesHex) MarshalText() ([]byte, error) {
	return []byte(hex.EncodeToString(b)), nil
}

type txMetadata struct {
	TruncatedTxID *uint64   `json:"truncated_tx_id"`
	Extra         *bytesHex `json:"extra"`
}

type header struct {
	ID          uint64      `json:"id"`
	Ts          int64       `json:"ts"`
	Version     int         `json:"version"`
	Metadata    *txMetadata `json:"metadata"`
	MetadataHex bytesHex    `json:"metadata_hex"`
	NEntries    int         `json:"nentries"`
	PrevAlh     hash        `json:"prev_alh"`
	Eh          hash        `json:"eh"`
	BlTxID      uint64      `json:"bl_tx_id"`
	BlRoot      hash        `json:"bl_root"`
}

// The header as a client of the gRPC API builds it.
func (h *header) store() (*store.TxHeader, error) {
	if h == nil {
		return nil, nil
	}
	header := &store.TxHeader{
		ID: h.ID, Ts: h.Ts, BlTxID: h.BlTxID, BlRoot: h.BlRoot, PrevAlh: h.PrevAlh,
		Version: h.Version, NEntries: h.NEntries, Eh: h.Eh,
	}
	if h.Metadata != nil {
		header.Metadata = store.NewTxMetadata()
		if h.Metadata.TruncatedTxID != nil {
			header.Metadata.WithTruncatedTxID(*h.Metadata.TruncatedTxID)
		}
		if h.Metadata.Extra != nil {
			if err := header.Metadata.WithExtra(*h.Metadata.Extra); err != nil {
				return nil, err
			}
		}
	}
	return header, nil
}

func fromStore(h *store.TxHeader) *header {
	out := &header{
		ID: h.ID, Ts: h.Ts, Version: h.Version, NEntries: h.NEntries,
		PrevAlh: h.PrevAlh, Eh: h.Eh, BlTxID: h.BlTxID, BlRoot: h.BlRoot,
	}
	if h.Metadata != nil && !h.Metadata.IsEmpty() {
		out.Metadata = &txMetadata{}
		out.MetadataHex = h.Metadata.Bytes()
		if h.Metadata.HasTruncatedTxID() {
			id, _ := h.Metadata.GetTruncatedTxID()
			out.Metadata.TruncatedTxID = &id
		}
		if extra := bytesHex(h.Metadata.Extra()); extra != nil {
			out.Metadata.Extra = &extra
		}
	}
	return out
}

func raw(hashes []hash) [][32]byte {
	out := make([][32]byte, len(hashes))
	for i, h := range hashes {
		out[i] = h
	}
	return out
}

func named(hashes [][32]byte) []hash {
	out := make([]hash, len(hashes))
	for i, h := range hashes {
		out[i] = h
	}
	return out
}
