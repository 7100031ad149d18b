// The official Go client at the same work as ours: verified writes by a number
// of goroutines, then rows of a table read and verified one by one. Prints a
// line `name value` for each figure, values a second.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/codenotary/immudb/pkg/api/schema"
	immudb "github.com/codenotary/immudb/pkg/client"
)

var (
	port    = flag.Int("port", 3322, "the server's gRPC port")
	folder  = flag.String("state", ".", "the folder of the client's state")
	writers = flag.Int("writers", 64, "goroutines that write")
	seconds = flag.Float64("seconds", 5, "how long each figure is measured")
	payload = flag.Int("payload", 200, "bytes of a value")
	rows    = flag.Int("rows", 500, "rows of the table that is read")
)

func main() {
	flag.Parse()
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	options := immudb.DefaultOptions().WithAddress("127.0.0.1").WithPort(*port).WithDir(*folder)
	client := immudb.NewClient().WithOptions(options)
	if err := client.OpenSession(ctx, []byte("immudb"), []byte("immudb"), "defaultdb"); err != nil {
		return err
	}
	defer client.CloseSession(ctx)

	value := make([]byte, *payload)
	rand.Read(value)
	run := make([]byte, 8)
	rand.Read(run)
	for _, count := range []int{1, *writers} {
		rate, err := perSecond(count, func(writer, n int) error {
			key := fmt.Sprintf("%x/%d/%d/%d", run, count, writer, n)
			_, err := client.VerifiedSet(ctx, []byte(key), value)
			return err
		})
		if err != nil {
			return err
		}
		fmt.Printf("verified_set_%d %.1f\n", count, rate)
	}

	table := fmt.Sprintf("official_%x", run)
	create := "CREATE TABLE " + table + " (id INTEGER, body BLOB, PRIMARY KEY id)"
	if _, err := client.SQLExec(ctx, create, nil); err != nil {
		return err
	}
	for id := 0; id < *rows; id++ {
		insert := "INSERT INTO " + table + " (id, body) VALUES (@id, @body)"
		if _, err := client.SQLExec(ctx, insert, map[string]interface{}{"id": id, "body": value}); err != nil {
			return err
		}
	}
	found, err := client.SQLQuery(ctx, "SELECT id, body FROM "+table, nil, true)
	if err != nil {
		return err
	}
	rate, err := perSecond(1, func(_, n int) error {
		row := found.Rows[n%len(found.Rows)]
		return client.VerifyRow(ctx, row, table, []*schema.SQLValue{row.Values[0]})
	})
	if err != nil {
		return err
	}
	fmt.Printf("verify_row %.1f\n", rate)
	return nil
}

// How often `count` goroutines together do it in a second.
func perSecond(count int, do func(worker, n int) error) (float64, error) {
	var done atomic.Int64
	var first sync.Once
	var failed error
	var all sync.WaitGroup
	start := time.Now()
	until := start.Add(time.Duration(*seconds * float64(time.Second)))
	for worker := 0; worker < count; worker++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := 0; time.Now().Before(until); n++ {
				if err := do(worker, n); err != nil {
					first.Do(func() { failed = err })
					return
				}
				done.Add(1)
			}
		}()
	}
	all.Wait()
	if failed != nil {
		return 0, failed
	}
	return float64(done.Load()) / time.Since(start).Seconds(), nil
}
