// What an operator can do to a database with immudb's official client over
// gRPC, beside what the PostgreSQL wire lets him: key-value writes, SQL that
// the wire swallows, databases with settings of their own, truncation; and what
// the wire has not: the state with the server's signature, printed as JSON. Each
// argument is one command, carried out in turn.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/codenotary/immudb/pkg/api/schema"
	immudb "github.com/codenotary/immudb/pkg/client"
	"google.golang.org/protobuf/encoding/protojson"
)

var (
	port     = flag.Int("port", 3322, "the server's gRPC port")
	folder   = flag.String("state", ".", "the folder of the client's state")
	database = flag.String("database", "defaultdb", "the database")
)

func main() {
	flag.Parse()
	for _, command := range flag.Args() {
		if err := run(context.Background(), command); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", command, err)
			os.Exit(1)
		}
	}
}

func run(ctx context.Context, command string) error {
	word, rest, _ := strings.Cut(command, " ")
	switch word {
	case "create":
		// Values in small files of their own, which a truncation can remove.
		settings := &schema.DatabaseNullableSettings{
			FileSize:       &schema.NullableUint32{Value: 512},
			EmbeddedValues: &schema.NullableBool{Value: false},
		}
		return in(ctx, "defaultdb", func(client immudb.ImmuClient) error {
			_, err := client.CreateDatabaseV2(ctx, *database, settings)
			return err
		})
	case "truncate":
		// Everything from before the day began, on the server's own clock.
		return in(ctx, "defaultdb", func(client immudb.ImmuClient) error {
			return client.TruncateDatabase(ctx, *database, 0)
		})
	case "set":
		key, value, _ := strings.Cut(rest, " ")
		return in(ctx, *database, func(client immudb.ImmuClient) error {
			_, err := client.VerifiedSet(ctx, []byte(key), []byte(value))
			return err
		})
	case "state":
		return in(ctx, *database, func(client immudb.ImmuClient) error {
			state, err := client.CurrentState(ctx)
			if err != nil {
				return err
			}
			text, err := protojson.Marshal(state)
			fmt.Println(string(text))
			return err
		})
	case "sql":
		return in(ctx, *database, func(client immudb.ImmuClient) error {
			_, err := client.SQLExec(ctx, rest, nil)
			return err
		})
	}
	return fmt.Errorf("unknown command %q", word)
}

func in(ctx context.Context, name string, do func(immudb.ImmuClient) error) error {
	options := immudb.DefaultOptions().WithAddress("127.0.0.1").WithPort(*port).WithDir(*folder)
	client := immudb.NewClient().WithOptions(options)
	if err := client.OpenSession(ctx, []byte("immudb"), []byte("immudb"), name); err != nil {
		return err
	}
	defer client.CloseSession(ctx)
	return do(client)
}
