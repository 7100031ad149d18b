package main

import "github.com/codenotary/immudb/embedded/store"

type linearProof struct {
	SourceTxID uint64 `json:"source_tx_id"`
	TargetTxID uint64 `json:"target_tx_id"`
	Terms      []hash `json:"terms"`
}

func (p *linearProof) store() *store.LinearProof {
	if p == nil {
		return nil
	}
	return &store.LinearProof{SourceTxID: p.SourceTxID, TargetTxID: p.TargetTxID, Terms: raw(p.Terms)}
}

type advanceProof struct {
	Terms     []hash   `json:"linear_proof_terms"`
	Inclusion [][]hash `json:"inclusion_proofs"`
}

func (p *advanceProof) store() *store.LinearAdvanceProof {
	if p == nil {
		return nil
	}
	out := &store.LinearAdvanceProof{LinearProofTerms: raw(p.Terms)}
	for _, path := range p.Inclusion {
		out.InclusionProofs = append(out.InclusionProofs, raw(path))
	}
	return out
}

type dualProof struct {
	SourceTxHeader     *header       `json:"source_tx_header"`
	TargetTxHeader     *header       `json:"target_tx_header"`
	InclusionProof     []hash        `json:"inclusion_proof"`
	ConsistencyProof   []hash        `json:"consistency_proof"`
	TargetBlTxAlh      hash          `json:"target_bl_tx_alh"`
	LastInclusionProof []hash        `json:"last_inclusion_proof"`
	LinearProof        *linearProof  `json:"linear_proof"`
	LinearAdvanceProof *advanceProof `json:"linear_advance_proof"`
}

func (p *dualProof) store() (*store.DualProof, error) {
	if p == nil {
		return nil, nil
	}
	source, err := p.SourceTxHeader.store()
	if err != nil {
		return nil, err
	}
	target, err := p.TargetTxHeader.store()
	if err != nil {
		return nil, err
	}
	return &store.DualProof{
		SourceTxHeader: source, TargetTxHeader: target,
		InclusionProof: raw(p.InclusionProof), ConsistencyProof: raw(p.ConsistencyProof),
		TargetBlTxAlh: p.TargetBlTxAlh, LastInclusionProof: raw(p.LastInclusionProof),
		LinearProof: p.LinearProof.store(), LinearAdvanceProof: p.LinearAdvanceProof.store(),
	}, nil
}

func fromDual(p *store.DualProof) *dualProof {
	out := &dualProof{
		SourceTxHeader: fromStore(p.SourceTxHeader), TargetTxHeader: fromStore(p.TargetTxHeader),
		InclusionProof: named(p.InclusionProof), ConsistencyProof: named(p.ConsistencyProof),
		TargetBlTxAlh: p.TargetBlTxAlh, LastInclusionProof: named(p.LastInclusionProof),
		LinearProof: &linearProof{
			SourceTxID: p.LinearProof.SourceTxID, TargetTxID: p.LinearProof.TargetTxID,
			Terms: named(p.LinearProof.Terms),
		},
	}
	if advance := p.LinearAdvanceProof; advance != nil {
		out.LinearAdvanceProof = &advanceProof{Terms: named(advance.LinearProofTerms)}
		for _, path := range advance.InclusionProofs {
			out.LinearAdvanceProof.Inclusion = append(out.LinearAdvanceProof.Inclusion, named(path))
		}
	}
	return out
}

type dualProofV2 struct {
	SourceTxHeader   *header `json:"source_tx_header"`
	TargetTxHeader   *header `json:"target_tx_header"`
	InclusionProof   []hash  `json:"inclusion_proof"`
	ConsistencyProof []hash  `json:"consistency_proof"`
}

func (p *dualProofV2) store() (*store.DualProofV2, error) {
	if p == nil {
		return nil, nil
	}
	source, err := p.SourceTxHeader.store()
	if err != nil {
		return nil, err
	}
	target, err := p.TargetTxHeader.store()
	if err != nil {
		return nil, err
	}
	return &store.DualProofV2{
		SourceTxHeader: source, TargetTxHeader: target,
		InclusionProof: raw(p.InclusionProof), ConsistencyProof: raw(p.ConsistencyProof),
	}, nil
}

func fromDualV2(p *store.DualProofV2) *dualProofV2 {
	return &dualProofV2{
		SourceTxHeader: fromStore(p.SourceTxHeader), TargetTxHeader: fromStore(p.TargetTxHeader),
		InclusionProof: named(p.InclusionProof), ConsistencyProof: named(p.ConsistencyProof),
	}
}

// A question about a dual proof of either version, decoded as far as it goes
// before the clock starts.
type dualCase[P any] struct {
	Name       string `json:"name"`
	SourceTxID uint64 `json:"source_tx_id"`
	TargetTxID uint64 `json:"target_tx_id"`
	SourceAlh  hash   `json:"source_alh"`
	TargetAlh  hash   `json:"target_alh"`
	Proof      *P     `json:"proof"`
}
