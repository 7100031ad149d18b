package main

import (
	"encoding/json"
	"time"

	"github.com/codenotary/immudb/embedded/store"
)

// Accepts a header whose hash is the one that the case states. Its metadata is
// taken as it is stored, which can be more than the gRPC API carries.
func txHeader(input json.RawMessage) (func() bool, error) {
	var c struct {
		header
		Alh hash `json:"alh"`
	}
	if err := json.Unmarshal(input, &c); err != nil {
		return nil, err
	}
	c.Metadata = nil
	h, err := c.header.store()
	if err != nil {
		return nil, err
	}
	if len(c.MetadataHex) > 0 {
		h.Metadata = store.NewTxMetadata()
		err = h.Metadata.ReadFrom(c.MetadataHex)
	}
	return func() bool { return h.Alh() == c.Alh }, err
}

type entryMetadata struct {
	Deleted      bool   `json:"deleted"`
	ExpiresAt    *int64 `json:"expires_at"`
	NonIndexable bool   `json:"non_indexable"`
}

func (m *entryMetadata) store() (*store.KVMetadata, error) {
	if m == nil {
		return nil, nil
	}
	metadata := store.NewKVMetadata()
	if err := metadata.AsDeleted(m.Deleted); err != nil {
		return nil, err
	}
	if err := metadata.AsNonIndexable(m.NonIndexable); err != nil {
		return nil, err
	}
	if m.ExpiresAt == nil {
		return metadata, nil
	}
	return metadata, metadata.ExpiresAt(time.Unix(*m.ExpiresAt, 0))
}

// Accepts an entry whose digest is the one that the case states.
func entryDigest(input json.RawMessage) (func() bool, error) {
	var c struct {
		Version  int            `json:"version"`
		Metadata *entryMetadata `json:"metadata"`
		Key      bytesHex       `json:"key"`
		Value    bytesHex       `json:"value"`
		Digest   hash           `json:"digest"`
	}
	if err := json.Unmarshal(input, &c); err != nil {
		return nil, err
	}
	digest, err := store.EntrySpecDigestFor(c.Version)
	if err != nil {
		return nil, err
	}
	metadata, err := c.Metadata.store()
	entry := &store.EntrySpec{Key: c.Key, Metadata: metadata, Value: c.Value}
	return func() bool { return digest(entry) == c.Digest }, err
}
