package main

import (
	"encoding/json"
	"fmt"
	"time"
)

type benchRequest struct {
	Kind   string          `json:"kind"`
	Case   json.RawMessage `json:"case"`
	Rounds int             `json:"rounds"`
}

type benchAnswer struct {
	Nanoseconds int64 `json:"nanoseconds"`
}

// The time of so many verifications of one proof, decoded beforehand. A proof
// that is refused is not timed.
func bench(req *benchRequest) (*benchAnswer, error) {
	decode, known := kinds[req.Kind]
	if !known {
		return nil, fmt.Errorf("unknown kind %q", req.Kind)
	}
	ask, err := decode(req.Case)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	for range req.Rounds {
		if !ask() {
			return nil, fmt.Errorf("the proof is refused")
		}
	}
	return &benchAnswer{time.Since(start).Nanoseconds()}, nil
}
