// The oracle: immudb's own verifiers, asked over standard input. One JSON
// request a line, one JSON answer a line; it ends when its input does.
//
//	{"verify": KIND, "case": CASE}           {"accepts": bool, "panicked": bool, "detail": …}
//	{"ledger": {"transactions", "seed", …}}  {"dual_proof": [CASE …], "dual_proof_v2": [CASE …]}
//	{"bench": {"kind", "case", "rounds"}}    {"nanoseconds": …}
//
// Cases have the form of the conformance vectors (tests/vectors/README.md).
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

type request struct {
	Verify string          `json:"verify"`
	Case   json.RawMessage `json:"case"`
	Ledger *ledgerRequest  `json:"ledger"`
	Bench  *benchRequest   `json:"bench"`
}

func answer(line []byte) (any, error) {
	var req request
	if err := json.Unmarshal(line, &req); err != nil {
		return nil, err
	}
	switch {
	case req.Verify != "":
		return verify(req.Verify, req.Case)
	case req.Ledger != nil:
		return buildLedger(req.Ledger)
	case req.Bench != nil:
		return bench(req.Bench)
	}
	return nil, fmt.Errorf("neither verify nor ledger nor bench")
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
