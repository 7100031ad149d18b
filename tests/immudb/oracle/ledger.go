package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand"
	"os"
	"time"

	"github.com/codenotary/immudb/embedded/logger"
	"github.com/codenotary/immudb/embedded/store"
)

type ledgerRequest struct {
	Transactions int         `json:"transactions"`
	Seed         int64       `json:"seed"`
	Version      int         `json:"version"`
	Proofs       [][2]uint64 `json:"proofs"`
}

type ledgerAnswer struct {
	Dual   []*dualCase[dualProof]   `json:"dual_proof"`
	DualV2 []*dualCase[dualProofV2] `json:"dual_proof_v2"`
}

// Builds a real ledger in a folder of its own and takes proofs from it. The
// same request gives the same ledger: keys, values and times come from the
// seed. Nothing has to outlive the answer, so nothing is synced to disk.
func buildLedger(req *ledgerRequest) (*ledgerAnswer, error) {
	folder, err := os.MkdirTemp("", "oracle-ledger-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)

	now := time.Unix(1_700_000_000, 0)
	options := store.DefaultOptions().
		WithSynced(false).
		WithWriteTxHeaderVersion(req.Version).
		WithTimeFunc(func() time.Time { now = now.Add(time.Second); return now }).
		WithLogger(logger.NewMemoryLogger())
	ledger, err := store.Open(folder, options)
	if err != nil {
		return nil, err
	}
	defer ledger.Close()

	random := rand.New(rand.NewSource(req.Seed))
	for id := 1; id <= req.Transactions; id++ {
		if err := commit(ledger, random, req.Version, id); err != nil {
			return nil, fmt.Errorf("transaction %d: %w", id, err)
		}
	}
	return take(ledger, req)
}

func commit(ledger *store.ImmuStore, random *rand.Rand, version int, id int) error {
	ctx := context.Background()
	tx, err := ledger.NewWriteOnlyTx(ctx)
	if err != nil {
		return err
	}
	if version > 0 && id%5 == 0 {
		extra := make([]byte, 1+random.Intn(40))
		random.Read(extra)
		metadata := store.NewTxMetadata()
		if err := metadata.WithExtra(extra); err != nil {
			return err
		}
		tx.WithMetadata(metadata)
	}
	for entry := range 1 + id%4 {
		key := binary.BigEndian.AppendUint64([]byte{byte(entry)}, uint64(id))
		value := make([]byte, random.Intn(60))
		random.Read(value)
		var metadata *store.KVMetadata
		if version > 0 && entry == 2 {
			metadata = store.NewKVMetadata()
			if err := metadata.AsNonIndexable(true); err != nil {
				return err
			}
		}
		if err := tx.Set(key, metadata, value); err != nil {
			return err
		}
	}
	_, err = tx.AsyncCommit(ctx)
	return err
}

func take(ledger *store.ImmuStore, req *ledgerRequest) (*ledgerAnswer, error) {
	out := &ledgerAnswer{Dual: []*dualCase[dualProof]{}, DualV2: []*dualCase[dualProofV2]{}}
	for _, pair := range req.Proofs {
		source, err := ledger.ReadTxHeader(pair[0], false, false)
		if err != nil {
			return nil, err
		}
		target, err := ledger.ReadTxHeader(pair[1], false, false)
		if err != nil {
			return nil, err
		}
		v1, err := ledger.DualProof(source, target)
		if err != nil {
			return nil, err
		}
		v2, err := ledger.DualProofV2(source, target)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("seed %d v%d tx %d to %d", req.Seed, req.Version, source.ID, target.ID)
		out.Dual = append(out.Dual, &dualCase[dualProof]{
			Name: name, SourceTxID: source.ID, TargetTxID: target.ID,
			SourceAlh: source.Alh(), TargetAlh: target.Alh(), Proof: fromDual(v1),
		})
		out.DualV2 = append(out.DualV2, &dualCase[dualProofV2]{
			Name: name, SourceTxID: source.ID, TargetTxID: target.ID,
			SourceAlh: source.Alh(), TargetAlh: target.Alh(), Proof: fromDualV2(v2),
		})
	}
	return out, nil
}
